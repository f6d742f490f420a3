"""Gestures on the unmodified bot: `debrief run` as its own process beside a sandbox, once over each way of delivery."""

import json
import random
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from sqlalchemy import create_engine, text

from bot.sandbox import troupe
from bot.sandbox.driver import Driver, words_of
from bot.sandbox.over_http import signature
from bot.sandbox.server import in_thread
from bot.sandbox.troupe import bot_running, debrief, environment

Json = dict[str, Any]
NAMES = count(1)
DECIDED = ("incidents", "moments", "timeline_events", "actions", "findings", "reviews", "meetings", "roles", "changes")


@dataclass
class Town:
    """A sandbox, the bot that serves it, and the database it writes to."""

    driver: Driver
    port: int
    url: str
    log: Path
    process: Any
    read: int = 0
    names: Iterator[int] = field(default_factory=lambda: NAMES)

    def review(self, user: str, channel: str, words: str) -> str:
        """Type the command; the answer as that person reads it."""
        return self.driver.type(user, channel, words)

    def an_incident(self, *, private: bool = False) -> str:
        """A channel in which an incident is open, made by Priya; its name."""
        name = f"inc-{next(self.names)}"
        self.driver.do("create", user="priya", name=name, private=private)
        if private:
            self.driver.do("invite", user="priya", channel=name)
        self.driver.wait_for(lambda: any(m.get("bot_id") for m in self.driver.messages(name)), f"the notice in {name}")
        return name

    def decided(self) -> dict[str, int]:
        """How many rows there are of everything that people decide."""
        engine = create_engine(self.url)
        with engine.connect() as db:
            found = {name: db.execute(text(f"SELECT count(*) FROM {name}")).scalar_one() for name in DECIDED}
        engine.dispose()
        return found

    def public(self, channel: str) -> list[str]:
        return [words_of(message) for message in self.driver.messages(channel)]

    def new_lines(self) -> str:
        """What was logged since this was asked last."""
        whole = self.log.read_text()
        new, self.read = whole[self.read :], len(whole)
        return new

    def request(
        self, body: bytes, content_type: str = "application/x-www-form-urlencoded", stamp: str = ""
    ) -> tuple[int, str]:
        """A signed request of Slack's; the status and the text it is answered with."""
        stamp = stamp or str(int(self.driver.now.timestamp()))
        headers = {"X-Slack-Request-Timestamp": stamp, "X-Slack-Signature": signature(stamp, body)}
        ask = urllib.request.Request(
            f"http://127.0.0.1:{self.port}/slack/events", body, headers | {"Content-Type": content_type}
        )
        try:
            with urllib.request.urlopen(ask, timeout=60) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            error.close()
            return error.code, ""


@contextmanager
def a_town(way: str, folder: Path, url: str | None = None) -> Iterator[Town]:
    port = a_port()
    http = {"http_url": f"http://127.0.0.1:{port}/slack/events"} if way == "http" else {}
    with in_thread(**http) as slack:
        env = environment(slack.api_url, folder, port, http=way == "http")
        if url:
            env["DEBRIEF_DATABASE_URL"] = url
        with bot_running(env, folder / "log") as process:
            driver = Driver(slack.url)
            driver.do("fault", rate_limits="off")
            driver.wait_for(lambda: way == "http" or driver.get("state")["connections"] > 0, "a connection")
            yield Town(driver, port, url or f"sqlite:///{folder}/debrief.db", folder / "log", process)


def a_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture(scope="module", params=["socket", "http"])
def shared_town(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    with a_town(request.param, tmp_path_factory.mktemp(request.param)) as town:
        yield town


@pytest.fixture
def town(shared_town: Town) -> Iterator[Town]:
    """The shared one; whatever a test does, nothing fails inside the bot and Slack refuses nothing it sends."""
    shared_town.new_lines()
    last = shared_town.driver.get("log")["last"]
    yield shared_town
    assert "traceback" not in shared_town.new_lines()
    assert shared_town.driver.get("log", since=str(last))["violations"] == []


@pytest.fixture(scope="module")
def incident(shared_town: Town) -> str:
    """A channel with an incident, for tests that change nothing in it."""
    return shared_town.an_incident()


# Answers -------------------------------------------------------------------------------------


def test_a_command_is_answered_when_its_change_is_on_disk(town: Town):
    channel = town.an_incident()
    before = town.decided()["timeline_events"]

    answer = town.review("priya", channel, "event rolled back to version 41")

    assert town.decided()["timeline_events"] == before + 1
    assert "rolled back to version 41" in answer


SENTENCES = [
    ("hlep", "/review help"),
    ("frobnicate now", "I do not know “frobnicate”"),
    ("tmieline", "timeline"),
    ("mitigated 25:99", "I could not read “25:99” as a time"),
    ("retime 1 sometime", "as a time"),
    ("edit 999 other words", "999"),
    ("drop x", "number"),
    ("action 999 done", "999"),
    ("action tidy the runbook", "@"),
    ("severity sev9", "sev"),
    ("invite nobody", "@"),
    ("extend soon", "minutes"),
    ("kind 999 decision", "999"),
    ("publish somewhere", "channel"),
    ("next", "meeting"),
    ("cancel", "reason"),
]


@pytest.mark.parametrize(("words", "hint"), SENTENCES)
def test_what_cannot_be_done_is_said_to_the_person_alone_and_changes_nothing(
    town: Town, incident: str, words: str, hint: str
):
    before, public = town.decided(), town.public(incident)

    answer = town.review("priya", incident, words)

    assert hint.lower() in answer.lower()
    assert (town.decided(), town.public(incident)) == (before, public)


@pytest.mark.parametrize("words", ["event it broke", "timeline", "mitigated 14:05", "start", "close", "action"])
def test_outside_an_incident_every_verb_says_how_to_start_one(town: Town, words: str):
    before = town.decided()

    answer = town.review("priya", "general", words)

    assert "/review open" in answer
    assert town.decided() == before


def test_where_the_bot_is_not_a_member_it_asks_to_be_invited(town: Town):
    before = town.decided()

    answer = town.review("priya", "support", "open sev2 Mail is late")

    assert "/invite" in answer
    assert town.decided() == before


def test_an_action_form_without_an_owner_is_not_sent(town: Town, incident: str):
    before = town.decided()
    town.review("priya", incident, "action")
    view = town.driver.wait_for(lambda: town.driver.get("views/priya")["views"], "the form")[-1]

    sent = town.driver.post(
        "submit", user="priya", values={"text": {"text": "Tidy up"}, "owner": {"owner": None}, "due": {"due": None}}
    )
    town.driver.post("close", user="priya", all=True)

    assert view["callback_id"] == "review:action"
    assert not sent["ok"]
    assert town.decided() == before


def test_help_lists_every_verb_and_help_of_one_says_how_it_is_typed(town: Town):
    assert "• `action @owner" in town.review("tom", "general", "help")
    assert "/review retime N when" in town.review("tom", "general", "help retime")


def test_my_actions_are_listed_anywhere(town: Town):
    assert "/review open" not in town.review("tom", "general", "actions mine")


def test_a_mention_in_a_thread_stands_in_for_the_command(town: Town):
    channel = town.an_incident()
    ts = town.driver.say("priya", channel, "It answers 503")

    town.driver.do("mention", user="priya", channel=channel, thread_ts=ts, text="event it answers 503")

    heard = town.driver.wait_for(lambda: _whispered(town, channel, "priya"), "the answer")
    assert "it answers 503" in heard[-1]


def _whispered(town: Town, channel: str, user: str) -> list[str]:
    return [words_of(m) for m in town.driver.messages(channel, user) if m.get("is_ephemeral")]


def test_an_emoji_on_a_message_is_confirmed_by_an_emoji_and_by_nothing_else(town: Town):
    channel = town.an_incident()
    town.driver.do("join", user="lena", channel=channel)
    ts = town.driver.say("lena", channel, "Rolled back to version 41")
    said = len(town.public(channel))

    town.driver.do("react", user="lena", channel=channel, ts=ts, emoji="pushpin")

    town.driver.wait_for(lambda: "memo" in _emoji(town, channel, ts), "the memo")
    assert len(town.public(channel)) == said
    assert "Rolled back to version 41" in town.review("lena", channel, "timeline")


def _emoji(town: Town, channel: str, ts: str) -> list[str]:
    message = next(m for m in town.driver.messages(channel) if m["ts"] == ts)
    return [reaction["name"] for reaction in message.get("reactions") or []]


def test_a_verb_that_cannot_be_taken_back_asks_first(town: Town):
    channel = town.an_incident()
    before = town.decided()

    asked = town.driver.post("command", user="priya", channel=channel, command="/review", text="cancel false alarm")

    buttons = [e for b in asked["answer"]["blocks"] for e in b.get("elements") or [] if e["type"] == "button"]
    assert buttons[0]["action_id"].startswith("review:cancel")
    assert town.decided() == before


def test_a_wrong_app_token_is_told_at_start_and_ends_it(town: Town, tmp_path: Path):
    env = environment(f"{town.driver.url}/api/", tmp_path, a_port()) | {"SLACK_APP_TOKEN": "xapp-wrong"}

    done = subprocess.run(debrief("run"), env=env, capture_output=True, text=True, timeout=60, check=False)

    assert done.returncode == 2
    assert "SLACK_APP_TOKEN cannot be used: Slack answers invalid_auth" in done.stderr
    assert "Traceback" not in done.stderr


def test_who_may_not_is_told_so_before_being_asked_to_confirm(town: Town):
    channel = town.an_incident()

    asked = town.driver.post("command", user="tom", channel=channel, command="/review", text="cancel false alarm")

    assert "the facilitator, the owner or the lead" in asked["answer"]["text"]


def test_the_home_tab_opens_for_anybody(town: Town):
    town.driver.do("home", user="tom")

    view = town.driver.wait_for(lambda: town.driver.get("home/tom")["view"], "the Home tab")
    assert view["type"] == "home"


@pytest.mark.parametrize("words", ["rolled zebrafish", '{"text": "zebrafish", "incident": 1}'])
def test_what_is_typed_into_the_home_tabs_field_is_searched_for_as_it_is(town: Town, words: str):
    channel = town.an_incident()
    town.driver.say("priya", channel, "rolled back the zebrafish")
    town.driver.do("home", user="priya")
    town.driver.wait_for(lambda: town.driver.get("home/priya")["view"], "the Home tab")

    town.driver.do("click", user="priya", home=True, action_id="review:search:home", value=words)

    found = "rolled" in words
    told = "*zebrafish*" if found else "I found nothing with “{&quot;text"
    told = told.replace("&quot;", '"')
    town.driver.wait_for(lambda: any(told in words_of(each) for each in town.driver.messages("dm", user="priya")), told)


def test_three_seconds_are_kept_by_every_answer(town: Town, incident: str):
    took = [
        town.driver.post("command", user="priya", channel=incident, command="/review", text=w)["ack_ms"] for w in "ab"
    ]

    assert all(ms < 3_000 for ms in took)


# The close of a meeting, and its actions ----------------------------------------------------------


def a_meeting(town: Town) -> str:
    """A channel in which a meeting has come to its close, opened by Priya; Tom is in it, too."""
    channel = town.an_incident()
    town.driver.do("join", user="tom", channel=channel)
    for words in ("mitigated", "start"):
        town.review("priya", channel, words)
    town.driver.press("priya", channel, "^Yes, start$")
    town.driver.wait_for_words(channel, "1 of 6")
    town.review("priya", channel, "go close")
    town.driver.wait_for_words(channel, "6 of 6")
    return channel


def test_a_tap_is_told_to_whoever_tapped_and_named_nowhere(town: Town):
    channel = a_meeting(town)
    town.new_lines()

    town.driver.press("tom", channel, "^I felt safe to speak$")

    counted = town.driver.wait_for_words(channel, "What counts for you now: I felt safe to speak", "tom")
    assert counted["is_ephemeral"]
    assert [words for words in town.public(channel) if "counts for you" in words] == []
    lines = town.new_lines()
    assert '"ability": "tap"' in lines
    assert not {"U0TOM", "safe"} & set(re.findall(r"[\w]+", lines))


def test_what_is_tapped_is_not_taken_from_a_mention_that_everybody_reads(town: Town):
    channel = a_meeting(town)
    ts = town.driver.say("tom", channel, "that was good")

    town.driver.do("mention", user="tom", channel=channel, thread_ts=ts, text="pulse safe")

    shown = town.driver.wait_for_words(channel, "How was this meeting for you", "tom")
    assert shown["is_ephemeral"]
    assert "counts for you" not in str(town.driver.messages(channel, "tom"))


def test_the_close_is_filled_in_with_forms(town: Town):
    channel = a_meeting(town)

    town.driver.press("tom", channel, "^Write them$")
    town.driver.fill("tom", happened="Checkout crawled.", felt="Orders failed.", fixed="We rolled back.")
    town.driver.press("tom", channel, "^One thing I learned$")
    town.driver.fill("tom", text="pools are small")

    shown = words_of(town.driver.wait_for_words(channel, "pools are small"))
    assert "> Checkout crawled.\n> Orders failed.\n> We rolled back." in shown


def test_an_action_is_proposed_from_a_finding_reshaped_and_declined_with_its_buttons(town: Town):
    channel = a_meeting(town)
    town.review("tom", channel, "contributor retries without a limit")

    town.driver.press("tom", channel, "^Propose an action$")
    town.driver.fill("tom", text="improve monitoring", owner="U0TOM", horizon="quick", answers=["1"])
    town.driver.press("tom", channel, "^Edit$")
    town.driver.fill("tom", text="alert when the pool is 80 % full", owner="U0TOM", horizon="quick")
    number = re.search(r"Action (\d+) now reads", words_of(town.driver.wait_for_words(channel, "now reads", "tom")))
    assert number
    town.driver.press("tom", channel, "^Decline$")
    town.driver.fill("tom", text="the pool is going away")

    town.driver.wait_for_words(channel, f"not to do action {number[1]}, alert when the pool is 80 % full")
    assert "It answers finding 1." in town.review("tom", channel, f"action {number[1]}")


def test_another_wording_is_offered_taken_and_changed_with_buttons(town: Town):
    channel = a_meeting(town)
    said = town.review("tom", channel, "contributor We should have tested the failover.")

    town.driver.press("tom", channel, "^Use$")
    town.driver.wait_for_words(channel, "It now reads:\n> We did not test the failover.", "tom")
    town.review("tom", channel, "finding 1")
    town.driver.press("tom", channel, "^Edit…$")
    town.driver.fill("tom", kind="risk", text="The failover has never been tested.")

    town.driver.wait_for_words(channel, "The failover has never been tested.", "tom")
    assert "“should have tested” may be read as what did not happen" in said
    assert "Risk 1" in town.review("tom", channel, "finding 1")


def test_messages_worth_keeping_are_kept_sorted_and_worded_in_one_form(town: Town):
    channel = town.an_incident()
    town.driver.do("join", user="tom", channel=channel)
    rolled = town.driver.say("tom", channel, "rolled back to v40, errors from 9 to 0 %")
    town.driver.say("priya", channel, "restarted the pods, 12 of 12 ready", thread_ts=rolled)
    town.driver.wait_for(lambda: "restarted" in town.review("priya", channel, "candidates"), "both messages")

    town.review("tom", channel, "candidates")
    town.driver.press("tom", channel, "^Choose in a form$")
    menus = [block for block in town.driver.get("views/tom")["views"][-1]["blocks"] if block["type"] == "input"]
    town.driver.fill("tom", **{menus[0]["block_id"]: "mitigation", menus[1]["block_id"]: "leave"})
    town.driver.fill("tom", **{"words 1": "Went back to version 40"})

    assert "mitigation · Went back to version 40" in town.review("tom", channel, "timeline")
    assert "I found no message" in town.review("priya", channel, "timeline candidates")


def test_six_questions_propose_a_severity_and_a_press_sets_it(town: Town):
    channel = town.an_incident()
    town.driver.do("join", user="tom", channel=channel)

    town.review("tom", channel, "severity")
    town.driver.fill("tom", customers="some", hours="peak")
    told = town.driver.wait_for_words(channel, "From your answers I would call", "tom")
    town.driver.press("tom", channel, "^Make it sev2$")

    assert "some customers felt it and it fell into peak hours" in words_of(told)
    assert "is sev2 already" in town.review("tom", channel, "severity sev2")


# Over HTTP -------------------------------------------------------------------------------------


OVER_HTTP = pytest.mark.parametrize("shared_town", ["http"], indirect=True)


@OVER_HTTP
def test_a_signed_request_that_is_played_again_has_no_second_effect(town: Town):
    channel = town.an_incident()
    stamp, before = str(int(town.driver.now.timestamp())), town.decided()["timeline_events"]
    body = a_command(town, "U0PRIYA", channel, "event it answers 503")

    statuses = [town.request(body, stamp=stamp)[0] for _ in range(3)]

    assert statuses == [200, 200, 200]
    assert town.decided()["timeline_events"] == before + 1


@OVER_HTTP
def test_a_private_incident_answers_an_outsider_as_if_there_were_none(town: Town):
    secret = town.an_incident(private=True)
    verbs = ("", "event it broke", "timeline", "severity sev1", "start", "publish", "summary", "search inc", "action 1")

    inside = [town.request(a_command(town, "U0TOM", secret, words))[1] for words in verbs]
    nowhere = [town.request(a_command(town, "U0TOM", "general", words))[1] for words in verbs]

    assert inside == nowhere
    assert "/review open" in json.loads(inside[1])["text"]
    assert secret not in "".join(inside)


def a_command(town: Town, user: str, channel: str, words: str) -> bytes:
    """A slash command as it goes over the wire."""
    channels = town.driver.get("state")["channels"]
    more = {"team_id": "T0SANDBOX", "trigger_id": "", "response_url": "http://127.0.0.1:1/"}
    where = next(c["id"] for c in channels if c.get("name") == channel)
    return urlencode({"command": "/review", "text": words, "user_id": user, "channel_id": where} | more).encode()


@OVER_HTTP
def test_junk_that_is_signed_fails_nothing(town: Town):
    chance = random.Random(7)
    kinds = [
        "event_callback",
        "block_actions",
        "view_submission",
        "message_action",
        "shortcut",
        "app_rate_limited",
        "x",
    ]
    junk = [
        None,
        1,
        "x",
        [],
        {},
        {"id": "U1"},
        {"type": "message"},
        {"type": "app_mention", "channel": "C1", "ts": "1"},
    ]

    statuses: set[int] = set()
    for _ in range(200):
        body = {key: chance.choice(junk) for key in ("event", "user", "actions", "view", "channel", "message", "team")}
        sent = json.dumps({"type": chance.choice(kinds), **{k: v for k, v in body.items() if chance.random() < 0.8}})
        statuses.add(town.request(sent.encode(), "application/json")[0])

    assert {status // 100 for status in statuses} == {2, 4}


# Coming and going --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("way", "database"), [("socket", "sqlite"), pytest.param("http", "postgresql", marks=pytest.mark.postgres)]
)
def test_without_its_database_the_bot_lets_slack_send_again_and_on_sigterm_it_leaves(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: str, database: str
):
    url = request.getfixturevalue("empty_postgresql_url") if database == "postgresql" else None
    monkeypatch.setattr(troupe, "debrief", lambda *words: [sys.executable, "-m", "bot", "-v", *words])
    with a_town(way, tmp_path, url) as town:
        channel = town.an_incident()
        town.review("priya", channel, "event swordfish")
        _rename_messages(town, "messages", "lost")
        lost = town.driver.do("message", user="priya", channel=channel, text="The password is swordfish")
        _rename_messages(town, "lost", "messages")
        again = town.driver.do("deliver", event_id=lost["event_ids"][0])

        begun = time.monotonic()
        town.process.send_signal(signal.SIGTERM)
        status = town.process.wait(25)

    assert lost["ack_ms"] is None
    assert again["ok"]
    assert (status, time.monotonic() - begun < 20) == (0, True)
    # All of this was logged in detail, with tracebacks, and without a word of what was said.
    assert "Traceback" in town.log.read_text()
    assert "swordfish" not in town.log.read_text()
    assert "xoxb-sandbox" not in town.log.read_text()


def _rename_messages(town: Town, old: str, new: str) -> None:
    engine = create_engine(town.url)
    with engine.begin() as db:
        db.execute(text(f"ALTER TABLE {old} RENAME TO {new}"))
    engine.dispose()

"""Several bots on one PostgreSQL, one of them killed in the middle: each gesture counts once, all is said once."""

import json
import subprocess
from collections import Counter
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

import pytest

from bot.sandbox.driver import Stuck, words_of
from tests.mailboxes import PostOffice, post_office_in_thread
from tests.reliability.balanced import Street, street
from tests.reliability.town import CHANNEL, LEAD, OWNER, RESPONDER

pytestmark = pytest.mark.postgres
PEOPLE = (LEAD, OWNER, RESPONDER)
SURPRISED = "the pager was quiet"
MORNING = datetime(2026, 11, 19, 9, 5, tzinfo=ZoneInfo("Europe/Berlin"))


@pytest.mark.parametrize("way", ["http", "socket"])
def test_two_bots_do_and_say_everything_once_though_one_is_killed_in_the_middle(
    empty_postgresql_url: str, tmp_path: Path, way: str
):
    with post_office_in_thread() as office, street(tmp_path, empty_postgresql_url, way) as here:
        for bot in here.bots:
            bot.env |= settings(office)
        here.start()
        open_incident(here)
        told = flood(here, messages=24, events=8)
        fill_in_the_impact(here)
        is_booked_twice_at_once(here)
        leader = is_led_by_whoever_takes_it(here)
        here.driver.type(OWNER, CHANNEL, f"surprise {SURPRISED}")
        hears_it_from_the_other_one(here)
        opens_what_was_sealed(here, leader)

        judge(here, told)
        judge_the_letters(office)


def settings(office: PostOffice) -> dict[str, str]:
    """A mail server, and one key for private answers: what one bot closes another one opens."""
    return {
        "DEBRIEF_SMTP_URL": f"smtp+plain://127.0.0.1:{office.port}",
        "DEBRIEF_MAIL_FROM": "Debrief <debrief@sandbox.example>",
        "DEBRIEF_SEAL_KEY": "a key that both of them know",
    }


def open_incident(here: Street) -> None:
    here.driver.do("create", user=LEAD, name=CHANNEL)
    here.driver.wait_for_words(CHANNEL, "followed as an incident")
    for user in (OWNER, RESPONDER):
        here.driver.do("invite", user=LEAD, channel=CHANNEL, users=user)


def flood(here: Street, *, messages: int, events: int) -> list[str]:
    """People talk, pin and type all at once; in the middle a bot dies, and comes back. What they wrote, each once."""
    typed = [f"thing {number}" for number in range(events)]
    here.at_once(*(lambda n=n, words=words: _type(here, n, words) for n, words in enumerate(typed)))
    said = [f"message {number}" for number in range(messages)]
    talking = [here.hands.submit(_say, here, n, words) for n, words in enumerate(said)]
    talking[messages // 3].result()
    here.bots[0].kill()
    for each in talking:
        each.result()
    here.bots[0].start()
    if here.way == "http":
        replay(here)
    return [*typed, *said]


def _type(here: Street, number: int, words: str) -> None:
    here.driver.type(PEOPLE[number % 3], CHANNEL, f"event 13:{number:02} {words}")


def _say(here: Street, number: int, words: str) -> None:
    ts = here.driver.say(PEOPLE[number % 3], CHANNEL, words)
    if number % 4 == 0:
        here.driver.do("react", user=LEAD, channel=CHANNEL, ts=ts, emoji="pushpin")


def replay(here: Street) -> None:
    """One signed request reaches both bots at the same moment."""
    where = next(one["id"] for one in here.driver.get("state")["channels"] if one.get("name") == CHANNEL)
    lead = next(one["id"] for one in here.driver.get("state")["users"] if one["name"] == LEAD)
    said = {"command": "/review", "text": "event 13:59 played again", "user_id": lead, "channel_id": where}
    body = urlencode(said | {"team_id": "T0SANDBOX", "trigger_id": "", "response_url": "http://127.0.0.1:1/"})

    assert here.played_again(body.encode()) == [200, 200]


def fill_in_the_impact(here: Street) -> None:
    """A form is opened by one bot and sent to another: over HTTP the next in turn, over sockets whichever."""
    for customers in ("many", "one order in five"):
        here.driver.type(LEAD, CHANNEL, "impact")
        assert here.driver.fill(LEAD, customers=customers)["ok"]


def is_booked_twice_at_once(here: Street) -> None:
    here.driver.type(LEAD, CHANNEL, "severity sev2")
    here.driver.type(LEAD, CHANNEL, "mitigated 14:00")
    here.driver.move_clock_to(MORNING)
    message, button = here.driver.find_button(LEAD, "dm", "^Book")
    pressed = {"user": LEAD, "channel": "dm", "ts": message["ts"], "action_id": button["action_id"]}
    here.at_once(*[lambda: here.driver.post("click", **pressed, value=button.get("value"))] * 4)
    here.driver.wait_for_words(CHANNEL, "meets on")


def is_led_by_whoever_takes_it(here: Street) -> str:
    """Half an hour later somebody is asked whose turn it is."""
    here.driver.pass_time(31 * 60)

    def asked() -> list[str]:
        return [user for user in PEOPLE if "Would you lead" in "".join(unasked(here, user))]

    leader = here.driver.wait_for(asked, "somebody to be asked")[0]
    here.driver.press(leader, "dm", "^Take it$")
    here.driver.wait_for_words(CHANNEL, "leads the review meeting")
    return leader


def unasked(here: Street, user: str) -> list[str]:
    """What somebody got by direct message."""
    messages = here.driver.messages("dm", user)
    return [words_of(one) for one in messages if one.get("bot_id") and not one.get("is_ephemeral")]


def opens_what_was_sealed(here: Street, leader: str) -> None:
    here.driver.type(leader, CHANNEL, "start")
    here.driver.press(leader, CHANNEL, "^Yes, start$")
    here.driver.wait_for_words(CHANNEL, "^Review of")
    here.driver.type(leader, CHANNEL, "reveal")
    here.driver.wait_for_words(CHANNEL, f"(?s)opens what you were asked.*{SURPRISED}")


def hears_the_clock(here: Street) -> None:
    is_a_day_before(here)
    here.driver.wait_for_words(CHANNEL, "Before the review")
    is_called(here)


def hears_it_from_the_other_one(here: Street) -> None:
    """A bot dies in the moment in which the pre-read is due."""
    is_a_day_before(here)
    here.bots[1].kill()
    here.driver.wait_for_words(CHANNEL, "Before the review")
    here.bots[1].start()
    is_called(here)


def is_a_day_before(here: Street) -> None:
    here.driver.move_clock_to(meets_at(here) - timedelta(hours=23, minutes=50))


def is_called(here: Street) -> None:
    here.driver.move_clock_to(meets_at(here) - timedelta(minutes=9))
    here.driver.wait_for_words(CHANNEL, "begins at")


def meets_at(here: Street) -> datetime:
    return datetime.fromisoformat(here.review()["review"]["meetings"][0]["meets_at"])


def judge(here: Street, told: list[str]) -> None:
    wait_until_kept(here, told)
    review: Any = here.review()
    kept = Counter(message["text"] for message in review["messages"])
    timeline = Counter(event["text"] for event in review["timeline"])

    assert [words for words, times in (kept | timeline).items() if times > 1 and words in told] == []
    assert timeline["played again"] == (1 if here.way == "http" else 0)
    assert len(review["review"]["meetings"]) == 1
    assert review["incident"]["impact"]["customers"] == "one order in five"
    assert [words for words, times in here.heard(CHANNEL).items() if times > 1] == []
    assert [words for user in PEOPLE for words, times in Counter(unasked(here, user)).items() if times > 1] == []
    assert here.driver.get("log")["violations"] == []
    assert errors(here.logs()) == []
    if here.way == "http":
        assert set(here.balancer.served) == set(here.balancer.ports)


def judge_the_letters(office: PostOffice) -> None:
    """One each; where a bot was killed it may have come twice, as the same one."""
    came = zip(office.envelopes, office.letters, strict=True)
    known = {(to, str(letter["Message-ID"])) for (_, to), letter in came}

    assert len(known) == len({to for to, _ in known}) == len(PEOPLE)


def missing(here: Street, told: list[str]) -> list[str]:
    review = here.review()
    found = {message["text"] for message in review["messages"]} | {event["text"] for event in review["timeline"]}
    return [words for words in told if words not in found]


# The previous release beside this one ------------------------------------------------------------------

PREVIOUS = "530ae14"
"""The last commit whose program knows the schema up to 0005."""


@pytest.mark.torture
@pytest.mark.timeout(300)
@pytest.mark.parametrize("way", ["http", "socket"])
def test_the_previous_release_goes_on_beside_this_one_on_the_new_schema_and_all_is_said_once(
    empty_postgresql_url: str, tmp_path: Path, way: str
):
    with street(tmp_path, empty_postgresql_url, way) as here:
        here.bots[0].env |= {"PYTHONPATH": str(previous(tmp_path / "previous")), "PYTHONSAFEPATH": "1"}
        here.bots[0].start()
        here.bots[1].start()  # And brings the schema to its revision, under the other.
        open_incident(here)
        told = talk_and_type(here)
        is_booked(here)
        hears_the_clock(here)

        wait_until_kept(here, told)
        assert [words for words, times in here.heard(CHANNEL).items() if times > 1] == []
        assert len(here.review()["review"]["meetings"]) == 1
        assert (
            errors(here.bots[1].log.read_text()) == []
        )  # The previous release fails where it is crossed, and tries again.
        assert here.bots[0].is_ready() == (503, "the schema is not current: run debrief db upgrade\n")
        assert here.bots[1].is_ready() == (200, "ready\n")


def previous(folder: Path) -> Path:
    """The program of the previous release, where the history of this checkout reaches so far."""
    folder.mkdir()
    packed = subprocess.run(
        ["git", "archive", PREVIOUS], cwd=Path(__file__).parents[2], capture_output=True, check=False
    )
    if packed.returncode:
        pytest.skip(f"The history of this checkout does not reach back to {PREVIOUS}.")
    subprocess.run(["tar", "x", "-C", folder], input=packed.stdout, check=True)
    return folder


def talk_and_type(here: Street) -> list[str]:
    """One after another types, for the previous release does not wait for its neighbour; all talk at once."""
    typed, said = [f"thing {number}" for number in range(6)], [f"message {number}" for number in range(24)]
    for number, words in enumerate(typed):
        _type(here, number, words)
    here.at_once(*(lambda n=n, words=words: _say(here, n, words) for n, words in enumerate(said)))
    return [*typed, *said]


def is_booked(here: Street) -> None:
    here.driver.type(LEAD, CHANNEL, "mitigated 14:00")
    here.driver.move_clock_to(MORNING)
    here.driver.press(LEAD, "dm", "^Book")
    here.driver.wait_for_words(CHANNEL, "meets on")


def wait_until_kept(here: Street, told: list[str]) -> None:
    for seconds in (0, 61, 301):  # What was acknowledged too late comes again after one minute, and after five.
        here.driver.pass_time(seconds)
        with suppress(Stuck):
            here.driver.wait_for(lambda: missing(here, told) == [], "everything to be kept and drawn", within_s=40)
            return
    assert missing(here, told) == []


def errors(log: str) -> list[str]:
    return [line for line in log.splitlines() if json.loads(line)["level"] == "error"]

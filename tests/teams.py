"""Three teams on the running bot, from mitigation to the pre-read: what each person and the channel read, in order.

`.venv/bin/python -m tests.teams` plays them anew and writes down what was said, for a person to read.
"""

import json
import re
import sqlite3
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from bot.manifest import manifest
from bot.sandbox.demo import free_port
from bot.sandbox.driver import Driver, words_of
from bot.sandbox.server import in_thread
from bot.sandbox.troupe import bot_running, environment

Json = dict[str, Any]
CHANNEL = "inc-42-checkout"
TUESDAY = datetime(2026, 11, 17, 9, 0, tzinfo=UTC)
STEP, AWAKE = timedelta(hours=4), timedelta(minutes=31)
"""So far time goes at once, and so seldom the bot notes that it is awake."""
TOLD = Path(__file__).parent / "told"
"""What was said in each play, as a person read it and found it right."""
DATE = re.compile(r"<!date\^(\d+)\^([^|^]+)[^|]*\|[^>]*>")
LINK = re.compile(r"<https://[^|>]*\|([^>]*)>")
MENTION = re.compile(r"<([@#])(\w+)(?:\|[^>]*)?>")


@dataclass(frozen=True, kw_only=True)
class Cast:
    """A team: names to zones, who of them leads, and the groups they are in."""

    zones: Mapping[str, str]
    lead: str
    groups: Mapping[str, Sequence[str]] = field(default_factory=dict[str, Sequence[str]])
    policy: str = ""
    """The policy file, where this house has one."""

    @property
    def seed(self) -> Json:
        """The workspace, with the incident's channel an hour old."""
        members = list(self.zones)
        created = f"{TUESDAY - timedelta(hours=1):%Y-%m-%dT%H:%M:%SZ}"
        return {
            "users": [{"name": name, "real_name": name.capitalize(), "tz": zone} for name, zone in self.zones.items()],
            "channels": [{"name": CHANNEL, "members": members, "created": created}],
            "usergroups": [{"handle": handle, "users": list(users)} for handle, users in self.groups.items()],
        }


@dataclass
class Play:
    """A play under way: what people do, and what is waited for."""

    cast: Cast
    driver: Driver
    database: Path
    since: datetime = TUESDAY

    def types(self, user: str, text: str) -> None:
        answer = self.driver.type(user, CHANNEL, text)
        assert "trouble" not in answer, answer

    def says(self, *lines: tuple[str, str]) -> None:
        """One line a minute."""
        for minute, (user, text) in enumerate(lines, start=1):
            self.until(TUESDAY + timedelta(minutes=minute))
            self.driver.say(user, CHANNEL, text)

    def hears(self, user: str, pattern: str) -> None:
        """Wait until this person reads that in their direct messages."""
        self.driver.wait_for_words("dm", f"(?s){pattern}", user)

    def all_hear(self, pattern: str) -> None:
        self.driver.wait_for_words(CHANNEL, f"(?s){pattern}")

    def presses(self, user: str, label: str) -> None:
        self.driver.press(user, "dm", f"^{label}$")

    def answers(self, user: str, pattern: str, label: str) -> None:
        """They read something in a direct message, and press a button under it."""
        self.hears(user, pattern)
        self.presses(user, label)

    def until(self, moment: datetime) -> None:
        """Let time pass a few hours at a time: the bot is there all the while."""
        while self.driver.now < moment:
            self.driver.move_clock_to(min(moment, self.driver.now + STEP))
            self.driver.wait_for(self._is_awake, "the bot to look at the time")

    def has_met(self, *users: str) -> None:
        """Wait until the bot has read their profiles, which takes a while in a large channel."""
        self.driver.wait_for(lambda: self._unmet(users) == set(), "the bot to have met them", within_s=600)

    def _unmet(self, users: Sequence[str]) -> set[str]:
        with closing(sqlite3.connect(self.database)) as db:
            met = {user for (user,) in db.execute("SELECT user_id FROM people WHERE read_at IS NOT NULL")}
        return {f"U0{user.upper()}" for user in users} - met

    def _is_awake(self) -> bool:
        with closing(sqlite3.connect(self.database)) as db:
            (awake,) = db.execute("SELECT awake_at FROM workspaces").fetchone()
        return bool(awake) and datetime.fromisoformat(awake).replace(tzinfo=UTC) >= self.driver.now - AWAKE

    # What happens in each of them.

    def is_over(self, at: datetime) -> None:
        """From here on it is remembered what was said; the lead says what happened, and is offered an hour."""
        lead = self.cast.lead
        self.until(at)
        self.since = self.driver.now
        self.types(lead, "mitigated")
        self.types(lead, "summary It failed for a few minutes. Going back to what we knew ended it.")
        self.hears(lead, "I suggest")

    def is_booked(self) -> None:
        self.presses(self.cast.lead, "Book .*")
        self.all_hear(" meets on ")

    def reads_the_pre_read(self) -> None:
        self.until(self.meets_at() - timedelta(hours=24) + timedelta(minutes=1))
        self.all_hear("Before the review")

    def meets_at(self) -> datetime:
        """The hour that was announced last."""
        said = [words_of(message) for message in self.driver.messages(CHANNEL)]
        stamps = [int(found[1]) for words in said if " meets on " in words for found in [DATE.search(words)] if found]
        return datetime.fromtimestamp(stamps[-1], UTC)

    def told(self) -> str:
        """All that the bot said by itself: in the channel, then to each person, hours in the reader's zone."""
        parts = [f"In #{CHANNEL}", *self._said(CHANNEL, self.cast.lead, None)]
        for user in self.cast.zones:
            said = self._said("dm", user, user)
            parts += [f"To {user} ({self.cast.zones[user]})", *said] if said else []
        return "\n\n".join(parts) + "\n"

    def came(self) -> list[tuple[str, datetime]]:
        """Who got a direct message unasked, and when by their clock."""
        came = [(user, one) for user in self.cast.zones for one in self.driver.messages("dm", user)]
        zones = {user: ZoneInfo(zone) for user, zone in self.cast.zones.items()}
        return [
            (user, datetime.fromtimestamp(float(one["ts"]), zones[user])) for user, one in came if self._is_told(one)
        ]

    def _said(self, place: str, reader: str, user: str | None) -> list[str]:
        messages = self.driver.messages(place, user) if user else self.driver.messages(place)
        return [self._read(one, reader) for one in messages if self._is_told(one)]

    def _is_told(self, message: Json) -> bool:
        is_ours = message.get("bot_id") and not message.get("is_ephemeral")
        is_asked_for = "I have read" in words_of(message)
        return bool(is_ours) and not is_asked_for and float(message["ts"]) >= self.since.timestamp()

    def _read(self, message: Json, reader: str) -> str:
        zone = ZoneInfo(self.cast.zones[reader])
        state = self.driver.get("state")
        names = {one["id"]: one["name"] for one in [*state["users"], *state["channels"]] if one.get("name")}
        words = DATE.sub(lambda found: _dated(found, zone), words_of(message))
        named = LINK.sub(r"<\1>", MENTION.sub(lambda found: found[1] + names.get(found[2], found[2]), words))
        files = [f"({one['name']})" for one in message.get("files") or []]
        return "\n".join([named, *files, " ".join(f"[{label}]" for label in _labels(message))]).strip()


def _labels(message: Json) -> Iterator[str]:
    for block in message.get("blocks") or []:
        for element in block.get("elements") or [] if block.get("type") == "actions" else []:
            yield (element.get("text") or element.get("placeholder") or {}).get("text", "")


def _dated(found: re.Match[str], zone: ZoneInfo) -> str:
    at = datetime.fromtimestamp(int(found[1]), zone)
    return found[2].replace("{date_short_pretty}", f"{at:%a %d %b}").replace("{time}", f"{at:%H:%M}")


@contextmanager
def on_stage(cast: Cast) -> Iterator[Play]:
    """The workspace with this team in it, and the bot beside it."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        seed = folder / "seed.json"
        seed.write_text(json.dumps(cast.seed))
        with in_thread(port=0, seed=seed, manifest=manifest(), now=TUESDAY) as slack:
            env = environment(slack.api_url, folder, free_port())
            if cast.policy:
                (folder / "policy.toml").write_text(cast.policy)
                env["DEBRIEF_POLICY"] = str(folder / "policy.toml")
            with bot_running(env, folder / "bot.log"):
                play = Play(cast, Driver(slack.url), folder / "debrief.db")
                play.driver.wait_for(lambda: play.driver.get("state")["connections"], "the bot to connect")
                yield play


# Three people in one zone --------------------------------------------------------------------

THREE = Cast(zones={"ada": "Europe/Berlin", "ben": "Europe/Berlin", "cho": "Europe/Berlin"}, lead="ada")


def three(play: Play) -> None:
    """Everybody responded, so one of them leads the meeting all the same."""
    play.types("ada", "open sev2 Checkout is slow")
    play.says(
        ("ben", "the connection pool is exhausted"),
        ("cho", "errors since the deployment of v41"),
        ("ben", "restarting the pods"),
        ("ben", "no change after the restart"),
        ("cho", "rolled back to v40, errors are going down"),
    )
    play.is_over(TUESDAY + timedelta(minutes=20))
    play.presses("ada", "Keep the .* suggested")
    play.is_booked()
    play.driver.pass_time(31 * 60)
    play.answers("cho", "Would you lead it", "Take it")
    play.all_hear("leads the review meeting")
    play.answers("ben", "Would you write", "Take it")
    play.reads_the_pre_read()


# Nine people in Sydney, Berlin and San Francisco ------------------------------------------------

SYDNEY, BERLIN, FRISCO = "Australia/Sydney", "Europe/Berlin", "America/Los_Angeles"
NINE = Cast(
    zones={
        **dict.fromkeys(("ava", "bao", "cat"), SYDNEY),
        **dict.fromkeys(("dan", "eva", "fin"), BERLIN),
        **dict.fromkeys(("gil", "hal", "ivy"), FRISCO),
    },
    lead="dan",
    groups={"storage": ("ava", "bao", "cat"), "checkout": ("dan", "eva", "fin"), "edge": ("gil", "hal", "ivy")},
)


def nine(play: Play) -> None:
    """No hour suits everybody: it is said whose evening it is."""
    play.types("dan", "open sev1 Uploads time out")
    play.says(
        ("dan", "uploads time out in Europe"),
        ("eva", "the queue grows by 1,000 a minute"),
        ("fin", "I page storage"),
        ("ava", "storage here, one node has a full disk"),
        ("bao", "draining the node"),
        ("cat", "the replica takes over"),
        ("gil", "the edge still sends to the old node"),
        ("hal", "flushed the routes of the edge"),
        ("ivy", "uploads are back everywhere"),
        ("ava", "the disk is at 60 % again"),
    )
    play.is_over(TUESDAY + timedelta(hours=5))
    for words in (
        "10:05 the node of storage had a full disk",
        "10:07 storage drained the node",
        "10:09 routes flushed",
    ):
        play.types("dan", f"event {words}")
    play.is_booked()
    play.until(TUESDAY + timedelta(hours=8, minutes=30))
    play.answers("gil", "Would you lead it", "Take it")
    play.all_hear("leads the review meeting")
    play.answers("hal", "Would you write", "Pass")
    play.until(TUESDAY + timedelta(hours=24))
    play.hears("dan", "nobody writes at it yet")
    play.reads_the_pre_read()


# A channel of ninety people, for Slack tells of a hundred a minute ------------------------------

LONDON = "Europe/London"
RESPONDERS = ("lea", "max", "nia", "oli", "pia", "quy", "rex")
MANY = Cast(
    zones=dict.fromkeys((*RESPONDERS, "sue", "tom", "uma", *(f"reader{number:03}" for number in range(80))), LONDON),
    lead="lea",
    groups={
        "payments": ("max", "nia"),
        "platform": ("oli", "pia"),
        "data": ("quy", "rex"),
        "review-leads": ("tom", "uma"),
    },
    policy="""
[facilitators]
groups = ["review-leads"]

[business]
support = ["U0SUE"]
""",
)


def many(play: Play) -> None:
    """Most only read along; a pool leads, and support speaks for those who called."""
    play.types("lea", "open sev2 Payments fail")
    play.has_met(*RESPONDERS, "reader007", "sue", "tom", "uma")
    play.says(
        ("max", "payments fail since 9:00"),
        ("nia", "the bank's certificate has expired"),
        ("oli", "installing the new one"),
        ("pia", "the new one is not trusted by the proxy"),
        ("quy", "2,300 payments failed so far"),
        ("rex", "they can be sent again"),
        ("oli", "trusted now, payments go through"),
        ("reader007", "thanks all"),
    )
    for words in ("9:02 the bank's certificate had expired", "9:07 payments went through again"):
        play.types("lea", f"event {words}")
    play.types("lea", "impact")
    play.driver.fill("lea", customers="2,300 buyers", functions="Support", inquiries="180")
    play.is_over(TUESDAY + timedelta(minutes=40))
    play.is_booked()
    play.driver.pass_time(31 * 60)
    play.answers("tom", "Would you lead it", "Pass")
    play.answers("uma", "Would you lead it", "Take it")
    play.all_hear("leads the review meeting")
    play.answers("max", "Would you write", "Take it")
    play.reads_the_pre_read()


PLAYS: Mapping[str, tuple[Cast, Callable[[Play], None]]] = {
    "three": (THREE, three),
    "nine": (NINE, nine),
    "many": (MANY, many),
}


@dataclass(frozen=True)
class Outcome:
    """What was said in a play, when each direct message came by the clock of whoever got it, what Slack refused."""

    words: str
    came: list[tuple[str, datetime]]
    violations: list[Json]


def played(name: str) -> Outcome:
    """Play it from the beginning."""
    cast, scenes = PLAYS[name]
    with on_stage(cast) as play:
        scenes(play)
        return Outcome(play.told(), play.came(), play.driver.get("log")["violations"])


def write_down() -> None:
    TOLD.mkdir(exist_ok=True)
    for name in PLAYS:
        (TOLD / f"{name}.txt").write_text(played(name).words, "utf-8")


if __name__ == "__main__":
    write_down()

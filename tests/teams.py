"""Teams on the running bot, each on its way through a review: what each person and the channel read, in order.

`.venv/bin/python -m tests.teams` plays them anew and writes down what was said, for a person to read.
"""

import json
import re
import sqlite3
import tempfile
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal
from zoneinfo import ZoneInfo

from click.testing import CliRunner

from bot.cli import main
from bot.manifest import manifest
from bot.sandbox.demo import free_port
from bot.sandbox.driver import Driver, Stuck, words_of
from bot.sandbox.server import in_thread
from bot.sandbox.troupe import bot_running, environment
from tests.mailboxes import CalendarOfSomebody, PostOffice, enclosed, post_office_in_thread
from tests.settling import Settling

Json = dict[str, Any]
CHANNEL, UPLOADS = "inc-42-checkout", "inc-43-uploads"
TUESDAY = datetime(2026, 11, 17, 9, 0, tzinfo=UTC)
STEP, AWAKE, A_MINUTE = timedelta(hours=4), timedelta(minutes=31), timedelta(minutes=1)
"""So far time goes at once, and so seldom the bot notes that it is awake."""
MAIL = "sandbox.example"
OURS = ("seed.json", "policy.toml")
"""Files that are not the bot's."""
TOLD = Path(__file__).parent / "told"
"""What was said in each play, as a person read it and found it right."""
DATE = re.compile(r"<!date\^(\d+)\^([^|^]+)[^|]*\|[^>]*>")
LINK = re.compile(r"<https://[^|>]*\|([^>]*)>")
MENTION = re.compile(r"<([@#])(\w+)(?:\|[^>]*)?>")
BY_CHANCE = re.compile(r"(?<=Archive witness `)\w+|(?<=Someone )[0-9A-F]{6}\b")
"""What is keyed or drawn, and so another one each time."""


@dataclass(frozen=True, kw_only=True)
class Cast:
    """A team: names to zones, who of them leads, and the groups they are in."""

    zones: Mapping[str, str]
    lead: str
    groups: Mapping[str, Sequence[str]] = field(default_factory=dict[str, Sequence[str]])
    policy: str = ""
    """The policy file, where this house has one."""
    channels: Sequence[str] = (CHANNEL,)
    over: Literal["sockets", "http"] = "sockets"
    """How Slack reaches the bot."""
    letters: Literal["none", "by bad luck"] = "none"
    """Whether there is a mail server, on which the first letters have one accident after the other."""

    @property
    def seed(self) -> Json:
        """The workspace, with the incident's channel an hour old."""
        members = list(self.zones)
        created = f"{TUESDAY - timedelta(hours=1):%Y-%m-%dT%H:%M:%SZ}"
        return {
            "users": [self._profile(name) for name in members],
            "channels": [{"name": name, "members": members, "created": created} for name in self.channels],
            "usergroups": [{"handle": handle, "users": list(users)} for handle, users in self.groups.items()],
        }

    def _profile(self, name: str) -> Json:
        email = f"{name}@{MAIL}"
        return {"name": name, "real_name": name.capitalize(), "tz": self.zones[name], "email": email}


@dataclass
class Play(Settling):
    """A play under way: what people do, and what is waited for."""

    cast: Cast
    driver: Driver
    env: dict[str, str]
    office: PostOffice
    since: datetime = TUESDAY
    place: str = CHANNEL
    """Where they type, speak and press."""
    named: tuple[dict[str, int], ...] = ()
    """Files that name somebody before and after they were forgotten, and at the end, and how often."""
    post: tuple[Counter[str], Counter[str]] = (Counter(), Counter())
    """What became of the letters, and how many meetings the calendar of each shows who got one."""

    @property
    def folder(self) -> Path:
        return Path(self.env["DEBRIEF_DATA_DIR"])

    @property
    def database(self) -> Path:
        return self.folder / "debrief.db"

    def types(self, user: str, text: str) -> None:
        answer = self.driver.type(user, self.place, text)
        assert "trouble" not in answer, answer

    def says(self, *lines: tuple[str, str]) -> None:
        """One line a minute."""
        for minute, (user, text) in enumerate(lines, start=1):
            self.until(TUESDAY + timedelta(minutes=minute))
            self.driver.say(user, self.place, text)

    def hears(self, user: str, pattern: str) -> None:
        """Wait until this person reads that in their direct messages."""
        self.driver.wait_for_words("dm", f"(?s){pattern}", user)

    def all_hear(self, pattern: str) -> Json:
        return self.driver.wait_for_words(self.place, f"(?s){pattern}")

    def presses(self, user: str, label: str) -> None:
        self.driver.press(user, "dm", f"^{label}$")

    def presses_here(self, user: str, label: str) -> None:
        self.driver.press(user, self.place, f"^{label}$")

    def fills_in(self, user: str, label: str, **values: Any) -> None:
        """They press a button here that opens a form, and send it."""
        self.presses_here(user, label)
        self.sends(user, **values)

    def sends(self, user: str, **values: Any) -> None:
        """They send the form that is open."""
        answer = self.driver.fill(user, **values)
        assert answer["ok"], answer

    def answers(self, user: str, pattern: str, label: str) -> None:
        """They read something in a direct message, and press a button under it."""
        self.hears(user, pattern)
        self.presses(user, label)

    def until(self, moment: datetime) -> None:
        """Let time pass a few hours at a time: the bot is there all the while, and says what is due before each."""
        while self.driver.now < moment:
            if moment - self.driver.now > A_MINUTE:
                self.settles()
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
        self.all_hear("The same timeline as a picture")

    def publishes(self, user: str) -> None:
        self.types(user, "publish")
        self.presses_here(user, "Yes, publish")
        self.all_hear("published this report")

    def finds_calendar_files(self, number: int) -> None:
        def found() -> bool:
            return sum("for your calendar" in words_of(one) for one in self.driver.messages(self.place)) == number

        self.driver.wait_for(found, "the files for calendars")

    def offered(self, user: str) -> str:
        """The first further hour in the form that is open."""
        (view,) = self.driver.get(f"views/{user}")["views"]
        (menu,) = [block for block in view["blocks"] if block["block_id"] == "offer"]
        return menu["element"]["options"][0]["value"]

    def channel_id(self) -> str:
        return next(one["id"] for one in self.driver.get("state")["channels"] if one.get("name") == self.place)

    def replies(self, root: str) -> list[str]:
        return [one["ts"] for one in self.driver.messages(self.place) if one.get("thread_ts") == root != one["ts"]]

    def forgets(self, user: str) -> None:
        """As whoever runs the bot does, beside it."""
        done = CliRunner().invoke(main, ["erase-user", f"U0{user.upper()}", "--yes"], env=self.env)
        assert "No trace of them is left" in done.output, done.output

    def naming(self, *words: str) -> dict[str, int]:
        """How often the files of this house, and what is exported of it, say one of these words; none where none do."""
        files = {one.name: one.read_bytes() for one in self.folder.rglob("*") if one.is_file() and one.name not in OURS}
        exported = {form: self._exported(form) for form in ("json", "md")}
        held = {name: sum(held.count(word.encode()) for word in words) for name, held in (files | exported).items()}
        return {name: count for name, count in held.items() if count}

    def _exported(self, form: str) -> bytes:
        done = CliRunner().invoke(main, ["export", self.place, "--format", form], env=self.env, catch_exceptions=False)
        assert done.exit_code == 0, done.stderr
        return done.stdout_bytes

    def names_nobody(self, *words: str) -> dict[str, int]:
        """The same once the bot has swept its files, or in vain waited for that."""
        with suppress(Stuck):
            self.driver.wait_for(lambda: not self.naming(*words), "the files to be swept")
        return self.naming(*words)

    def meets_at(self) -> datetime:
        """The hour that was announced last."""
        said = [words_of(message) for message in self.driver.messages(CHANNEL)]
        stamps = [int(found[1]) for words in said if " meets on " in words for found in [DATE.search(words)] if found]
        return datetime.fromtimestamp(stamps[-1], UTC)

    def letters(self) -> Counter[str]:
        """What became of the letters."""
        with closing(sqlite3.connect(self.database)) as db:
            return Counter(state for (state,) in db.execute("SELECT state FROM outbox WHERE kind = 'letter'"))

    def calendars(self) -> Counter[str]:
        """What the letters come to, taken in by the calendar of whoever got them."""
        taken: dict[str, CalendarOfSomebody] = defaultdict(CalendarOfSomebody)
        for (_, (to,)), letter in zip(self.office.envelopes, self.office.letters, strict=True):
            taken[to.partition("@")[0]].take_in(enclosed(letter))
        return Counter({user: len(calendar.shown) for user, calendar in taken.items()})

    def told(self) -> str:
        """All that the bot said by itself: in the channel, then to each person, hours in the reader's zone."""
        parts: list[str] = []
        for channel in self.cast.channels:
            parts += [f"In #{channel}", *self._said(channel, self.cast.lead, None)]
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
        is_asked_for = re.search("I have read|^The light review of", words_of(message).replace("*", ""))
        return bool(is_ours) and not is_asked_for and float(message["ts"]) >= self.since.timestamp()

    def _read(self, message: Json, reader: str) -> str:
        zone = ZoneInfo(self.cast.zones[reader])
        state = self.driver.get("state")
        names = {one["id"]: one["name"] for one in [*state["users"], *state["channels"]] if one.get("name")}
        words = BY_CHANCE.sub("…", DATE.sub(lambda found: _dated(found, zone), words_of(message)))
        named = LINK.sub(r"<\1>", MENTION.sub(lambda found: found[1] + names.get(found[2], found[2]), words))
        files = [f"({one['name']})" for one in message.get("files") or [] if "name" in one]
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
    with tempfile.TemporaryDirectory() as name, post_office_in_thread() as office:
        folder, port = Path(name), free_port()
        seed = folder / "seed.json"
        seed.write_text(json.dumps(cast.seed))
        door = {"http_url": f"http://127.0.0.1:{port}/slack/events"} if cast.over == "http" else {}
        with in_thread(port=0, seed=seed, manifest=manifest(), now=TUESDAY, **door) as slack:
            env = environment(slack.api_url, folder, port, http=cast.over == "http") | _house(cast, folder, office)
            with bot_running(env, folder / "bot.log"):
                play = Play(cast, Driver(slack.url), env, office)
                if cast.over == "sockets":
                    play.driver.wait_for(lambda: play.driver.get("state")["connections"], "the bot to connect")
                yield play


def _house(cast: Cast, folder: Path, office: PostOffice) -> dict[str, str]:
    """The settings of this house."""
    house: dict[str, str] = {}
    if cast.policy:
        (folder / "policy.toml").write_text(cast.policy)
        house["DEBRIEF_POLICY"] = str(folder / "policy.toml")
    if cast.letters == "by bad luck":
        office.at_rcpt.extend(["reset_at_rcpt", "451 4.7.1 Greylisted"] * 2)
        office.at_data.extend(["reset_after_data", "451 4.3.0 Out of disk"])
        house["DEBRIEF_SMTP_URL"] = f"smtp+plain://127.0.0.1:{office.port}"
        house["DEBRIEF_MAIL_FROM"] = f"Debrief <debrief@{MAIL}>"
    return house


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


# A channel of 150 people ------------------------------------------------------------------------

LONDON = "Europe/London"
RESPONDERS = ("lea", "max", "nia", "oli", "pia", "quy", "rex")
MANY = Cast(
    zones=dict.fromkeys((*RESPONDERS, "sue", "tom", "uma", *(f"reader{number:03}" for number in range(140))), LONDON),
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
    over="http",
    letters="by bad luck",
)
MAX = ("U0MAX", f"max@{MAIL}")
SURPRISED = "The bank had written to us a month ago"


def many(play: Play) -> None:
    """Most only read along; a pool leads, and support speaks for those who called. Somebody is forgotten meanwhile."""
    _payments_fail(play)
    play.fills_in("lea", "How grave was it[?]", customers="some", regions="one", launch="no")
    play.presses_here("lea", "Make it sev2")
    play.presses("lea", "Other times")
    play.sends("lea", offer=play.offered("lea"))
    play.finds_calendar_files(1)
    play.presses("lea", "A team meets first…")
    play.sends("lea", team="S0PAYMENTS", when=int((TUESDAY + timedelta(hours=25)).timestamp()))
    play.all_hear("among yourselves|This is the room of")
    play.finds_calendar_files(2)
    play.presses_here("nia", "I’ll come")
    play.driver.pass_time(31 * 60)
    play.answers("tom", "Would you lead it", "Pass")
    play.answers("uma", "Would you lead it", "Take it")
    play.all_hear("leads the review meeting")
    play.answers("max", "Would you write", "Take it")
    play.until(TUESDAY + timedelta(hours=25))
    play.fills_in("max", "Note what we found…", kind="risk", text="Two more certificates end this month")
    play.presses_here("max", "We are done")
    play.all_hear("has spoken of .* and found one thing")
    play.reads_the_pre_read()
    play.fills_in("max", "Answer in private", text=SURPRISED)
    play.post = (play.letters(), play.calendars())
    named = play.naming(*MAX)
    play.forgets("max")
    forgotten = play.names_nobody(*MAX)
    play.until(play.meets_at())
    play.types("uma", "start")
    play.presses_here("uma", "Yes, start")
    play.all_hear("^Review of Payments fail")
    play.types("uma", "reveal")
    play.all_hear(f"Note.*{SURPRISED}")
    play.named = (named, forgotten, play.names_nobody(*MAX))


def _payments_fail(play: Play) -> None:
    """From the first message to the end of the impact, and what it came to."""
    # Slack tells of a hundred people a minute, and nobody waits here for that.
    play.driver.do("fault", rate_limits="off")
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


# Two reviews without a meeting -----------------------------------------------------------------

WAYS = Cast(
    zones={"ada": BERLIN, "ben": BERLIN, "cho": FRISCO, "dee": BERLIN},
    lead="ada",
    channels=(CHANNEL, UPLOADS),
    over="http",
)


def ways(play: Play) -> None:
    """One is led through alone, the other happens in threads; both are published, and what they ask for is promised."""
    play.types("ada", "open sev3 Checkout is slow")
    play.says(("dee", "the connection pool is exhausted"), ("dee", "rolled back to v40, errors are going down"))
    play.place = UPLOADS
    play.types("ben", "open sev2 Uploads fail")
    play.has_met(*WAYS.zones)
    play.says(("ben", "the disk is full"), ("cho", "deleting old files"), ("cho", "uploads work again"))
    play.until(TUESDAY + timedelta(minutes=20))
    play.since = play.driver.now
    play.place = CHANNEL
    _alone(play)
    play.place = UPLOADS
    _in_threads(play)
    play.driver.pass_time(31 * 60)
    play.place = CHANNEL
    play.answers("ada", "The draft of the report", "Approve")
    play.publishes("ada")
    play.until(TUESDAY + timedelta(hours=27))
    play.place = UPLOADS
    play.all_hear("Half of the time is over")
    play.presses_here("ben", "Close it now")
    play.all_hear("in threads has ended")
    play.driver.pass_time(31 * 60)
    play.answers("ben", "The draft of the report", "Approve")
    play.publishes("ben")
    play.until(TUESDAY + timedelta(hours=49))
    play.hears("dee", "waits for your answer")
    play.presses("dee", "Commit 1")


def _alone(play: Play) -> None:
    """Every step of a light review, by its buttons and forms."""
    play.types("ada", "mitigated 10:15")
    play.types("ada", "began 9:50")
    play.types("ada", "schedule light")
    play.answers("ada", "1 of 8", "Write them")
    play.sends("ada", happened="The pool was exhausted.", felt="Checkout was slow.", fixed="We went back to v40.")
    play.presses("ada", "Fill in the impact")
    play.sends("ada", customers="one in five")
    play.answers("ada", "1 of 8", "Next")
    play.answers("ada", "2 of 8", "Add an event")
    play.sends("ada", text="rolled back to v40", when=int((TUESDAY + timedelta(minutes=12)).timestamp()))
    play.answers("ada", "2 of 8", "Next")
    play.answers("ada", "3 of 8", "Note one")
    play.sends("ada", text="Nobody knew how many connections v41 takes")
    for step in (3, 4, 5, 6):
        play.answers("ada", f"{step} of 8", "Next")
    play.answers("ada", "7 of 8", "Propose an action")
    play.sends("ada", text="Alert on the pool", owner="U0DEE")
    play.answers("ada", "7 of 8", "Next")
    play.answers("ada", "8 of 8", "Close it")
    play.hears("ada", "is done")


def _in_threads(play: Play) -> None:
    """Questions that several people answer, by the buttons under them and by replies that are kept."""
    play.types("ben", "mitigated 10:15")
    play.types("ben", "began 9:50")
    play.answers("ben", "I suggest", "In threads instead")
    root = play.all_hear("What wider hazard")["ts"]
    play.all_hear("5 of 5")
    play.fills_in("ben", "Write the summary", happened="The disk was full.", felt="Uploads failed.")
    play.fills_in("cho", "Fill in the impact", customers="one in ten")
    play.fills_in("cho", "Note a mitigator", text="Old files could be deleted at once")
    play.driver.say("ben", UPLOADS, "No other node watches its disk either", thread_ts=root)
    play.presses_here("dee", "Keep from the replies")
    play.sends("dee", **{f"reply {play.channel_id()} {play.replies(root)[-1]}": "risk"})
    play.fills_in("ben", "Propose an action", text="Alert on 80 % of the disk", owner="U0CHO")
    play.all_hear("open questions: 1 noted.*1 proposed")
    play.presses_here("ben", "A day more")


PLAYS: Mapping[str, tuple[Cast, Callable[[Play], None]]] = {
    "three": (THREE, three),
    "nine": (NINE, nine),
    "many": (MANY, many),
    "ways": (WAYS, ways),
}


@dataclass(frozen=True)
class Outcome:
    """What was said in a play, when each direct message came by the clock of whoever got it, what Slack refused."""

    words: str
    came: list[tuple[str, datetime]]
    violations: list[Json]
    named: tuple[dict[str, int], ...]
    """Files that name somebody before and after they were forgotten, and at the end, and how often."""
    post: tuple[Counter[str], Counter[str]]
    """What became of the letters, and how many meetings the calendar of each shows who got one."""


def played(name: str) -> Outcome:
    """Play it from the beginning."""
    cast, scenes = PLAYS[name]
    with on_stage(cast) as play:
        scenes(play)
        violations = play.driver.get("log")["violations"]
        return Outcome(play.told(), play.came(), violations, play.named, play.post)


def write_down() -> None:
    TOLD.mkdir(exist_ok=True)
    for name in PLAYS:
        (TOLD / f"{name}.txt").write_text(played(name).words, "utf-8")


if __name__ == "__main__":
    write_down()

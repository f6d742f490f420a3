"""A meeting of sixty minutes on the virtual clock, in which the bot is killed; and who judges what came of it."""

import re
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from bot.sandbox.driver import Driver, words_of
from tests.reliability.town import CHANNEL, EVENING, LEAD, OWNER, RESPONDER, Town, town

Json = dict[str, Any]
TOPICS = ("opening", "summary", "timeline", "findings", "actions", "close")
KILLED_AT, MINUTES = 23, 60
STEPS = {3: "next", 7: "next", 12: "extend 5", 42: "go findings", 51: "next", 56: "next"}
"""What the facilitator types, at which minute."""


@dataclass
class Meeting:
    """The meeting as its channel shows it, and how far it is."""

    here: Town
    minute: int = 0
    since: str = ""
    opens_at: datetime = EVENING

    @property
    def driver(self) -> Driver:
        return self.here.driver

    def prepare(self) -> None:
        said = self.driver.say(RESPONDER, CHANNEL, "rolled back checkout to 41")
        self.driver.do("react", user=LEAD, channel=CHANNEL, ts=said, emoji="pushpin")
        self.here.types(LEAD, "event 13:10 decided to roll back", "mitigated 14:00")
        self.since = self.driver.wait_for_words(CHANNEL, "Mitigated at")["ts"]
        self.opens_at = self.driver.now
        self.here.types(LEAD, "start")
        self.here.waits_for_agenda("1 of 6")

    def sit_until(self, minute: int) -> None:
        """The minutes pass, and the facilitator types what is due."""
        while self.minute < minute:
            self.minute += 1
            # The virtual clock goes on by itself between two moves.
            self.driver.move_clock_to(self.opens_at + timedelta(minutes=self.minute))
            if self.minute in STEPS:
                self.here.types(LEAD, STEPS[self.minute])

    def shows(self, pattern: str) -> None:
        self.here.waits_for_agenda(pattern)

    def notes(self, kind: str, text: str) -> None:
        self.here.types(OWNER, f"{kind} {text}")

    def posted(self) -> list[Json]:
        """What the bot said in the channel since the meeting was opened, threads left out."""
        messages = [m for m in self.driver.messages(CHANNEL) if m["ts"] > self.since and m.get("bot_id")]
        return [m for m in messages if m.get("thread_ts", m["ts"]) == m["ts"]]

    def agenda(self) -> Json:
        return next(m for m in reversed(self.posted()) if words_of(m).startswith("Review of"))

    def thread(self) -> list[str]:
        ts = self.agenda()["ts"]
        return [words_of(m) for m in self.driver.messages(CHANNEL) if m.get("thread_ts") == ts and m["ts"] != ts]

    def waits_for_thread(self, lines: int) -> None:
        """Wait until so much stands in the thread; what Slack took unheard is looked up only after the grace."""
        self.driver.wait_for(lambda: len(self.thread()) >= lines, f"{lines} lines in the thread", within_s=120)

    def topic(self) -> str:
        found = re.search(r"^\*(\d) of 6", words_of(self.agenda()), re.MULTILINE)
        return TOPICS[int(found[1]) - 1] if found else "none"


@contextmanager
def a_meeting(folder: Path) -> Iterator[Meeting]:
    with town(folder) as here:
        meeting = Meeting(here)
        meeting.prepare()
        yield meeting


@dataclass(frozen=True)
class Judged:
    """What came of the meeting; `flaws` is empty where it was one meeting."""

    flaws: list[str]
    minutes: list[tuple[str, int, int]]
    """Topic, planned and spent minutes."""


def play(meeting: Meeting, *, lost: Path | None = None) -> Judged:
    """The meeting with the power cut in it; `lost` is a copy of the database that stands in its place afterwards."""
    meeting.sit_until(KILLED_AT)
    meeting.shows("3 of 6")
    before, topic = meeting.agenda()["ts"], meeting.topic()
    meeting.notes("contributor", "technical: no load test")
    meeting.here.kill()
    if lost:
        restore(lost, meeting.here)
    meeting.here.start()
    meeting.here.settles()
    flaws = ["another message"] * (meeting.agenda()["ts"] != before) + ["another topic"] * (meeting.topic() != topic)
    meeting.notes("risk", "one of us knows the tool")
    meeting.sit_until(MINUTES)
    meeting.here.types(LEAD, "end")
    meeting.shows("The meeting has ended")
    return judge(meeting, flaws)


def judge(meeting: Meeting, flaws: list[str]) -> Judged:
    minutes = [
        (topic["name"], topic["planned_s"] // 60, round(topic["spent_s"] / 60))
        for topic in meeting.here.review()["review"]["meetings"][0]["topics"]
    ]
    planned, spent = sum(planned for _, planned, _ in minutes), sum(spent for *_, spent in minutes)
    flaws += ["planned"] * (planned != MINUTES) + ["spent"] * (spent != MINUTES)
    flaws += ["too many messages"] * (len(meeting.posted()) > len(TOPICS))
    flaws += ["a topic without a minute"] * any(topic[1] < 1 for topic in minutes)
    return Judged(flaws, minutes)


# The database, kept and lost -----------------------------------------------------------------


def keep(here: Town, to: Path) -> Path:
    """A copy of the database as it is now."""
    with sqlite3.connect(database_of(here)) as kept, sqlite3.connect(to) as copy:
        kept.backup(copy)
    return to


def restore(lost: Path, here: Town) -> None:
    file = database_of(here)
    for beside in file.parent.glob(f"{file.name}-*"):
        beside.unlink()
    shutil.copy(lost, file)


def database_of(here: Town) -> Path:
    return Path(here.env["DEBRIEF_DATA_DIR"]) / "debrief.db"

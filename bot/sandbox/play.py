"""One whole review, played on the sample incident by the people in it: from a pinned message to the last action."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from bot.sandbox.driver import Driver, Json, words_of

LEAD, FACILITATOR, SCRIBE, OWNER, SUPPORT = "tomasz", "mirela", "ifeoma", "ananya", "sinead"
HOME = ZoneInfo("Europe/Berlin")
DATE = re.compile(r"<!date\^(\d+)\^[^|>]*\|([^>]*)>")
MENTION = re.compile(r"<@([A-Z0-9]+)>")
PROPOSED = re.compile(r"Action (\d+) is proposed")
CHANNEL = re.compile(r"<#([A-Z0-9]+)>")
WIDTH = 300
MOST_STOPS = 12


@dataclass
class Review:
    """Plays on a channel that the bot follows; `play` yields the transcript line by line."""

    driver: Driver
    channel: str
    names: dict[str, str] = field(default_factory=dict)
    ids: dict[str, str] = field(default_factory=dict)
    channels: dict[str, str] = field(default_factory=dict)
    seen: str = ""
    agenda: str = ""
    action: str = ""

    def play(self) -> Iterator[str]:
        """The whole review."""
        state = self.driver.get("state")
        self.names = {user["id"]: user["name"] for user in state["users"]}
        self.ids = {name: user for user, name in self.names.items()}
        self.channels = {channel["id"]: channel["name"] for channel in state["channels"]}
        self.seen = self.driver.messages(self.channel)[-1]["ts"]
        yield from self._the_evening()
        yield from self._the_timeline()
        yield from self._the_morning_after()
        yield from self._the_meeting()
        yield from self._the_report()
        yield from self._the_actions()

    # The scenes.

    def _the_evening(self) -> Iterator[str]:
        yield "— Wednesday evening: the incident is over"
        words = "rollback is through, errors are back to normal since 17:27"
        pinned = self.driver.say(LEAD, self.channel, words)
        self.driver.do("react", user=SUPPORT, channel=self.channel, ts=pinned, emoji="pushpin")
        yield f"{SUPPORT} puts 📌 on “rollback is through, …”"
        self.driver.wait_for(lambda: self._carries_memo(pinned), "the memo emoji")
        yield from self._types(LEAD, "severity sev1")
        yield from self._types(LEAD, "began 13:56")
        yield from self._types(LEAD, "detected 13:58")
        yield from self._types(LEAD, "acknowledged 14:09")
        yield from self._types(LEAD, "event 14:56 restarted all checkout pods, which made it worse")
        yield from self._types(LEAD, "mitigated 17:27")
        yield from self._hears(r"Mitigated at")
        yield from self._types(LEAD, "resolved 19:05")
        yield from self._types(
            LEAD,
            "summary A release asked for four times the connections per pod, more than the database has. "
            "For three and a half hours one order in five failed. Going back to v317 ended it.",
        )
        yield from self._types(LEAD, "impact")
        self.driver.fill(LEAD, customers="one order in five", regions="Europe", services="checkout", inquiries="212")
        yield f"{LEAD} fills in what was felt and by whom"

    def _the_timeline(self) -> Iterator[str]:
        yield "— Nobody has written the timeline, and nobody has to"
        yield from self._types(LEAD, "candidates")
        yield from self._presses(LEAD, r"^Keep the \d+ suggested$")
        yield from self._sees_alone(LEAD, "messages are on the timeline now")

    def _the_morning_after(self) -> Iterator[str]:
        yield "— Thursday morning, in Tomasz' working hours"
        self.driver.move_clock_to(self._at(19, 9, 5))
        yield from self._hears(r"was mitigated", place="dm", user=LEAD)
        yield from self._presses(LEAD, r"^Book", place="dm")
        yield from self._hears(r"meets on")
        yield from self._types(LEAD, f"facilitator <@{self.ids[FACILITATOR]}>")
        yield from self._types(LEAD, f"scribe <@{self.ids[SCRIBE]}>")
        self.driver.move_clock_to(self._meets_at() - timedelta(hours=23, minutes=50))
        yield from self._hears(r"^Before the review")

    def _the_meeting(self) -> Iterator[str]:
        yield "— The meeting"
        self.driver.move_clock_to(self._meets_at() - timedelta(minutes=9))
        yield from self._hears(r"begins at")
        self.driver.move_clock_to(self._meets_at())
        yield from self._types(FACILITATOR, "start")
        yield from self._presses(FACILITATOR, "^Yes, start$")
        yield from self._shows_agenda()
        yield from self._presses(OWNER, "^I am here$")
        yield from self._presses(FACILITATOR, "^Help card$")
        yield from self._sees_alone(FACILITATOR, "For you alone, while you lead")
        yield from self._types(FACILITATOR, "recording https://video.example.com/17")
        for topic in ("2 of 6", "3 of 6"):
            self.driver.pass_time(4 * 60)
            yield from self._presses(FACILITATOR, "^Next$")
            yield from self._shows_agenda(topic)
        yield from self._walks_to_what_was_not_known()
        yield from self._types(LEAD, "outcome 11 worse")
        yield from self._types(FACILITATOR, "visit 11")
        yield from self._types(LEAD, "answer 11 the runbook says restart first; each pod took its 40 connections anew")
        yield from self._types(OWNER, "contributor technical: four times the connections per pod")
        yield from self._types(LEAD, "contributor the root cause was the limit of connections")
        yield from self._presses(LEAD, "^Use$")
        yield from self._types(LEAD, "finding 2 merge 1")
        yield from self._types(SUPPORT, "mitigator improvised: half the pods, so that all of them fit the database")
        yield from self._types(SUPPORT, "risk only one of us knows the migration tool")
        yield from self._types(
            OWNER, f"action <@{self.ids[OWNER]}> quick alert when pool waits exceed 200 ms for 5 minutes"
        )
        yield from self._types(FACILITATOR, "park who tells customers in the first half hour")
        yield from self._types(FACILITATOR, "extend 5")
        self.driver.pass_time(40 * 60)
        yield from self._types(FACILITATOR, "go findings")
        yield from self._shows_agenda("4 of 6")
        yield from self._types(SUPPORT, "learning communication: customers heard from us after 98 minutes")
        yield from self._types(FACILITATOR, "go close")
        yield from self._shows_agenda("6 of 6")
        yield from self._types(OWNER, "question how long do pooled connections live after a failover")
        for user in (LEAD, OWNER, SUPPORT, SCRIBE):
            yield from self._presses(user, "^I learned something$")
        self.driver.pass_time(20 * 60)
        yield from self._types(FACILITATOR, "end")
        yield from self._presses(FACILITATOR, "^Yes, end the meeting$")
        yield from self._shows_agenda("has ended")

    def _walks_to_what_was_not_known(self) -> Iterator[str]:
        """On to the first decision of which something was known only later."""
        for stop in range(2, MOST_STOPS):
            if "Not yet known then" in self.agenda:
                break
            yield from self._types(FACILITATOR, "next")
            yield from self._shows_agenda(f"Stop {stop} of")
        yield from self._presses(FACILITATOR, "^Another question$")
        yield from self._shows_agenda("Not yet known then")

    def _the_report(self) -> Iterator[str]:
        yield "— The report"
        yield from self._types(LEAD, "draft")
        yield from self._presses(LEAD, "^Edit it$")
        yield from self._presses(LEAD, "^The first page$")
        self.driver.fill(LEAD, text_2="Half the pods gave air, and going back to v317 ended it.")
        yield from self._sees_alone(LEAD, "Every format of the report")
        yield from self._types(LEAD, "approve")
        general = next(c["id"] for c in self.driver.get("state")["channels"] if c["name"] == "general")
        self.driver.post("invite", user=LEAD, channel="general")
        yield from self._types(LEAD, f"publish <#{general}>")
        yield from self._presses(LEAD, "^Yes, publish$")
        yield from self._hears(r"published this report", place="general")
        yield from self._hears(r"The timeline of this review as a picture", place="general")
        yield from self._types(SUPPORT, "search v317")
        yield from self._types(SUPPORT, "report html")
        yield from self._hears(r"Here is the report you asked for", place="dm", user=SUPPORT)

    def _the_actions(self) -> Iterator[str]:
        yield "— The days after"
        self.driver.move_clock_to(self._at(26, 5, 0))
        yield from self._hears(r"Action", place="dm", user=OWNER)
        yield from self._types(OWNER, f"action {self.action} commit")
        yield from self._types(OWNER, f"action {self.action} done")
        self.driver.fill(OWNER, deployed="https://example.com/changes/812")
        yield f"{OWNER} says how we know that it is done"
        yield from self._types(OWNER, "actions mine")
        yield from self._types(LEAD, "close")
        yield from self._presses(LEAD, "^Yes, close it$")

    # What is done and heard, as lines.

    def _types(self, user: str, text: str) -> Iterator[str]:
        answer = self.driver.type(user, self.channel, text)
        proposed = PROPOSED.search(answer)
        self.action = proposed[1] if proposed else self.action
        yield f"{user}: /review {self._readable(text)}"
        if answer:
            yield f"    Debrief, to {user} alone: {self._short(answer)}"

    def _presses(self, user: str, label: str, place: str | None = None) -> Iterator[str]:
        pressed = self.driver.press(user, place or self.channel, label)
        yield f"{user} presses {pressed}"

    def _hears(self, pattern: str, place: str | None = None, user: str | None = None) -> Iterator[str]:
        message = self.driver.wait_for_words(place or self.channel, pattern, user, after=self.seen)
        where = f"to {user}" if user else f"in #{place or self.channel}"
        yield f"    Debrief, {where}: {self._short(words_of(message))}"

    def _sees_alone(self, user: str, words: str) -> Iterator[str]:
        """What is said to one person besides the answer to what they typed."""
        message = self.driver.wait_for(lambda: self._alone(user, words), f"“{words}” to {user}")
        yield f"    Debrief, to {user} alone: {self._short(words_of(message))}"

    def _alone(self, user: str, words: str) -> Json | None:
        seen = reversed(self.driver.messages(self.channel, user))
        return next((m for m in seen if m.get("is_ephemeral") and words in words_of(m)), None)

    def _shows_agenda(self, topic: str = "") -> Iterator[str]:
        self.agenda = self.driver.wait_for(lambda: self._agenda_changed(topic), f"the agenda to change to {topic}")
        yield f"    Debrief, the agenda: {self._short(self.agenda)}"

    def _agenda_changed(self, topic: str) -> str:
        words = (words_of(message) for message in reversed(self.driver.messages(self.channel)))
        newest = next((text for text in words if text.startswith("Review of")), "")
        return newest if newest != self.agenda and topic in newest else ""

    def _carries_memo(self, ts: str) -> bool:
        message = next(m for m in self.driver.messages(self.channel) if m["ts"] == ts)
        return any(reaction["name"] == "memo" for reaction in message.get("reactions") or [])

    def _meets_at(self) -> datetime:
        """The hour that the bot announced."""
        now = self.driver.now
        for message in reversed(self.driver.messages(self.channel)):
            for stamp, _ in DATE.findall(words_of(message)):
                at = datetime.fromtimestamp(int(stamp), now.tzinfo)
                if at > now:
                    return at
        raise LookupError("no meeting was announced")

    def _at(self, day: int, hour: int, minute: int) -> datetime:
        return datetime(2026, 11, day, hour, minute, tzinfo=HOME)

    def _short(self, words: str) -> str:
        line = " ".join(self._readable(words).split())
        return line if len(line) <= WIDTH else line[: WIDTH - 1] + "…"

    def _readable(self, words: str) -> str:
        dated = DATE.sub(lambda m: f"{datetime.fromtimestamp(int(m[1]), HOME):%a %H:%M}", words)
        named = MENTION.sub(lambda m: f"@{self.names.get(m[1], m[1])}", dated)
        return CHANNEL.sub(lambda m: f"#{self.channels.get(m[1], m[1])}", named)

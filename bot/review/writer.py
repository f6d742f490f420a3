"""Writing the report: from the facts of a review to the one value that every format tells."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from itertools import count, groupby

from bot.review import agenda
from bot.review.findings import FindingKind
from bot.review.follow_up import ActionState, Worked
from bot.review.incident import FORMULAS, MomentName, in_words
from bot.review.lifecycle import Role, Stage
from bot.review.naming import Called, Naming
from bot.review.report import (
    ActionFacts,
    CommentFacts,
    EventFacts,
    Facts,
    FindingFacts,
    MeetingFacts,
    MomentFacts,
    NoteFacts,
    actions_to_do,
    in_time,
)
from bot.review.timeline import Kind, Outcome
from bot.review.travelled import Fact, travelled
from bot.review.written import (
    HOW_IT_WENT,
    ActionGroup,
    ActionRow,
    Beside,
    Day,
    EventRow,
    FindingGroup,
    FindingRow,
    FindingSection,
    FirstPage,
    Folded,
    Healing,
    Holder,
    Instant,
    Labelled,
    MomentRow,
    Number,
    Remark,
    Run,
    Sitting,
    TopicRow,
    Words,
    Written,
    instant,
    web_link,
)

MOST_OF_A_SORT = 5
"""Findings and actions on the first page: it is one page."""
A_RUN = 4
"""So many things in a row that programs did are told together."""


def write(facts: Facts, *, called: Called, zone: str, beside: Beside | None = None) -> Written:
    """The report of these facts: people as they are called here, times in UTC and in this zone."""
    return _Writer(facts, called, zone, beside or Beside()).whole()


# Headings and sentences -----------------------------------------------------------------

HEADINGS: Mapping[FindingKind, str] = {
    FindingKind.contributor: "Contributors",
    FindingKind.mitigator: "Mitigators",
    FindingKind.risk: "Risks",
    FindingKind.learning: "Learnings",
    FindingKind.dissent: "Differing views",
    FindingKind.question: "Open questions",
}
EMPTY: Mapping[FindingKind, str] = {
    FindingKind.contributor: "No contributor was noted.",
    FindingKind.mitigator: "No mitigator was noted.",
    FindingKind.risk: "No wider risk was noted.",
    FindingKind.learning: "Nothing was noted as a learning.",
    FindingKind.dissent: "Nobody noted a differing view.",
    FindingKind.question: "No question was left open.",
}
SUMMARY = ("What happened", "What was felt", "How it was fixed")
"""The three sentences of the close; a summary of any other number of lines stays as it is."""
IN_SHORT = "What happened"
MEANINGS: Mapping[MomentName, str] = {
    MomentName.began: "the impact began",
    MomentName.detected: "somebody, or a monitor, noticed",
    MomentName.acknowledged: "somebody took it on",
    MomentName.mitigated: "the impact ended",
    MomentName.resolved: "all was as usual again",
}
NUMBER_NAMES: Mapping[str, tuple[str, str, MomentName, MomentName]] = {
    "ttd_s": ("Time to detect", "until it was noticed", MomentName.began, MomentName.detected),
    "tta_s": (
        "Time to acknowledge",
        "from there until somebody took it on",
        MomentName.detected,
        MomentName.acknowledged,
    ),
    "ttm_s": ("Time to mitigate", "until the impact ended", MomentName.began, MomentName.mitigated),
    "ttr_s": ("Time to resolve", "until all was as usual again", MomentName.began, MomentName.resolved),
}
"""Each length with its name, in plain words, and the two moments it lies between."""
GROUPS: tuple[tuple[str, Callable[[ActionState], bool]], ...] = (
    ("Still to do", lambda state: state.is_open),
    ("Done", lambda state: state is ActionState.done),
    ("Declined, with the reason", lambda state: state is ActionState.declined),
)
HORIZONS: Mapping[str, str] = {"quick": "quick fix", "long": "long-term"}
DOES: Mapping[Role, str] = {
    Role.lead: "led the response",
    Role.facilitator: "led the meeting",
    Role.scribe: "wrote things down",
    Role.owner: "answers for this review",
}
STANDING: Mapping[Stage, str] = {
    Stage.drafted: "a draft, not yet published",
    Stage.published: "published",
    Stage.closed: "published, and the review is closed",
    Stage.cancelled: "cancelled",
    Stage.skipped: "no review was wanted",
}


# Writing it -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Writer:
    facts: Facts
    called: Called
    zone: str
    beside: Beside

    def whole(self) -> Written:
        incident = self.facts.incident
        return Written(
            title=self.said(incident.title),
            incident=incident.id,
            severity=incident.severity or "",
            standing=STANDING.get(self.facts.review.stage, "not drafted yet"),
            private=incident.private,
            zone=self.zone,
            page=self.page(),
            impact=self.impact(),
            moments=tuple(map(self.moment, MomentName)),
            numbers=self.numbers(),
            timeline=self.timeline(),
            events=len(self.facts.timeline),
            no_events="" if self.facts.timeline else "Nothing is on the timeline.",
            travelled=self.travelled(),
            findings=tuple(map(self.section, FindingKind)),
            actions=self.actions(),
            no_actions="" if self.facts.actions else "No action was proposed. That can be the right outcome.",
            people=self.people(),
            no_people="" if self.people() else "Nobody holds a role.",
            others=self.others(),
            meetings=self.sittings(),
            no_meeting="" if self.facts.review.meetings else "No meeting was held with the bot.",
            healed=tuple(Healing(at=self.at(change.at), words=change.to or "") for change in incident.healed),
            similar=self.beside.similar,
            mark=self.beside.mark,
        )

    # The first page.

    def page(self) -> FirstPage:
        known = tuple(number for number in self.numbers() if number.words)
        to_do = tuple(map(self.action, actions_to_do(self.facts.actions)))
        happened, impact = self.happened(), self.impact()
        learned = self.folded(FindingKind.learning)
        return FirstPage(
            happened=happened,
            no_summary="" if happened else "Nobody has written the summary yet.",
            impact=impact,
            no_impact="" if impact else "Nobody has described the impact yet.",
            lengths=known,
            no_lengths="" if known else "Too few moments are known to say.",
            contributors=self.folded(FindingKind.contributor),
            mitigators=self.folded(FindingKind.mitigator),
            learned=learned,
            no_learnings="" if learned.items else EMPTY[FindingKind.learning],
            to_do=to_do[:MOST_OF_A_SORT],
            more_to_do=len(to_do[MOST_OF_A_SORT:]),
            nothing_to_do="" if to_do else self.nothing_to_do(),
        )

    def happened(self) -> tuple[Labelled, ...]:
        lines = (self.facts.incident.summary or "").strip().split("\n")
        placed = SUMMARY if 1 < len(lines) <= len(SUMMARY) else (IN_SHORT,)
        words = lines if len(placed) > 1 else ["\n".join(lines)]
        return tuple(
            Labelled(label=label, words=self.said(line.strip(), f"summary {number}"))
            for number, (label, line) in enumerate(zip(placed, words, strict=False), 1)
            if line.strip()
        )

    def impact(self) -> tuple[Labelled, ...]:
        known = self.facts.incident.impact.lines()
        felt = tuple(Labelled(label=label, words=self.said(words, _impact_key(label))) for label, words in known)
        return (*felt, *(Labelled(label=label, words=Words(words)) for label, words in self.beside.took))

    def folded(self, kind: FindingKind) -> Folded:
        found = [self.said(row.text, f"finding {row.number}") for row in self.of_kind(kind)]
        return Folded(items=tuple(found[:MOST_OF_A_SORT]), more=len(found[MOST_OF_A_SORT:]))

    def nothing_to_do(self) -> str:
        done = sum(action.state == ActionState.done for action in self.facts.actions)
        if not done:
            return "No action is open."
        return "One action is done, and none is open." if done == 1 else f"{done} actions are done, and none is open."

    # Numbers.

    def numbers(self) -> tuple[Number, ...]:
        return tuple(map(self.number, FORMULAS))

    def number(self, key: str) -> Number:
        name, until, start, end = NUMBER_NAMES[key]
        seconds: int | None = getattr(self.facts.incident.durations, key)
        return Number(
            name=name,
            until=until,
            formula=FORMULAS[key],
            seconds=seconds,
            words=None if seconds is None else in_words(seconds),
            why=self.missing(start, end) if seconds is None else self.known_how(start, end),
        )

    def missing(self, *names: MomentName) -> str:
        unknown = [name for name in names if not self.known(name).at]
        return f"nobody has said when it {' and when it '.join(map(_came, unknown))}"

    def known_how(self, *names: MomentName) -> str:
        hows = [(name, _how(self.known(name).how)) for name in names]
        if len({how for _, how in hows}) == 1:
            return f"both moments were {hows[0][1]}"
        return ", ".join(f"{name} was {how}" for name, how in hows)

    def moment(self, name: MomentName) -> MomentRow:
        known = self.known(name)
        return MomentRow(
            name=name.value,
            meaning=MEANINGS[name],
            at=self.at(known.at) if known.at else None,
            how=_how(known.how, self.called.person(known.by)) if known.at else "",
        )

    def known(self, name: MomentName) -> MomentFacts:
        return self.facts.incident.moments.get(name.value, MomentFacts())

    # The timeline.

    def timeline(self) -> tuple[Day, ...]:
        days = groupby(in_time(self.facts.timeline), key=lambda event: event.occurred_at.astimezone(UTC).date())
        return tuple(self.day(day, list(events)) for day, events in days)

    def day(self, day: date, events: Sequence[EventFacts]) -> Day:
        lines: list[EventRow | Run] = []
        for plainly_automated, found in groupby(events, key=_is_plainly_automated):
            rows = tuple(map(self.event, found))
            told_together = plainly_automated and len(rows) >= A_RUN
            lines += [Run(start=rows[0].at, end=rows[-1].at, rows=rows)] if told_together else rows
        return Day(name=f"{day:%A} {day.day} {day:%B %Y}", date=day.isoformat(), lines=tuple(lines))

    def event(self, event: EventFacts) -> EventRow:
        outcome = event.outcome if event.outcome and event.outcome != Outcome.unknown else ""
        return EventRow(
            number=event.number,
            at=self.at(event.occurred_at),
            kind=Kind(event.kind).label,
            kind_word=event.kind,
            outcome=Outcome(outcome).label if outcome else "",
            outcome_word=outcome,
            text=self.said(event.text, f"event {event.number}") if event.text else None,
            link=web_link(event.permalink, "message"),
            question=self.said(event.question) if event.question and event.answer else None,
            answer=self.said(event.answer) if event.answer else None,
            comments=tuple(map(self.remark, event.comments)),
            found=tuple(sorted(found.number for found in self.facts.findings if found.event == event.number)),
        )

    def travelled(self) -> tuple[str, ...]:
        detected, mitigated = self.known(MomentName.detected).at, self.known(MomentName.mitigated).at
        return tuple(map(self.travel, travelled(self.facts.timeline, detected_at=detected, over_at=mitigated)))

    def travel(self, fact: Fact) -> str:
        if not fact.at:
            return fact.sentence
        since = f" It had been quiet since {self.at(fact.since).utc}." if fact.since else ""
        return f"{self.at(fact.at).clock}, event {fact.number}: {fact.sentence}{since}"

    # Findings and actions.

    def section(self, kind: FindingKind) -> FindingSection:
        by_sort = groupby(self.of_kind(kind), key=lambda found: found.sort or "")
        return FindingSection(
            kind=kind.value,
            heading=HEADINGS[kind],
            meaning=f"{kind.meaning[0].upper()}{kind.meaning[1:]}.",
            groups=tuple(FindingGroup(sort=sort, rows=tuple(map(self.finding, found))) for sort, found in by_sort),
            empty=EMPTY[kind],
        )

    def of_kind(self, kind: FindingKind) -> list[FindingFacts]:
        """One sort after the other, by number; what nobody sorted comes last."""
        order = {sort: place for place, sort in enumerate(kind.sorts)}
        found = [found for found in self.facts.findings if found.kind == kind]
        return sorted(found, key=lambda finding: (order.get(finding.sort or "", len(order)), finding.number))

    def finding(self, found: FindingFacts) -> FindingRow:
        event = next((event for event in self.facts.timeline if event.number == found.event), None)
        return FindingRow(
            number=found.number,
            kind=FindingKind(found.kind).label,
            sort=found.sort or "",
            text=self.said(found.text, f"finding {found.number}"),
            event=event.number if event else None,
            at=self.at(event.occurred_at) if event else None,
            answered_by=tuple(sorted(action.number for action in self.facts.actions if found.number in action.answers)),
            team=self.called.in_text(self.facts.teams.get(found.number, "")),
        )

    def actions(self) -> tuple[ActionGroup, ...]:
        by_number = sorted(self.facts.actions, key=lambda action: action.number)
        groups = [
            ActionGroup(heading=heading, rows=tuple(self.action(a) for a in by_number if belongs(ActionState(a.state))))
            for heading, belongs in GROUPS
        ]
        return tuple(group for group in groups if group.rows)

    def action(self, action: ActionFacts) -> ActionRow:
        evidence = action.evidence
        given = (("deployed", evidence.deployed), ("tested", evidence.tested), ("documented", evidence.documented))
        return ActionRow(
            number=action.number,
            text=self.said(action.text, f"action {action.number}"),
            owner=self.called.person(action.owner),
            person=action.owner if self.called.naming is Naming.names else None,
            due=f"{action.due:%a} {action.due.day} {action.due:%b %Y}" if action.due else "",
            due_iso=action.due.isoformat() if action.due else "",
            state=ActionState(action.state).label,
            state_word=action.state,
            horizon=HORIZONS.get(action.horizon or "", ""),
            category=action.category or "",
            priority=action.priority or "",
            team=self.called.in_text(action.team or ""),
            answers=self.answers(action),
            second_order=self.said(action.second_order) if action.second_order else None,
            reason=self.said(action.reason) if action.reason else None,
            evidence=tuple(Labelled(label=label, words=self.said(words)) for label, words in given if words),
            verified_by=self.called.person(action.verified_by) if action.verified_by else "",
            worked=Worked(action.worked.to).label.lower() if action.worked else "",
        )

    def answers(self, action: ActionFacts) -> tuple[str, ...]:
        answered = [found for found in self.facts.findings if found.number in action.answers]
        return tuple(f"{FindingKind(found.kind).label} {found.number}" for found in sorted(answered, key=_number))

    # People and meetings.

    def people(self) -> tuple[Holder, ...]:
        held = [(role, self.holder(role)) for role in Role]
        return tuple(
            Holder(role=role.value, name=self.called.person(user), does=DOES[role]) for role, user in held if user
        )

    def holder(self, role: Role) -> str | None:
        return self.facts.incident.lead if role is Role.lead else getattr(self.facts.review, role.value)

    def others(self) -> tuple[str, ...]:
        named = {self.holder(role) for role in Role}
        came = {a.user for meeting in self.facts.review.meetings for a in meeting.attendees if a.present}
        helped = {event.by for event in self.facts.timeline} | {action.owner for action in self.facts.actions}
        people = {user for user in came | helped if user and re.fullmatch(r"[UW][A-Z0-9]+", user)} - named
        return tuple(sorted({self.called.person(user) for user in people}, key=_by_its_number))

    def sittings(self) -> tuple[Sitting, ...]:
        """Meetings are counted as a reader does: one called off, of one team or of nobody leaves no gap."""
        every = sorted(self.facts.review.meetings, key=lambda meeting: meeting.number)
        counted = count(1)
        return tuple(self.sitting(one, None if _took_no_meeting(one) else next(counted)) for one in every)

    def sitting(self, meeting: MeetingFacts, number: int | None) -> Sitting:
        attendees = sorted(meeting.attendees, key=lambda attendee: attendee.user)
        return Sitting(
            number=number,
            planned=self.at(meeting.meets_at) if meeting.meets_at else None,
            opened=self.at(meeting.opened_at) if meeting.opened_at else None,
            ended=self.at(meeting.ended_at) if meeting.ended_at else None,
            took=_between(meeting.opened_at, meeting.ended_at),
            there=self.names(attendee.user for attendee in attendees if attendee.present),
            missed=self.names(attendee.user for attendee in attendees if not attendee.present),
            recording=web_link(meeting.recording),
            topics=tuple(
                TopicRow(
                    name=agenda.LABELS.get(topic.name, topic.name),
                    planned=in_words(topic.planned_s),
                    spent=in_words(topic.spent_s),
                )
                for topic in meeting.topics
            ),
            notes=tuple(self.remark(note) for note in meeting.notes if note.topic != HOW_IT_WENT),
            parked=tuple(map(self.remark, meeting.parked)),
            went=tuple(
                self.said(note.text, f"went {meeting.number}") for note in meeting.notes if note.topic == HOW_IT_WENT
            ),
            in_time=self.in_time(meeting),
            pulse=self.beside.pulse.get(meeting.number, ()),
        )

    def in_time(self, meeting: MeetingFacts) -> tuple[str, ...]:
        kept = self.beside.in_time.get(meeting.number)
        sentences = kept.sentences(lambda at: self.at(at).words) if kept else ()
        return tuple(self.called.in_text(sentence) for sentence in sentences)

    # Words.

    def names(self, users: Iterable[str]) -> tuple[str, ...]:
        return tuple(sorted(map(self.called.person, users), key=_by_its_number))

    def remark(self, said: CommentFacts | NoteFacts) -> Remark:
        return Remark(who=self.called.person(said.by), words=self.said(said.text), at=self.at(said.at))

    def said(self, text: str, key: str = "") -> Words:
        return Words(self.called.in_text(text), key)

    def at(self, moment: datetime) -> Instant:
        return instant(moment, self.zone)


def _took_no_meeting(meeting: MeetingFacts) -> bool:
    """Alone or in threads a review has no hour."""
    return meeting.opened_at is not None and meeting.meets_at is None


def _number(found: FindingFacts) -> int:
    return found.number


def _impact_key(label: str) -> str:
    return "impact" if label == "In words" else ""


def _how(how: str | None, who: str = "a person") -> str:
    return f"set by {'a person' if who == 'nobody' else who}" if how == "set" else "recorded by Debrief"


def _came(name: MomentName) -> str:
    return name.value if name is MomentName.began else f"was {name.value}"


def _is_plainly_automated(event: EventFacts) -> bool:
    """What a program did and nobody had anything to say about."""
    quiet = not (event.comments or event.answer) and event.outcome in {None, Outcome.unknown}
    return event.kind == Kind.automated and quiet


def _between(start: datetime | None, end: datetime | None) -> str:
    return in_words(int((end - start).total_seconds())) if start and end else ""


def _by_its_number(name: str) -> tuple[str, int]:
    """`responder 2` before `responder 10`."""
    words, _, number = name.rpartition(" ")
    return (words, int(number)) if number.isdecimal() else (name, 0)

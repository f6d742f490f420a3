"""Rows made again from the facts of a review: what was exported, put back where nothing of it is.

What an export does not tell is left empty: earlier holders of a role, what was taken off the timeline, who was let off.
"""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from bot.review.agenda import LABELS, Agenda, Topic
from bot.review.follow_up import ActionState, checks_come
from bot.review.heard import moment_of
from bot.review.lifecycle import Role, Stage
from bot.review.report import (
    ActionFacts,
    ChangeFacts,
    EventFacts,
    Facts,
    FindingFacts,
    IncidentFacts,
    MeetingFacts,
    MessageFacts,
    NoteFacts,
    ReviewFacts,
    SourceFacts,
)
from storage import actions, findings, incidents, messages, people, witness
from storage.models import (
    Action,
    Attendee,
    Base,
    Change,
    EventComment,
    Finding,
    Incident,
    Link,
    Meeting,
    MeetingNote,
    Message,
    MessageFile,
    MessageVersion,
    Moment,
    Reaction,
    Review,
    RoleHeld,
    Source,
    TimelineEvent,
)
from storage.rows import any_key, in_parts, insert_new_of
from storage.timeline import words_of

RESTORED = "restored"
"""What the history of an incident says of where it came from."""
BOT_ID = re.compile(r"B[A-Z0-9]{2,}")
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


# What is in the way ----------------------------------------------------------------------


def incident_here(db: Session, number: int) -> Incident | None:
    """The incident that has this number already."""
    return db.get(Incident, number)


def actions_here(db: Session, team: str, numbers: Collection[int]) -> Sequence[int]:
    """Those of these numbers of actions that are taken."""
    query = select(Action.number).where(Action.team_id == team, Action.number.in_(numbers))
    return db.scalars(query.order_by(Action.number)).all()


def followed_here(db: Session, team: str, sources: Collection[SourceFacts]) -> SourceFacts | None:
    """The first place of these that another incident is listening to."""
    query = select(Source.channel_id, Source.thread_ts).where(Source.team_id == team, Source.until_at.is_(None))
    taken = {(channel, thread) for channel, thread in db.execute(query)}
    return next((one for one in sources if not one.to and (one.channel_id, one.thread_ts or "") in taken), None)


# Messages ----------------------------------------------------------------------------------


def keep_messages(db: Session, team: str, said: Sequence[MessageFacts], *, now: datetime) -> None:
    """Messages with their wordings, files and emoji; those that are here already stay as they are."""
    rows = {(fact.channel_id, fact.ts): _message(team, fact, now) for fact in said}
    written: set[Any] = insert_new_of(db, Message, list(rows.values()), *messages.IDENTITY) if rows else set()
    ids: dict[tuple[str, str], int] = {(channel, ts): number for number, channel, ts in written}
    for fact in said:
        if message := ids.get((fact.channel_id, fact.ts)):
            versions = list(_versions(team, message, fact))
            db.add_all([*versions, *_files(team, message, fact)])
            witness.write(db, team, [*map(_earlier, versions), _entry(message, rows[fact.channel_id, fact.ts])])
    emoji = [row for fact in said for row in _emoji(team, fact, now)]
    if emoji:
        insert_new_of(db, Reaction, emoji, "id")
    db.flush()


def _message(team: str, fact: MessageFacts, now: datetime) -> dict[str, Any]:
    is_id = BOT_ID.fullmatch(fact.bot or "")
    return {
        "team_id": team,
        "channel_id": fact.channel_id,
        "ts": fact.ts,
        "thread_ts": fact.thread_ts,
        "posted_at": moment_of(fact.ts),
        "user_id": fact.user,
        # A program of which only the name is known is a program all the same.
        "bot_id": fact.bot if is_id or not fact.bot else "",
        "bot_name": None if is_id else fact.bot,
        "subtype": fact.subtype,
        "text": fact.text or "",
        "plain": fact.plain or "",
        "blocks": None,
        "attachments": None,
        "edited_ts": _ts_of(fact.edited_at) if fact.edited_at else None,
        "deleted_at": fact.deleted_at,
        "missing_since": fact.missing_since,
        "purged_at": now if fact.text is None and not fact.deleted_at else None,
        "redactions": [dict(one) for one in fact.redactions] or None,
        "hidden": ", ".join(sorted({str(one.get("kind")) for one in fact.redactions})) or None,
        "warned_at": now,
    }


def _earlier(version: MessageVersion) -> witness.Entry:
    content = witness.content_of_version(version.edited_ts, version.text)
    return witness.Entry(version.message_id, "said", version.edited_ts, content)


def _entry(message: int, row: Mapping[str, Any]) -> witness.Entry:
    return witness.Entry(message, "erased") if row["purged_at"] else witness.entry_of_new(message, row)


def _versions(team: str, message: int, fact: MessageFacts) -> Iterator[MessageVersion]:
    posted = moment_of(fact.ts)
    for version in fact.versions:
        edited_ts = "" if version.at == posted else _ts_of(version.at)
        yield MessageVersion(
            team_id=team, message_id=message, edited_ts=edited_ts, at=version.at, text=version.text, redactions=None
        )


def _ts_of(at: datetime) -> str:
    seconds, microseconds = divmod((at - EPOCH) // timedelta(microseconds=1), 1_000_000)
    return f"{seconds}.{microseconds:06d}"


def _files(team: str, message: int, fact: MessageFacts) -> Iterator[MessageFile]:
    for file in fact.files:
        yield MessageFile(
            team_id=team,
            message_id=message,
            file_id=file.id,
            name=file.name or "",
            mimetype=file.mimetype or "",
            size=file.size or 0,
            sha256=file.sha256,
            skipped=file.skipped,
        )


def _emoji(team: str, fact: MessageFacts, now: datetime) -> Iterator[dict[str, Any]]:
    """Their consequences are drawn: they are the timeline that was exported with them."""
    for name, users in fact.reactions.items():
        for user in users:
            yield {
                "team_id": team,
                "channel_id": fact.channel_id,
                "ts": fact.ts,
                "user_id": user,
                "name": name,
                "changed_ts": fact.ts,
                "derived_at": now,
            }


# The incident and its review --------------------------------------------------------------


def keep(db: Session, facts: Facts, *, now: datetime) -> Incident:
    """The incident under its own number, with its timeline, review, findings and actions; its messages are here."""
    incident = _incident(db, facts.incident, opened_at=_opened_at(facts, now))
    _places_and_moments(db, incident, facts.incident)
    _roles(db, incident, facts)
    _review(db, incident, facts.review, now)
    events = _timeline(db, incident, facts, now)
    found = _findings(db, incident, facts, events=events, now=now)
    _actions(db, incident, facts.actions, found=found, now=now)
    incidents.record_change(
        db, incident, "incident", incident.id, what=RESTORED, before=None, after=None, by=None, now=now
    )
    db.flush()
    return incident


def _opened_at(facts: Facts, now: datetime) -> datetime:
    """When it began to be listened to; when it was opened, an export does not say."""
    return min((source.from_ for source in facts.incident.sources if source.from_), default=now)


def _incident(db: Session, facts: IncidentFacts, *, opened_at: datetime) -> Incident:
    incident = Incident(
        team_id=facts.team_id,
        title=facts.title,
        severity=facts.severity,
        opened_at=opened_at,
        private_since=opened_at if facts.private else None,
        summary=facts.summary,
        impact=facts.impact.to_json(),
    )
    incident.id = facts.id
    db.add(incident)
    db.flush()
    if db.get_bind().dialect.name == "postgresql":
        # A number that was given by hand is one that the sequence would give again.
        sequence = func.pg_get_serial_sequence("incidents", "id")
        db.execute(select(func.setval(sequence, func.max(Incident.id))))
    return incident


def _places_and_moments(db: Session, incident: Incident, facts: IncidentFacts) -> None:
    team, number = incident.team_id, incident.id
    for source in facts.sources:
        db.add(
            Source(
                team_id=team,
                incident_id=number,
                channel_id=source.channel_id,
                channel_name=source.channel_name or "",
                thread_ts=source.thread_ts or "",
                from_at=source.from_ or incident.opened_at,
                until_at=source.to,
            )
        )
    for name, moment in facts.moments.items():
        if moment.at:
            row = Moment(team_id=team, incident_id=number, name=name, how=moment.how or "set", recorded_at=moment.at)
            row.at, row.by = moment.at, moment.by
            db.add(row)
    db.flush()


def _roles(db: Session, incident: Incident, facts: Facts) -> None:
    review = facts.review
    held = {
        Role.lead: facts.incident.lead,
        Role.facilitator: review.facilitator,
        Role.scribe: review.scribe,
        Role.owner: review.owner,
    }
    for role, user in held.items():
        if user:
            row = RoleHeld(
                team_id=incident.team_id,
                incident_id=incident.id,
                role=role.value,
                user_id=user,
                since=incident.opened_at,
            )
            db.add(row)


def _review(db: Session, incident: Incident, facts: ReviewFacts, now: datetime) -> None:
    review = Review(
        team_id=incident.team_id,
        incident_id=incident.id,
        pre_read_sent_at=facts.pre_read_sent_at,
        drafted_at=facts.drafted_at,
        approved_at=facts.approved_at,
        published_at=facts.published_at,
        closed_at=facts.closed_at,
        skipped_at=now if facts.stage is Stage.skipped else None,
        cancelled_at=facts.cancelled_at,
        reason=facts.reason,
    )
    db.add(review)
    db.flush()
    for meeting in facts.meetings:
        _meeting(db, review, meeting, now)


def _meeting(db: Session, review: Review, facts: MeetingFacts, now: datetime) -> None:
    place = facts.place
    meeting = Meeting(
        team_id=review.team_id,
        review_id=review.id,
        number=facts.number,
        meets_at=facts.meets_at,
        minutes=facts.minutes or 60,
        channel_id=place.channel_id if place else None,
        thread_ts=place.thread_ts if place else None,
        call=place.call if place else None,
        scheduled_at=facts.scheduled_at,
        opened_at=facts.opened_at,
        ended_at=facts.ended_at,
        touched_at=facts.ended_at or facts.opened_at,
        recording=facts.recording,
        agenda=_agenda(facts),
    )
    db.add(meeting)
    db.flush()
    since = facts.scheduled_at or facts.opened_at or now
    for attendee in facts.attendees:
        row = Attendee(team_id=review.team_id, meeting_id=meeting.id, user_id=attendee.user, invited_at=since)
        row.core_since = since if attendee.core else None
        row.present_at = (facts.opened_at or since) if attendee.present else None
        db.add(row)
    noted = [(note, None) for note in facts.notes] + [(note, note.at) for note in facts.parked]
    db.add_all(_note(meeting, note, parked_at) for note, parked_at in noted)
    db.flush()


def _note(meeting: Meeting, note: NoteFacts, parked_at: datetime | None) -> MeetingNote:
    return MeetingNote(
        team_id=meeting.team_id,
        meeting_id=meeting.id,
        topic=note.topic or "",
        text=note.text,
        by=note.by,
        at=note.at,
        parked_at=parked_at,
    )


def _agenda(facts: MeetingFacts) -> dict[str, Any] | None:
    if not facts.topics or not facts.opened_at:
        return None
    topics = tuple(
        Topic(topic.name, LABELS.get(topic.name, topic.name), timedelta(seconds=topic.planned_s))
        for topic in facts.topics
    )
    agenda = replace(
        Agenda.open(max(facts.minutes or 60, len(LABELS)), facts.opened_at),
        topics=topics,
        spent=tuple(topic.spent_s for topic in facts.topics),
        current=len(topics) - 1 if facts.ended_at else 0,
        ended_at=facts.ended_at,
    )
    return agenda.to_json()


# The timeline, the findings, the actions ------------------------------------------------------


def _timeline(db: Session, incident: Incident, facts: Facts, now: datetime) -> dict[int, TimelineEvent]:
    """The events by number; one that only a finding still names is one that was dropped."""
    said = _messages(db, incident.team_id, facts.timeline)
    events = {fact.number: _event(incident, fact, said) for fact in facts.timeline}
    db.add_all(events.values())
    db.flush()
    for fact in facts.timeline:
        _beside(db, incident, events[fact.number].id, fact)
    for number in sorted({fact.event for fact in facts.findings if fact.event} - set(events)):
        dropped = TimelineEvent(
            team_id=incident.team_id,
            incident_id=incident.id,
            number=number,
            kind="note",
            occurred_at=now,
            recorded_at=now,
            source="typed",
            dropped_at=now,
        )
        events[number] = _added(db, dropped)
    incident.events_numbered = max(events, default=0)
    return events


def _messages(db: Session, team: str, facts: Sequence[EventFacts]) -> dict[messages.Key, Message]:
    """The messages behind these events, by channel and ts."""
    keys = [(fact.message.channel_id, fact.message.ts) for fact in facts if fact.message]
    return {
        (row.channel_id, row.ts): row
        for part in in_parts(keys)
        for row in db.scalars(select(Message).where(Message.team_id == team, any_key(Message, part)))
    }


def _event(incident: Incident, fact: EventFacts, said: Mapping[messages.Key, Message]) -> TimelineEvent:
    event = TimelineEvent(
        team_id=incident.team_id,
        incident_id=incident.id,
        number=fact.number,
        kind=fact.kind,
        outcome=fact.outcome or "unknown",
        occurred_at=fact.occurred_at,
        recorded_at=fact.recorded_at,
        by=fact.by,
        source=fact.source,
        channel_id=fact.message.channel_id if fact.message else None,
        ts=fact.message.ts if fact.message else None,
        question=fact.question,
        answer=fact.answer,
    )
    message = said.get((fact.message.channel_id, fact.message.ts)) if fact.message else None
    if words_of(event, message) != fact.text:
        event.text = fact.text
    return event


def _beside(db: Session, incident: Incident, event: int, fact: EventFacts) -> None:
    """The comments and the history of an event."""
    for one in fact.comments:
        db.add(EventComment(team_id=incident.team_id, event_id=event, text=one.text, by=one.by, at=one.at))
    _history(db, incident, "event", event, fact.history)


def _findings(
    db: Session, incident: Incident, facts: Facts, *, events: Mapping[int, TimelineEvent], now: datetime
) -> dict[int, Finding]:
    """The findings by number; one that only an action still names is one that was dropped."""
    found = {fact.number: _finding(db, incident, fact, events) for fact in facts.findings}
    named = {number for action in facts.actions for number in action.answers}
    for number in sorted(named - set(found)):
        dropped = FindingFacts(number=number, kind="contributor", text="", by="", at=now)
        found[number] = _finding(db, incident, dropped, events)
        found[number].dropped_at = now
    incident.findings_numbered = max(found, default=0)
    return found


def _finding(db: Session, incident: Incident, fact: FindingFacts, events: Mapping[int, TimelineEvent]) -> Finding:
    finding = Finding(
        team_id=incident.team_id,
        incident_id=incident.id,
        number=fact.number,
        kind=fact.kind,
        sort=fact.sort,
        text=fact.text,
        by=fact.by or "",
        at=fact.at,
    )
    _added(db, finding)
    if fact.event:
        db.add(_link(finding, events[fact.event]))
    return finding


def _link(finding: Finding, event: TimelineEvent) -> Link:
    return Link(
        team_id=finding.team_id,
        incident_id=finding.incident_id,
        from_kind="finding",
        from_id=finding.id,
        relation=findings.COMES_FROM,
        to_kind="event",
        to_id=event.id,
    )


def _actions(
    db: Session, incident: Incident, facts: Sequence[ActionFacts], *, found: Mapping[int, Finding], now: datetime
) -> None:
    for fact in facts:
        action = _added(db, _action(incident, fact, now))
        actions.answer(db, action, [found[number] for number in fact.answers])
        _history(db, incident, "action", action.id, fact.history)
        _leave_past_checks(db, action, now)
    space = people.workspace(db, incident.team_id)
    space.actions_numbered = max([space.actions_numbered, *(fact.number for fact in facts)])
    db.flush()


A_DAY = timedelta(days=1)
"""By so much the days of an owner, whose zone may not be known yet, may differ from ours."""


def _leave_past_checks(db: Session, action: Action, now: datetime) -> None:
    """Whether it worked was asked where it was kept then, as far as that was due; here it is asked what comes later."""
    if action.done_at:
        today = now.date()
        for done in (action.done_at.date() + days * A_DAY for days in (-1, 0, 1)):
            for check in checks_come(done, today):
                actions.climb(db, action, check.key, now=now)


def _action(incident: Incident, fact: ActionFacts, now: datetime) -> Action:
    came_to = {change.to: change.at for change in fact.history if change.what == "state"}
    return Action(
        team_id=incident.team_id,
        incident_id=incident.id,
        number=fact.number,
        text=fact.text,
        owner=fact.owner,
        due=fact.due,
        state=fact.state,
        horizon=fact.horizon or "quick",
        category=fact.category,
        priority=fact.priority,
        team=fact.team,
        second_order=fact.second_order,
        evidence={name: said for name, said in vars(fact.evidence).items() if said is not None},
        verified_by=fact.verified_by,
        reason=fact.reason,
        proposed_at=min((change.at for change in fact.history), default=now),
        committed_at=came_to.get(ActionState.committed),
        done_at=came_to.get(ActionState.done),
        worked=fact.worked.to if fact.worked else None,
        worked_at=fact.worked.at if fact.worked else None,
        channel_id=fact.message.channel_id if fact.message else None,
        ts=fact.message.ts if fact.message else None,
    )


def _history(db: Session, incident: Incident, subject: str, number: int, changes: Sequence[ChangeFacts]) -> None:
    for one in changes:
        row = Change(
            team_id=incident.team_id,
            incident_id=incident.id,
            subject=subject,
            subject_id=number,
            what=one.what,
            before=one.from_,
            after=one.to,
            by=one.by,
            at=one.at,
        )
        db.add(row)


Row = TypeVar("Row", bound=Base)


def _added(db: Session, row: Row) -> Row:
    db.add(row)
    db.flush()
    return row

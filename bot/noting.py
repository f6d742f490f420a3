"""What surfaces in a meeting: findings, thoughts for later, who is here, the recording.

The agenda is not drawn here: whoever serves these lets `facilitating.refresh` follow.
"""

import re
from collections.abc import Mapping

from bot import wording
from bot.desk import Note, Notes, Turn
from bot.review.findings import FindingKind, split_sort
from bot.review.incident import UserId
from bot.review.lifecycle import Who, require
from bot.review.refusal import NeedsText, NotInMeeting
from bot.sitting import open_now
from bot.wording import Thing
from storage import attending, findings, incidents, meetings_apart, reviews, sittings, walk
from storage.incidents import Where
from storage.models import Incident, TimelineEvent

WEB_ADDRESS = re.compile(r"https?://[^\s<>|]+")
EXAMPLES: Mapping[FindingKind, str] = {
    FindingKind.contributor: "technical: the disk filled up",
    FindingKind.mitigator: "luck: it was during working hours",
    FindingKind.risk: "one person knows the billing system",
    FindingKind.learning: "process: we page support too late",
    FindingKind.dissent: "the rollback was not needed",
    FindingKind.question: "how long do sessions survive a restart?",
}


# At any moment, in or out of a meeting ---------------------------------------------------


def note_finding(
    turn: Turn, *, where: Where, by: UserId, kind: FindingKind | str, text: str, event: int | None = None
) -> Notes:
    """A contributor, mitigator, risk, learning, dissent or question (S1); says `finding_noted`."""
    incident = incidents.at(turn.db, turn.team, where, by)
    kind = FindingKind(kind)
    sort, words = split_sort(kind, text)
    if not words:
        raise NeedsText(verb=kind.value, example=EXAMPLES[kind])
    source = walk.named(turn.db, incident, event) if event is not None else _on_the_table(turn, incident)
    row = findings.add(turn.db, incident, kind=kind, sort=sort, text=words, by=by, event=source, now=turn.now)
    apart = meetings_apart.at(turn.db, incident, where.place)
    if apart:
        meetings_apart.take(turn.db, row, apart)
    yield Note.private(
        by,
        "finding_noted",
        incident=incident.id,
        number=row.number,
        kind=kind,
        sort=sort,
        text=words,
        event=source.number if source else None,
    )
    yield from wording.look_over(turn, incident, Thing.finding, by=by, number=row.number, text=words)
    like = findings.like_one_before(turn.db, row, by)
    if like:
        yield Note.private(by, "finding_like", number=row.number, like=like, incident=incident.id)


def _on_the_table(turn: Turn, incident: Incident) -> TimelineEvent | None:
    """The stop of the walk that is spoken of now, where a finding most likely comes from."""
    sitting = sittings.of(turn.db, incident)
    number = sitting.agenda.event if sitting else None
    return walk.event(turn.db, incident, number) if number is not None else None


def set_recording(turn: Turn, *, where: Where, by: UserId, url: str) -> Notes:
    """Where the recording can be watched, for those who read instead of sitting in (S1); says `meeting_recording`."""
    incident = incidents.at(turn.db, turn.team, where, by)
    review = reviews.of(turn.db, incident)
    meeting = reviews.open_meeting(turn.db, review) or reviews.last_held(turn.db, review)
    if meeting is None:
        raise NotInMeeting
    address = url.strip()
    if not WEB_ADDRESS.fullmatch(address):
        raise NeedsText(verb="recording", example="https://example.com/watch/42")
    incidents.record_change(
        turn.db,
        incident,
        "meeting",
        meeting.id,
        what="recording",
        before=meeting.recording,
        after=address,
        by=by,
        now=turn.now,
    )
    meeting.recording = address
    turn.db.flush()
    yield Note.private(by, "meeting_recording", recording=address)


# In an open meeting ----------------------------------------------------------------------


def note(turn: Turn, *, where: Where, by: UserId, text: str) -> Notes:
    """Write down whatever is said, without leaving the topic on the table; says `meeting_noted`."""
    sitting = open_now(turn, where, by)
    if not text.strip():
        raise NeedsText(verb="note", example="support heard of it from customers first")
    topic = sitting.agenda.topic.name
    reviews.note_down(turn.db, sitting.meeting, text.strip(), topic=topic, by=by, parked=None, now=turn.now)
    yield Note.private(by, "meeting_noted", text=text.strip())
    yield from wording.look_over(turn, sitting.incident, Thing.note, by=by, number=0, text=text)


def park(turn: Turn, *, where: Where, by: UserId, text: str) -> Notes:
    """Put a thought aside for later, without leaving the topic on the table; says `meeting_parked`."""
    sitting = open_now(turn, where, by)
    roles = incidents.roles(turn.db, sitting.incident.id)
    if by != roles.scribe and sitting.meeting.self_run_at is None:
        require(Who.facilitating, by, roles, "park")
    if not text.strip():
        raise NeedsText(verb="park", example="how we rotate the certificates")
    topic = sitting.agenda.topic.name
    reviews.note_down(turn.db, sitting.meeting, text.strip(), topic=topic, by=by, parked=turn.now, now=turn.now)
    yield Note.private(by, "meeting_parked", text=text.strip())
    yield from wording.look_over(turn, sitting.incident, Thing.note, by=by, number=0, text=text)


def arrive(turn: Turn, *, where: Where, by: UserId) -> Notes:
    """Somebody is here; one tap, and twice is once; says `meeting_arrived`."""
    sitting = open_now(turn, where, by)
    attending.here(turn.db, sitting.meeting, by, now=turn.now)
    yield Note.private(by, "meeting_arrived")

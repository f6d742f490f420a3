"""What calendars hold of a meeting, told to each by letter and in its place by a file; and who says that they come."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bot import calendars, sitting
from bot.calendars import Appointment
from bot.desk import Note, Notes, Turn
from bot.review.incident import UserId
from bot.review.refusal import NoneToComeTo, NotOneOfUs
from storage import attending, incidents, letters, outbox, people, reviews, revised
from storage.incidents import Where
from storage.models import Attendee, Incident, Meeting, OutboxNote, Person

REQUEST, CANCEL = "REQUEST", "CANCEL"
"""What a letter asks of a calendar (RFC 5546)."""
NUMBERED = {"sequence", "revised_at"}
"""What tells two versions of a meeting apart without making them different."""


Ahead = Sequence[tuple[Meeting, Incident]]
"""Meetings that are to come."""


def tell_calendars(turn: Turn) -> Notes:
    """Where calendars hold what is not so any more: a new file in the place (`calendar`), a letter to each it concerns.

    What a meeting is, is compared with what was told of it, so whoever changes one need not think of calendars.
    """
    ahead = revised.ahead(turn.db, turn.team, now=turn.now)
    for meeting, incident in ahead:
        meeting.call = meeting.call or sitting.call_of(turn, incident)
    asked = revised.asked(turn.db, turn.team, ahead) if ahead else {}
    for meeting, incident in _with_news(turn, ahead, asked):
        is_news = revised.revise(turn.db, incident, meeting, asked=asked[meeting.id], now=turn.now)
        if meeting.uid is not None:
            keys = _every_key(turn, incident, meeting) if is_news else _missing(turn, incident, meeting)
            yield from _files(turn, incident, keys)
            yield from _letters(turn, incident, meeting, asked[meeting.id])


def _with_news(turn: Turn, ahead: Ahead, asked: Mapping[int, Sequence[UserId]]) -> Ahead:
    """Those of which there is something to tell, found with as many questions however many there are."""
    if not ahead:
        return []
    found = _without_a_file(turn, ahead) | _with_letters(turn, ahead, asked)
    return [
        (meeting, incident)
        for meeting, incident in ahead
        if meeting.id in found or revised.is_news(turn.db, incident, meeting, asked=asked[meeting.id])
    ]


# The file ------------------------------------------------------------------------------


def _files(turn: Turn, incident: Incident, keys: Iterable[str]) -> Notes:
    for key in keys:
        yield Note.file(key, "calendar", revised.place_in(key), title=calendars.titled(turn.db, incident))


def _every_key(turn: Turn, incident: Incident, meeting: Meeting) -> list[str]:
    """Of the file in its place, and of those in places where it was to be before."""
    written = outbox.keys(turn.db, turn.team, f"{outbox.CALENDAR}{meeting.id}:")
    return sorted({revised.key(turn.db, incident, meeting), *written})


def _missing(turn: Turn, incident: Incident, meeting: Meeting) -> list[str]:
    return [revised.key(turn.db, incident, meeting)] if _without_a_file(turn, [(meeting, incident)]) else []


def _without_a_file(turn: Turn, ahead: Ahead) -> set[int]:
    """Never written, or taken for a picture of nothing by a program of before files that runs beside this one."""
    planned = [(meeting, incident) for meeting, incident in ahead if meeting.cancelled_at is None]
    keys = {meeting.id: revised.key(turn.db, incident, meeting) for meeting, incident in planned}
    notes = outbox.found(turn.db, turn.team, keys.values())
    shown = {key for key, note in notes.items() if note.state != "sent" or note.files}
    return {number for number, key in keys.items() if key not in shown}


# Letters -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Post:
    """What is to be told of a meeting by letter, and what was."""

    now: Appointment
    asked: Sequence[UserId]
    known: Mapping[str, Person]
    notes: Sequence[OutboxNote]

    @property
    def last(self) -> Mapping[str, OutboxNote]:
        """The letter to each who was written to."""
        return {note.user_id or "": note for note in self.notes}

    @property
    def to_invite(self) -> list[Person]:
        """Core attendees with an address, whose calendars are to hold something else than they were told."""
        here = [self.known[user] for user in self.asked if user in self.known]
        return [one for one in here if one.email and _is_news(self.last.get(one.user_id), self.now)]

    @property
    def to_let_off(self) -> list[OutboxNote]:
        """What invited those who need not come any more."""
        invited = [note for note in self.notes if _enclosed(note).get("method") == REQUEST]
        return [note for note in invited if note.user_id not in self.asked]


def _with_letters(turn: Turn, ahead: Ahead, asked: Mapping[int, Sequence[UserId]]) -> set[int]:
    """Those of which there is a letter to write."""
    if not turn.house.letters_from:
        return set()
    now = calendars.appointments(turn.db, turn.house, ahead)
    known = people.known(turn.db, turn.team, {user for users in asked.values() for user in users})
    notes: defaultdict[str, list[OutboxNote]] = defaultdict(list)
    for note in letters.beginning_any(turn.db, turn.team, [_key(meeting) for meeting, _ in ahead]):
        notes[note.key.removesuffix(note.user_id or "")].append(note)
    posts = {
        meeting.id: Post(now[meeting.id], _to_come(meeting, asked[meeting.id]), known, notes[_key(meeting)])
        for meeting, _ in ahead
    }
    return {number for number, post in posts.items() if post.to_invite or post.to_let_off}


def _to_come(meeting: Meeting, asked: Sequence[UserId]) -> Sequence[UserId]:
    return [] if meeting.cancelled_at else asked


def _letters(turn: Turn, incident: Incident, meeting: Meeting, asked: Sequence[UserId]) -> Notes:
    """One for each core attendee with an address, and the taking back for whoever need not come any more."""
    if not turn.house.letters_from:
        return
    now, known = calendars.appointment(turn.db, turn.house, incident, meeting), people.known(turn.db, turn.team, asked)
    post = Post(now, _to_come(meeting, asked), known, letters.beginning(turn.db, turn.team, _key(meeting)))
    for person in post.to_invite:
        yield _invitation(meeting, person, now, last=post.last.get(person.user_id))
    for note in post.to_let_off:
        yield from _taken_back(turn, meeting, note, now)


def _key(meeting: Meeting, user: str = "") -> str:
    return f"letter:{meeting.id}:{user}"


def _enclosed(note: OutboxNote | None) -> Mapping[str, Any]:
    return (note.letter or {}) if note else {}


def _is_news(note: OutboxNote | None, now: Appointment) -> bool:
    """Whether their calendar is to hold something else than the last letter told it."""
    last = _enclosed(note)
    if last.get("method") != REQUEST:
        return True
    return _lasting(last["appointment"]) != _lasting(now.to_json())


def _lasting(appointment: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in appointment.items() if name not in NUMBERED}


def _invitation(meeting: Meeting, person: Person, now: Appointment, *, last: OutboxNote | None) -> Note:
    was_asked = _enclosed(last).get("method") == REQUEST and last is not None and not letters.never_left(last)
    return _letter(meeting, person, now, method=REQUEST, words="moved" if was_asked else "invitation")


def _taken_back(turn: Turn, meeting: Meeting, note: OutboxNote, now: Appointment) -> Notes:
    """Where the invitation never left there is nothing to take back, and nobody to tell who has no address any more."""
    person = people.find(turn.db, turn.team, note.user_id or "")
    if letters.never_left(note) or person is None or not person.email:
        letters.drop(turn.db, note)
        return
    words = "called_off" if meeting.cancelled_at else "let_off"
    yield _letter(meeting, person, now, method=CANCEL, words=words)


def _letter(meeting: Meeting, person: Person, now: Appointment, *, method: str, words: str) -> Note:
    enclosed = {"method": method, "appointment": now.to_json(), "until": now.ends_at.isoformat()}
    return Note.letter(
        _key(meeting, person.user_id),
        words,
        UserId(person.user_id),
        enclosed,
        summary=now.summary,
        at=now.at,
        minutes=now.minutes,
        zone=person.zone,
        where=now.where,
        url=now.url,
        why=None if now.is_private else meeting.why,
    )


# Who comes -----------------------------------------------------------------------------

COMING, NOT_COMING = "yes", "no"


def answer(turn: Turn, *, where: Where, by: UserId, coming: str) -> Notes:
    """Somebody says that they come, or cannot; who was not asked is welcome to listen. Says `answered`.

    Raises NoneToComeTo and NotOneOfUs.
    """
    incident = incidents.at(turn.db, turn.team, where, by)
    meeting = reviews.planned_meeting(turn.db, reviews.of(turn.db, incident))
    if meeting is None:
        raise NoneToComeTo
    if not people.is_one_of_us(turn.db, turn.team, by):
        raise NotOneOfUs(user=by)
    row = attending.attendee(turn.db, meeting, by)
    if row is None and coming == COMING:
        attending.invite(turn.db, meeting, by, core=None, now=turn.now)
        row = attending.attendee(turn.db, meeting, by)
    if row is not None:
        row.answer, row.answered_at = coming, turn.now
    yield Note.private(by, "answered", **_facts(turn, incident, meeting, row, by), coming=coming == COMING)


def _facts(turn: Turn, incident: Incident, meeting: Meeting, row: Attendee | None, by: UserId) -> dict[str, Any]:
    return {
        "incident": incident.id,
        "meeting": meeting,
        "zone": people.zone(turn.db, turn.team, by),
        "is_asked": row is not None and row.core_since is not None,
        "roles": incidents.roles(turn.db, incident.id).of(by),
    }

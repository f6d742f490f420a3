"""What calendars hold of a meeting, told to each by letter and in its place by a file; and who says that they come."""

from collections.abc import Iterable, Mapping
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


def tell_calendars(turn: Turn) -> Notes:
    """Where calendars hold what is not so any more: a new file in the place (`calendar`), a letter to each it concerns.

    What a meeting is, is compared with what was told of it, so whoever changes one need not think of calendars.
    """
    for meeting, incident in revised.ahead(turn.db, turn.team, now=turn.now):
        meeting.call = meeting.call or sitting.call_of(turn, incident)
        is_news = revised.revise(turn.db, incident, meeting, now=turn.now)
        if meeting.uid is not None:
            keys = _every_key(turn, incident, meeting) if is_news else _missing(turn, incident, meeting)
            yield from _files(turn, incident, keys)
            yield from _letters(turn, incident, meeting)


# The file ------------------------------------------------------------------------------


def _files(turn: Turn, incident: Incident, keys: Iterable[str]) -> Notes:
    for key in keys:
        yield Note.file(key, "calendar", revised.place_in(key), title=calendars.titled(turn.db, incident))


def _every_key(turn: Turn, incident: Incident, meeting: Meeting) -> list[str]:
    """Of the file in its place, and of those in places where it was to be before."""
    written = outbox.keys(turn.db, turn.team, f"{outbox.CALENDAR}{meeting.id}:")
    return sorted({revised.key(turn.db, incident, meeting), *written})


def _missing(turn: Turn, incident: Incident, meeting: Meeting) -> list[str]:
    key = revised.key(turn.db, incident, meeting)
    return [key] if meeting.cancelled_at is None and _is_missing(turn, key) else []


def _is_missing(turn: Turn, key: str) -> bool:
    """Never written, or taken for a picture of nothing by a program of before files that runs beside this one."""
    note = outbox.find(turn.db, turn.team, key)
    return note is None or (note.state == "sent" and not note.files)


# Letters -------------------------------------------------------------------------------


def _letters(turn: Turn, incident: Incident, meeting: Meeting) -> Notes:
    """One for each core attendee with an address, and the taking back for whoever need not come any more."""
    if not turn.house.letters_from:
        return
    now = calendars.appointment(turn.db, turn.house, incident, meeting)
    asked = [] if meeting.cancelled_at else revised.asked(turn.db, incident, meeting)
    last = {note.user_id: note for note in letters.beginning(turn.db, turn.team, _key(meeting))}
    for user, person in people.known(turn.db, turn.team, asked).items():
        if person.email and _is_news(last.get(user), now):
            yield _invitation(meeting, person, now, last=last.get(user))
    for user, note in last.items():
        if user not in asked and _enclosed(note).get("method") == REQUEST:
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
    """Where the invitation never left there is nothing to take back."""
    person = people.find(turn.db, turn.team, note.user_id or "")
    if letters.never_left(note) or person is None:
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

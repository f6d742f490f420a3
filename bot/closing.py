"""The close of the meeting: how it was for those who were there, counted without names."""

from bot.desk import Note, Notes, Turn
from bot.review.incident import UserId
from bot.review.pulse import Said
from bot.review.refusal import NotInMeeting, PulseSettled, PulseUnknown, RoomOnly
from storage import incidents, people, pulse, reviews
from storage.incidents import Where
from storage.models import Incident, Meeting


def ask_pulse(turn: Turn, *, where: Where, by: UserId) -> Notes:
    """What there is to tap, for whoever asks; says `pulse`."""
    incident = incidents.at(turn.db, turn.team, where, by)
    _meeting(turn, incident, by)
    yield Note.private(by, "pulse", incident=incident.id)


def tap(turn: Turn, *, where: Where, by: UserId, words: str) -> Notes:
    """One tap, anonymous: each person counts once for each thing, and a second tap takes it back.

    Says `pulse_counted` to whoever tapped, and nothing to anybody else. It leaves no trace of who was here.
    """
    meeting = _meeting(turn, incidents.at(turn.db, turn.team, where, by), by)
    if words not in set(Said):
        raise PulseUnknown
    counted = pulse.tap(turn.db, meeting, by, Said(words))
    yield Note.private(by, "pulse_counted", counted=[said.label for said in Said if said in counted])


def _meeting(turn: Turn, incident: Incident, by: UserId) -> Meeting:
    """The one this person may say something of: it is still asked about, and they are in its room."""
    review = reviews.of(turn.db, incident)
    meeting = reviews.open_meeting(turn.db, review) or reviews.last_held(turn.db, review)
    if meeting is None:
        raise NotInMeeting
    if not people.is_one_of_us(turn.db, turn.team, by) or not pulse.may_answer(turn.db, incident, meeting, by):
        raise RoomOnly
    if not pulse.is_open(turn.db, meeting, now=turn.now):
        raise PulseSettled
    return meeting


def forget_taps(turn: Turn) -> Notes:
    """Whose taps they were was kept to count each person once; when the review is out, nobody can know any more."""
    over = pulse.to_forget(turn.db, turn.team, now=turn.now)
    if over:
        pulse.forget(turn.db, over, now=turn.now)
    return ()

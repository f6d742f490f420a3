"""One question answered in private before the meeting, and opened in it: all answers at once, in no order."""

import secrets

from bot.desk import Note, Notes, Turn
from bot.review.incident import UserId
from bot.review.lifecycle import Who, require
from bot.review.policy import Depth
from bot.review.refusal import (
    AnsweredAlready,
    CoreOnly,
    MeansToReveal,
    NeedsText,
    NotAskedInPrivate,
    NothingScheduled,
    NotSealedHere,
    SealIsGone,
    TooLong,
)
from bot.seals import Answer, Seal, SealBroken
from bot.sitting import open_now, takes_sealed_answers
from storage import attending, incidents, pseudonyms, reviews, sealed
from storage.incidents import Where
from storage.models import Meeting, Review
from storage.sittings import Sitting

LONGEST = 1000
"""Characters of an answer."""
SOMEBODY = "somebody"
"""Who gave an answer without a name, wherever answers are told afterwards."""


def answer(turn: Turn, *, where: Where, by: UserId, text: str, signed: bool = False) -> Notes:
    """What surprised somebody, for nobody's eyes before the meeting; says `sealed_kept`.

    Raises NotAskedInPrivate, NothingScheduled, NotSealedHere, CoreOnly, NeedsText, MeansToReveal, TooLong and
    AnsweredAlready. There is no second answer, for an answer without a name is nobody's, and could not be taken back.
    """
    review, meeting, seal = _asked(turn, where, by)
    _keep(turn, seal, review, meeting, by=by, told=_told(text, by if signed else None))
    yield Note.private(by, "sealed_kept", signed=signed)


def may_answer(turn: Turn, *, where: Where, by: UserId) -> None:
    """Raises what `answer` would for any text, so that nobody writes one that cannot be taken."""
    review, _, seal = _asked(turn, where, by)
    if sealed.has_answered(turn.db, review, seal.mark(review.id, by)):
        raise AnsweredAlready


def must_be_asked_at_all(turn: Turn, *, where: Where, by: UserId) -> None:
    """Raises NotAskedInPrivate where the review goes on without a meeting, in which answers could be opened."""
    incident = incidents.at(turn.db, turn.team, where, by)
    review = reviews.of(turn.db, incident)
    meets = reviews.planned_meeting(turn.db, review) or reviews.open_meeting(turn.db, review)
    if meets is None and turn.asked_of(incident).depth in {Depth.light, Depth.threads}:
        raise NotAskedInPrivate


def _asked(turn: Turn, where: Where, by: UserId) -> tuple[Review, Meeting, Seal]:
    """The meeting before which somebody is asked, and what closes their answer."""
    must_be_asked_at_all(turn, where=where, by=by)
    incident = incidents.at(turn.db, turn.team, where, by)
    review = reviews.of(turn.db, incident)
    meeting = reviews.planned_meeting(turn.db, review) or reviews.open_meeting(turn.db, review)
    if meeting is None:
        raise NothingScheduled
    if not takes_sealed_answers(turn, incident, meeting) or turn.house.seal is None:
        raise NotSealedHere
    row = attending.attendee(turn.db, meeting, by)
    if row is None or row.core_since is None:
        raise CoreOnly
    return review, meeting, turn.house.seal


def _told(text: str, user: UserId | None) -> Answer:
    words = text.strip()
    if not words:
        raise NeedsText(verb="surprise", example="how long it took us to find the runbook")
    if words.lower() == "reveal":
        raise MeansToReveal
    if len(words) > LONGEST:
        raise TooLong(what="an answer", most=LONGEST)
    return Answer(words, user)


def _keep(turn: Turn, seal: Seal, review: Review, meeting: Meeting, *, by: UserId, told: Answer) -> None:
    sealed.hold(turn.db, review)
    mark = seal.mark(review.id, by)
    if sealed.has_answered(turn.db, review, mark):
        raise AnsweredAlready
    closed = [*(_closed_anew(seal, box) for box in sealed.boxes(turn.db, review)), seal.close(told)]
    sealed.put(turn.db, meeting, closed, mark=mark)


def _closed_anew(seal: Seal, box: str) -> str:
    """So that nobody who saw the rows before can tell which one was added."""
    try:
        return seal.close(seal.open(box))
    except SealBroken:
        return box


def reveal(turn: Turn, *, where: Where, by: UserId) -> Notes:
    """Open the answers in the meeting, shuffled, for everybody who reads along there; says `sealed_revealed`.

    Raises NotInMeeting, NotYours and SealIsGone.
    """
    sitting = open_now(turn, where, by)
    require(Who.facilitating, by, incidents.roles(turn.db, sitting.incident.id), "reveal")
    review = reviews.of(turn.db, sitting.incident)
    sealed.hold(turn.db, review)
    answers = _opened(turn, review)
    if not answers:
        yield Note.private(by, "meeting_nothing_sealed", are_open=sealed.were_revealed(turn.db, review))
        return
    _write_down(turn, sitting, answers, by)
    sealed.forget(turn.db, [review.id])
    sealed.sweep_up(turn.db, turn.team, now=turn.now)
    place = reviews.place_of(turn.db, sitting.incident, sitting.meeting)
    yield Note.once(f"revealed:{sitting.meeting.id}", "sealed_revealed", place, answers=answers, by=by)


def _opened(turn: Turn, review: Review) -> list[Answer]:
    boxes, seal = sealed.boxes(turn.db, review), turn.house.seal
    if boxes and seal is None:
        raise SealIsGone
    try:
        answers = [seal.open(box) for box in boxes] if seal else []
    except SealBroken as broken:
        raise SealIsGone from broken
    secrets.SystemRandom().shuffle(answers)
    instead = pseudonyms.read(turn.db, turn.team)
    return [Answer(each.text, instead.maybe(each.user)) for each in answers]


def _write_down(turn: Turn, sitting: Sitting, answers: list[Answer], by: UserId) -> None:
    """From now on they are notes of the meeting like any other, all of one moment."""
    topic = sitting.agenda.topic.name
    for each in answers:
        who = each.user or SOMEBODY
        reviews.note_down(turn.db, sitting.meeting, each.text, topic=topic, by=who, parked=None, now=turn.now)
    sealed.mark_revealed(turn.db, sitting.incident, sitting.meeting, by=by, now=turn.now)


def forget_answers(turn: Turn) -> Notes:
    """What nobody opened in the meeting goes with the review: it was told for that room, and for no other."""
    over = sealed.to_forget(turn.db, turn.team, now=turn.now)
    if over:
        sealed.forget(turn.db, over)
        sealed.sweep_up(turn.db, turn.team, now=turn.now)
    return ()

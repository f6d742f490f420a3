"""Whose turn it is: who leads the meeting and who writes is asked beforehand, one after the other, and may pass."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from itertools import islice
from typing import Any, Literal

from bot.desk import Note, Notes, Turn
from bot.review import rotation
from bot.review.incident import UserId
from bot.review.lifecycle import Role
from bot.review.refusal import NotAsked
from bot.seeking import calendar_of, sought
from storage import attending, incidents, outbox, people, reviews, rota, silence
from storage.incidents import Where
from storage.models import Incident, Meeting, RoleAsked
from storage.rota import SHADOW, Rotation

PAUSE = timedelta(minutes=30)
"""So long after a meeting was booked nobody is asked: whoever booked it often names somebody at once."""
AHEAD = timedelta(days=60)
WAITED_FOR = timedelta(hours=24)
"""Until so long before the meeting the one whose turn it is is waited for; then whoever may be asked now is."""
PARTS = (Role.facilitator, Role.scribe)


# What the clock asks -------------------------------------------------------------------------


def ask_due(turn: Turn) -> Notes:
    """For each meeting that nobody leads, or nobody writes at: ask whose turn it is (`rota_asked`).

    1. Half an hour after it was booked, each when they may be written to.
    2. Who has not answered after a working day is not waited for any more, and the next one is asked.
    3. Where nobody is left, whoever leads the incident hears of it, once (`rota_nobody_left`).
    """
    for meeting, incident in reviews.planned_between(turn.db, turn.team, turn.now, turn.now + AHEAD):
        is_settled = meeting.scheduled_at is not None and turn.now >= meeting.scheduled_at + PAUSE
        if is_settled and meeting.apart is None and reviews.over_since(turn.db, incident):
            yield from _fill(turn, incident, meeting)
            yield from _ask_beside(turn, incident, meeting)


def _fill(turn: Turn, incident: Incident, meeting: Meeting) -> Iterator[Note]:
    open_parts = [part for part in PARTS if not incidents.holding(turn.db, incident.id, part)]
    missing: list[Role] = []
    for part in open_parts:
        if _is_awaited(turn, meeting, part):
            continue
        left = list(_left(turn, incident, meeting, part))
        chosen = _may_be_asked(turn, incident, meeting, left)
        if chosen:
            yield _ask(turn, incident, meeting, part=part, chosen=chosen)
        elif not left:
            missing.append(part)
    if missing and not (set(open_parts) - set(missing)):
        yield from _nobody_left(turn, incident, meeting, missing)


def _is_awaited(turn: Turn, meeting: Meeting, part: Role) -> bool:
    """Whether somebody was asked and may still answer; whose time is over has let it lapse."""
    waiting = [row for row in rota.asked(turn.db, meeting) if row.role == part and row.answer is None]
    for row in waiting:
        by = _answer_by(turn, meeting, row.user_id, asked_at=row.asked_at)
        if by is None or turn.now >= by or not people.is_one_of_us(turn.db, turn.team, row.user_id):
            rota.answered(turn.db, row, "lapsed", now=turn.now)
    return any(row.answer is None for row in waiting)


def _answer_by(turn: Turn, meeting: Meeting, user: str, *, asked_at: datetime) -> datetime | None:
    meets_at = meeting.meets_at or turn.now
    return rotation.answer_by(asked_at, meets_at, calendar_of(turn, user))


def _left(turn: Turn, incident: Incident, meeting: Meeting, part: Role) -> Iterator[Rotation]:
    """Who may still be asked in time: nobody twice for one meeting, nobody who wants to be left alone."""
    asked = {row.user_id for row in rota.asked(turn.db, meeting)}
    for one in rota.in_turn(turn.db, incident, sought(turn, part, meeting)):
        is_alone = one.user in asked or silence.wants_silence(turn.db, turn.team, one.user, now=turn.now)
        if not is_alone and _answer_by(turn, meeting, one.user, asked_at=turn.now):
            yield one


def _may_be_asked(turn: Turn, incident: Incident, meeting: Meeting, left: Iterable[Rotation]) -> Rotation | None:
    """The first one, when they may be written to; a day before the meeting whoever may be."""
    is_soon = meeting.meets_at is not None and turn.now >= meeting.meets_at - WAITED_FOR
    wanted = left if is_soon else islice(left, 1)
    return next((one for one in wanted if turn.may_tell(one.user, incident)), None)


def _ask(turn: Turn, incident: Incident, meeting: Meeting, *, part: Role, chosen: Rotation) -> Note:
    rota.ask(turn.db, incident, meeting, part.value, user=chosen.user, now=turn.now)
    return Note.once(
        f"rota:{meeting.id}:{part}:{chosen.user}",
        "rota_asked",
        chosen.user,
        part=part,
        responded=chosen.responded,
        answer_by=_answer_by(turn, meeting, chosen.user, asked_at=turn.now),
        **_meeting_facts(turn, incident, meeting, chosen.user),
    )


def _meeting_facts(turn: Turn, incident: Incident, meeting: Meeting, reader: UserId) -> dict[str, Any]:
    return {
        "incident": incident.id,
        "title": incident.title,
        "meeting": meeting,
        "place": reviews.place_of(turn.db, incident, meeting),
        "zone": people.zone(turn.db, turn.team, reader),
    }


def _nobody_left(turn: Turn, incident: Incident, meeting: Meeting, missing: Sequence[Role]) -> Iterator[Note]:
    """To the lead, where there was somebody to ask at all; alone in a room nobody needs to be told so."""
    key, lead = f"rota-nobody-left:{meeting.id}", incidents.roles(turn.db, incident.id).lead
    were_asked = {row.role for row in rota.asked(turn.db, meeting)}
    told_of = [part for part in missing if part in were_asked or part is Role.facilitator]
    is_alone = not were_asked and len(attending.attendees(turn.db, meeting)) <= 1
    if lead and told_of and not is_alone and not outbox.find(turn.db, turn.team, key) and turn.may_tell(lead, incident):
        facts = _meeting_facts(turn, incident, meeting, lead)
        yield Note.once(key, "rota_nobody_left", lead, parts=told_of, were_asked=bool(were_asked), **facts)


# What people answer ---------------------------------------------------------------------------


def take(turn: Turn, *, where: Where, by: UserId, role: Role) -> Notes:
    """Somebody who was asked takes the part, also later than they were asked to answer; who leads is said to everybody.

    Where somebody has it by now, or the meeting is not to be any more, that is said, with thanks. Raises NotAsked.
    """
    incident, meeting, row = _asked_of(turn, where, by, role.value)
    held = incidents.holding(turn.db, incident.id, role)
    if meeting is None or held:
        yield Note.private(by, "rota_too_late", part=role, me=by, holder=held.user_id if held else None)
        return
    beside = _experienced(turn, incident, meeting, by) if role is Role.facilitator else None
    yield from _taken(turn, incident, meeting, role=role, by=by)
    rota.answered(turn.db, row, "taken", now=turn.now)
    yield Note.private(by, "rota_taken", part=role, beside=beside, **_meeting_facts(turn, incident, meeting, by))


def pass_on(turn: Turn, *, where: Where, by: UserId, role: Role) -> Notes:
    """Not this time, and nobody asks why; somebody else is asked. Raises NotAsked."""
    incident, _, row = _asked_of(turn, where, by, role.value)
    held = incidents.holding(turn.db, incident.id, role)
    if row.answer in {None, "lapsed"}:
        rota.answered(turn.db, row, "passed", now=turn.now)
    yield Note.private(by, "rota_passed", part=role, me=by, holder=held.user_id if held else None)


def _asked_of(turn: Turn, where: Where, by: UserId, role: str) -> tuple[Incident, Meeting | None, RoleAsked]:
    """The incident, its meeting where one is still planned, and what this person was asked; raises NotAsked."""
    incident = incidents.at(turn.db, turn.team, where, by)
    row = rota.last_asked(turn.db, incident, role, by)
    if row is None:
        raise NotAsked
    return incident, reviews.planned_meeting(turn.db, reviews.of(turn.db, incident)), row


def _taken(turn: Turn, incident: Incident, meeting: Meeting, *, role: Role, by: UserId) -> Iterator[Note]:
    incidents.give_role(turn.db, incident, role, by, by=by, now=turn.now)
    incidents.record_change(
        turn.db, incident, "incident", incident.id, what=role.value, before=None, after=by, by=by, now=turn.now
    )
    attending.invite(turn.db, meeting, by, core=turn.now, now=turn.now)
    held = incidents.holding(turn.db, incident.id, role)
    if held and role is Role.facilitator:
        place, responded = reviews.place_of(turn.db, incident, meeting), rota.responded(turn.db, incident, by)
        facts = {"user": by, "meeting": meeting, "responded": responded}
        yield Note.once(f"role:{incident.id}:{held.id}", "rota_leads", place, **facts)


# Somebody beside a first-timer -------------------------------------------------------------------


def _experienced(turn: Turn, incident: Incident, meeting: Meeting, by: UserId) -> UserId | None:
    """For somebody who never led a meeting: who has, can come and was not asked yet."""
    led = {one.user for one in rota.turns(turn.db, turn.team, Role.facilitator) if one.incident != incident.id}
    if by in led:
        return None
    free = _left(turn, incident, meeting, Role.facilitator)
    return next((one.user for one in free if one.user in led and one.user != by and not one.responded), None)


def ask_beside(turn: Turn, *, where: Where, by: UserId) -> Notes:
    """Whoever leads for the first time wants somebody beside them who has led before. Raises NotAsked."""
    incident, meeting, _ = _asked_of(turn, where, by, Role.facilitator.value)
    is_theirs = incidents.roles(turn.db, incident.id).facilitator == by
    waiting = [row for row in rota.asked(turn.db, meeting) if row.role == SHADOW] if meeting else []
    free = _experienced(turn, incident, meeting, by) if meeting and is_theirs and not waiting else None
    if meeting and free:
        waiting = [rota.ask(turn.db, incident, meeting, SHADOW, user=free, now=turn.now)]
    yield Note.private(by, "rota_beside_asked", user=waiting[0].user_id if waiting else None)


def _ask_beside(turn: Turn, incident: Incident, meeting: Meeting) -> Iterator[Note]:
    leads = incidents.roles(turn.db, incident.id).facilitator
    for row in rota.asked(turn.db, meeting):
        key, user = f"rota:{meeting.id}:{SHADOW}:{row.user_id}", UserId(row.user_id)
        is_new = row.role == SHADOW and row.answer is None and not outbox.find(turn.db, turn.team, key)
        if leads and leads != user and is_new and turn.may_tell(user, incident):
            yield Note.once(key, "rota_beside", user, leads=leads, **_meeting_facts(turn, incident, meeting, user))


def sit_beside(turn: Turn, *, where: Where, by: UserId, answer: Literal["taken", "passed"]) -> Notes:
    """What they answer whoever leads for the first time; who wanted to know hears of it. Raises NotAsked."""
    incident, meeting, row = _asked_of(turn, where, by, SHADOW)
    leads = incidents.roles(turn.db, incident.id).facilitator
    if meeting and leads and row.answer != answer:
        rota.answered(turn.db, row, answer, now=turn.now)
        if answer == "taken":
            attending.invite(turn.db, meeting, by, core=turn.now, now=turn.now)
        facts = {"user": by, "coming": answer == "taken", **_meeting_facts(turn, incident, meeting, leads)}
        yield Note.once(f"whisper:beside:{row.id}:{answer}", "rota_beside_answered", leads, **facts)
    yield Note.private(by, "rota_beside_kept", coming=answer == "taken", leads=leads, is_planned=meeting is not None)

"""Whose turn it is: who leads the meeting and who writes is asked beforehand, one after the other, and may pass."""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any, Literal

from bot.desk import Note, Notes, Turn
from bot.review import rotation
from bot.review.incident import UserId
from bot.review.lifecycle import Role
from bot.review.refusal import NotAsked
from bot.seeking import calendar_of, calendars_of, sought
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


@dataclass(frozen=True, slots=True)
class Gap:
    """A part in a meeting that nobody has."""

    incident: Incident
    meeting: Meeting
    part: Role

    @property
    def key(self) -> tuple[int, Role]:
        return self.meeting.id, self.part

    @property
    def meets_at(self) -> datetime:
        """Without an hour there is no time left to ask anybody."""
        return self.meeting.meets_at or rotation.NEVER


def ask_due(turn: Turn) -> Notes:
    """For each meeting that nobody leads, or nobody writes at: ask whose turn it is (`rota_asked`).

    1. Half an hour after it was booked, each when they may be written to.
    2. Who has not answered after a working day is not waited for any more, and the next one is asked.
    3. Where nobody is left, whoever leads the incident hears of it, once (`rota_nobody_left`).
    """
    planned = _settled(turn)
    if planned:
        yield from _fill(turn, _gaps(turn, planned))
        yield from _ask_beside(turn, planned)


def _settled(turn: Turn) -> Sequence[tuple[Meeting, Incident]]:
    """Meetings that were booked half an hour ago, of incidents that are over."""
    every = reviews.planned_between(turn.db, turn.team, turn.now, turn.now + AHEAD)
    found = [(meeting, incident) for meeting, incident in every if _is_settled(turn, meeting)]
    over = reviews.over_in(turn.db, [incident.id for _, incident in found]) if found else {}
    return [(meeting, incident) for meeting, incident in found if incident.id in over]


def _is_settled(turn: Turn, meeting: Meeting) -> bool:
    return meeting.scheduled_at is not None and turn.now >= meeting.scheduled_at + PAUSE


def _gaps(turn: Turn, planned: Sequence[tuple[Meeting, Incident]]) -> Sequence[Gap]:
    roles = incidents.roles_in(turn.db, [incident.id for _, incident in planned])
    parts = {number: {Role.facilitator: held.facilitator, Role.scribe: held.scribe} for number, held in roles.items()}
    return [
        Gap(incident, meeting, part) for meeting, incident in planned for part in PARTS if not parts[incident.id][part]
    ]


def _fill(turn: Turn, gaps: Sequence[Gap]) -> Iterator[Note]:
    """Nobody is asked twice in a round: for a meeting's other part the next in turn is, another meeting waits."""
    awaited = _awaited(turn, gaps)
    unasked = [gap for gap in gaps if gap.key not in awaited]
    left = _left(turn, unasked)
    free, missing = turn.who_may_be_told([one.user for users in left for one in users]), list[Gap]()
    told: dict[UserId, int] = {}
    for gap, users in zip(unasked, left, strict=True):
        others = [one for one in users if told.get(one.user) != gap.meeting.id]
        chosen = _may_be_asked(turn, gap, others, free - told.keys())
        if chosen:
            told[chosen.user] = gap.meeting.id
            yield _ask(turn, gap, chosen)
        elif not users:
            missing.append(gap)
    yield from _nobody_left(turn, gaps, missing, told=set(told))


def _awaited(turn: Turn, gaps: Sequence[Gap]) -> set[tuple[int, Role]]:
    """Where somebody was asked and may still answer; whose time is over has let it lapse."""
    asked = _asked_in(turn, gaps)
    waiting = [
        (gap, row) for gap in gaps for row in asked[gap.meeting.id] if (row.role, row.answer) == (gap.part, None)
    ]
    users = {row.user_id for _, row in waiting}
    calendars = calendars_of(turn, users) if users else {}
    here = people.of_us_among(turn.db, turn.team, users) if users else set[str]()
    for gap, row in waiting:
        by = rotation.answer_by(row.asked_at, gap.meets_at, calendars[row.user_id])
        if by is None or turn.now >= by or row.user_id not in here:
            rota.answered(turn.db, row, "lapsed", now=turn.now)
    return {gap.key for gap, row in waiting if row.answer is None}


def _asked_in(turn: Turn, gaps: Sequence[Gap]) -> Mapping[int, Sequence[RoleAsked]]:
    return rota.asked_in(turn.db, {gap.meeting.id for gap in gaps}) if gaps else {}


def _left(turn: Turn, gaps: Sequence[Gap]) -> Sequence[Sequence[Rotation]]:
    """Who may still be asked in time: nobody twice for one meeting, nobody who wants to be left alone."""
    wanted = [(gap.incident, sought(turn, gap.part, gap.meeting)) for gap in gaps]
    found, asked = rota.in_turn_each(turn.db, turn.team, wanted), _asked_in(turn, gaps)
    users = {one.user for rotations in found for one in rotations}
    if not users:
        return found
    calendars = calendars_of(turn, users)
    alone = silence.who_want_silence(turn.db, turn.team, users, now=turn.now)

    def may_be_asked(gap: Gap, user: UserId) -> bool:
        if user in alone or any(row.user_id == user for row in asked[gap.meeting.id]):
            return False
        return rotation.answer_by(turn.now, gap.meets_at, calendars[user]) is not None

    return [
        [one for one in rotations if may_be_asked(gap, one.user)] for gap, rotations in zip(gaps, found, strict=True)
    ]


def _may_be_asked(turn: Turn, gap: Gap, left: Sequence[Rotation], free: Collection[str]) -> Rotation | None:
    """The first one, when they may be written to; a day before the meeting whoever may be."""
    wanted = left if turn.now + WAITED_FOR >= gap.meets_at else left[:1]
    return next((one for one in wanted if one.user in free and turn.may_tell(one.user, gap.incident)), None)


def _ask(turn: Turn, gap: Gap, chosen: Rotation) -> Note:
    rota.ask(turn.db, gap.incident, gap.meeting, gap.part.value, user=chosen.user, now=turn.now)
    return Note.once(
        f"rota:{gap.meeting.id}:{gap.part}:{chosen.user}",
        "rota_asked",
        chosen.user,
        part=gap.part,
        responded=chosen.responded,
        answer_by=rotation.answer_by(turn.now, gap.meets_at, calendar_of(turn, chosen.user)),
        **_meeting_facts(turn, gap.incident, gap.meeting, chosen.user),
    )


def _meeting_facts(turn: Turn, incident: Incident, meeting: Meeting, reader: UserId) -> dict[str, Any]:
    return {
        "incident": incident.id,
        "title": incident.title,
        "meeting": meeting,
        "place": reviews.place_of(turn.db, incident, meeting),
        "zone": people.zone(turn.db, turn.team, reader),
    }


def _nobody_left(turn: Turn, gaps: Sequence[Gap], missing: Sequence[Gap], *, told: set[UserId]) -> Iterator[Note]:
    """To the lead, where there was somebody to ask at all; alone in a room nobody needs to be told so."""
    untold = _untold(turn, gaps, missing)
    if not untold:
        return
    first = [of_one[0] for of_one in untold]
    leads = {
        number: held.lead for number, held in incidents.roles_in(turn.db, [gap.incident.id for gap in first]).items()
    }
    free = turn.who_may_be_told(leads.values())
    asked, invited = _asked_in(turn, first), attending.counts(turn.db, [gap.meeting.id for gap in first])
    for gap, of_one in zip(first, untold, strict=True):
        lead, were_asked = leads[gap.incident.id], {row.role for row in asked[gap.meeting.id]}
        parts = [each.part for each in of_one if each.part in were_asked or each.part is Role.facilitator]
        is_alone = not were_asked and invited.get(gap.meeting.id, 0) <= 1
        if lead and parts and not is_alone and lead in free - told and turn.may_tell(lead, gap.incident):
            told.add(lead)
            facts = _meeting_facts(turn, gap.incident, gap.meeting, lead)
            yield Note.once(
                _nobody_key(gap), "rota_nobody_left", lead, parts=parts, were_asked=bool(were_asked), **facts
            )


def _untold(turn: Turn, gaps: Sequence[Gap], missing: Sequence[Gap]) -> Sequence[Sequence[Gap]]:
    """By meeting, where nobody is left for any open part, and that was not said yet."""
    open_parts = Counter(gap.meeting.id for gap in gaps)
    by_meeting = [list(of_one) for _, of_one in groupby(missing, key=lambda gap: gap.meeting.id)]
    found = [of_one for of_one in by_meeting if len(of_one) == open_parts[of_one[0].meeting.id]]
    said = outbox.written(turn.db, turn.team, [_nobody_key(of_one[0]) for of_one in found]) if found else set[str]()
    return [of_one for of_one in found if _nobody_key(of_one[0]) not in said]


def _nobody_key(gap: Gap) -> str:
    return f"rota-nobody-left:{gap.meeting.id}"


# What people answer ---------------------------------------------------------------------------


def take(turn: Turn, *, where: Where, by: UserId, role: Role) -> Notes:
    """Somebody who was asked takes the part, also later than they were asked to answer; who leads is said to everybody.

    Where somebody has it by now, or the meeting is not to be any more, that is said, with thanks. Raises NotAsked.
    """
    incident, meeting, row = _asked_of(turn, where, by, role.value)
    stands = _as_it_stands(turn, incident, role)
    if meeting is None or stands["holder"]:
        yield Note.private(by, "rota_too_late", part=role, me=by, **stands)
        return
    beside = _experienced(turn, incident, meeting, by) if role is Role.facilitator else None
    yield from _taken(turn, incident, meeting, role=role, by=by)
    rota.answered(turn.db, row, "taken", now=turn.now)
    yield Note.private(by, "rota_taken", part=role, beside=beside, **_meeting_facts(turn, incident, meeting, by))


def pass_on(turn: Turn, *, where: Where, by: UserId, role: Role) -> Notes:
    """Not this time, and nobody asks why; somebody else is asked. Raises NotAsked."""
    incident, _, row = _asked_of(turn, where, by, role.value)
    if row.answer in {None, "lapsed"}:
        rota.answered(turn.db, row, "passed", now=turn.now)
    yield Note.private(by, "rota_passed", part=role, me=by, **_as_it_stands(turn, incident, role))


def _as_it_stands(turn: Turn, incident: Incident, role: Role) -> dict[str, Any]:
    """Whether the review was called off, whether a meeting of it is planned or open, and who has the part in that."""
    review, held = reviews.of(turn.db, incident), incidents.holding(turn.db, incident.id, role)
    is_off = reviews.stage(turn.db, incident).is_called_off
    meets = not is_off and (reviews.planned_meeting(turn.db, review) or reviews.open_meeting(turn.db, review))
    return {"is_off": is_off, "meets": bool(meets), "holder": held.user_id if held and meets else None}


def _asked_of(turn: Turn, where: Where, by: UserId, role: str) -> tuple[Incident, Meeting | None, RoleAsked]:
    """The incident, its meeting where one is still planned, and what this person was asked; raises NotAsked."""
    incident = incidents.at(turn.db, turn.team, where, by)
    row = rota.last_asked(turn.db, incident, role, by)
    if row is None:
        raise NotAsked(verb=Role.facilitator if role == SHADOW else role)
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
    (free,) = _left(turn, [Gap(incident, meeting, Role.facilitator)])
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


def _ask_beside(turn: Turn, planned: Sequence[tuple[Meeting, Incident]]) -> Iterator[Note]:
    asked = rota.asked_in(turn.db, {meeting.id for meeting, _ in planned})
    waiting = [
        (incident, meeting, UserId(row.user_id))
        for meeting, incident in planned
        for row in asked[meeting.id]
        if row.role == SHADOW and row.answer is None
    ]
    if not waiting:
        return
    said = outbox.written(turn.db, turn.team, [_beside_key(meeting, user) for _, meeting, user in waiting])
    for incident, meeting, user in waiting:
        if _beside_key(meeting, user) not in said:
            yield from _asked_beside(turn, incident, meeting, user)


def _asked_beside(turn: Turn, incident: Incident, meeting: Meeting, user: UserId) -> Iterator[Note]:
    leads = incidents.roles(turn.db, incident.id).facilitator
    if leads and leads != user and turn.may_tell(user, incident):
        facts = _meeting_facts(turn, incident, meeting, user)
        yield Note.once(_beside_key(meeting, user), "rota_beside", user, leads=leads, **facts)


def _beside_key(meeting: Meeting, user: UserId) -> str:
    return f"rota:{meeting.id}:{SHADOW}:{user}"


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

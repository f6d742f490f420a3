"""Reminding the owners of actions kindly: one message a person and morning, with everything in it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from zoneinfo import ZoneInfo

from bot.desk import Note, Notes, Turn
from bot.review import follow_up
from bot.review.follow_up import ActionState, Shown
from bot.review.incident import UserId
from bot.review.meeting_time import DaysOff, working_morning_at
from storage import actions, incidents, people, silence
from storage.models import Action, Incident

MOST_SHOWN = 20
UNDECIDED = timedelta(days=7)
"""How long after its pause whoever answers for the review hears of a proposal that nobody has decided on."""
MOST_TOLD = 6
"""Direct messages to somebody with one action, from mitigation on (DOMAIN 6b)."""
OF_MINE = ("commit", "handed", "due")
"""Why somebody hears of an action of their own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reminder:
    """One line of a person's digest, and the rungs that are said by it.

    `why` is commit (decide on it), handed (it is yours now) or due (a rung); of a review one answers for it is late,
    undecided or away (its owner cannot be reached).
    """

    why: str
    line: Shown
    action: Action
    keys: tuple[str, ...]
    asks_why: bool = False


@dataclass(frozen=True, slots=True)
class Owed:
    """An action that is owed, as it looks to the person who may have to hear of it."""

    turn: Turn
    action: Action
    incident: Incident
    zone: ZoneInfo
    """The owner's: its days are theirs."""
    to: str = ""

    @property
    def today(self) -> date:
        return self.turn.now.astimezone(self.zone).date()

    @property
    def off(self) -> DaysOff:
        """When its owner does not work."""
        return self.turn.days_off(self.zone.key)

    @property
    def is_two_weeks_late(self) -> bool:
        if not self.action.due or not ActionState(self.action.state).is_promised:
            return False
        return any(rung.tells_owner for rung in follow_up.ladder(self.action.due, self.today, off=self.off))

    def reminder(self, why: str, *keys: str) -> Reminder:
        turn, days_off = self.turn, self.turn.house.days_off
        line = actions.as_shown(turn.db, self.action, self.incident, to=self.to, now=turn.now, days_off=days_off)
        return Reminder(why=why, line=line, action=self.action, keys=keys)


def remind_due(turn: Turn) -> Notes:
    """One message a person and morning with everything due for them; each rung of each action is said once.

    1. Nobody is told on a day off, outside working hours, or a second time on a day.
    2. Of rungs that were missed only the latest is said, so after days of silence one message comes.
    3. What somebody changed since this morning waits for the next one: they know.
    4. Who has one action alone is told six things of it at most; the sixth says that it is the last.
    """
    found = _owed(turn)
    if not found:
        return
    book = _Book(turn, found)
    for user in sorted(book.people()):
        if turn.may_tell(user):
            yield from _digest(turn, user, book.for_person(user), left=book.left_for(user))


def _owed(turn: Turn) -> list[Owed]:
    rows = actions.still_open(turn.db, turn.team)
    zones = people.zones(turn.db, turn.team, {action.owner for action, _ in rows if action.owner})
    of_owner = {user: ZoneInfo(zone) for user, zone in zones.items()}
    unknown = ZoneInfo(people.UNKNOWN_ZONE)
    return [Owed(turn, action, incident, of_owner.get(action.owner or "", unknown)) for action, incident in rows]


def _digest(turn: Turn, user: UserId, reminders: Sequence[Reminder], *, left: int | None) -> Notes:
    said = [reminder for reminder in reminders if _climbed(turn, reminder)] if left != 0 else []
    if not said:
        return
    today = turn.now.astimezone(ZoneInfo(people.zone(turn.db, turn.team, user))).date()
    mine = [reminder for reminder in said if reminder.why in OF_MINE]
    others = [reminder for reminder in said if reminder.why not in OF_MINE]
    facts = {"mine": mine[:MOST_SHOWN], "others": others[:MOST_SHOWN], "count": len(mine)}
    facts |= {"is_last": left == 1, "more": len(mine[MOST_SHOWN:]) + len(others[MOST_SHOWN:])}
    yield Note.once(f"reminders:{user}:{today.isoformat()}", "reminder", user, **facts)


def _climbed(turn: Turn, reminder: Reminder) -> bool:
    climbed = [actions.climb(turn.db, reminder.action, key, now=turn.now) for key in reminder.keys]
    return any(climbed)


class _Book:
    """What is owed, and all that decides who hears of it, read in a few queries."""

    def __init__(self, turn: Turn, found: Sequence[Owed]) -> None:
        ids = [owed.action.id for owed in found]
        self.turn, self.found = turn, found
        self.said = actions.rungs(turn.db, ids)
        self.handed = actions.handed_over(turn.db, turn.team, ids)
        self.touched = actions.touched(turn.db, turn.team, ids)
        held = incidents.roles_in(turn.db, {owed.incident.id for owed in found})
        self.seen: dict[str, frozenset[int]] = {}
        self.answering = {incident: roles.owner_or_lead for incident, roles in held.items()}

    def people(self) -> set[UserId]:
        """Everybody who may have to hear something."""
        owners = {UserId(owed.action.owner) for owed in self.found if owed.action.owner}
        return owners | {user for user in self.answering.values() if user}

    def for_person(self, user: UserId) -> list[Reminder]:
        """Theirs first, then what they answer for; nothing of an incident they may not see."""
        seen = [replace(owed, to=user) for owed in self.found if self._concerns(owed, user)]
        seen = [owed for owed in seen if self._reaches(owed, user)]
        mine = [self._to_owner(owed) for owed in seen if owed.action.owner == user]
        others = [self._to_answering(owed) for owed in seen if owed.action.owner != user]
        return [found for found in (*mine, *others) if found]

    def left_for(self, user: UserId) -> int | None:
        """How many more messages somebody with one action gets; None for whoever has more, or answers for a review."""
        mine = [owed for owed in self.found if owed.action.owner == user]
        if len(mine) != 1 or user in self.answering.values():
            return None
        since = incidents.moment(self.turn.db, mine[0].incident.id, "mitigated") or mine[0].action.proposed_at
        return max(0, MOST_TOLD - silence.times_told(self.turn.db, self.turn.team, user, since))

    def _concerns(self, owed: Owed, user: UserId) -> bool:
        return user in {owed.action.owner, self.answering[owed.incident.id]}

    def _reaches(self, owed: Owed, user: str) -> bool:
        """Whether this person is here and may see it."""
        if user not in self.seen:
            self.seen[user] = self._seen_by(user)
        return owed.incident.id in self.seen[user]

    def _seen_by(self, user: str) -> frozenset[int]:
        if not people.is_one_of_us(self.turn.db, self.turn.team, user):
            return frozenset()
        return incidents.seen_among(self.turn.db, self.turn.team, self.answering, user)

    def _to_owner(self, owed: Owed) -> Reminder | None:
        """The rung of the day comes before the question to commit, and that before the news that it is theirs."""
        if self._touched_today(owed):
            return None
        rung, waits = self._rung(owed), self._has_soaked(owed)
        asked = [_soak_key(owed, "1")] if waits else []
        said = self.said[owed.action.id]
        keys = [key for key in (*([rung.key] if rung else ()), *asked, *self._handed(owed)) if key not in said]
        if not keys:
            return None
        why = "due" if rung else "commit" if waits else "handed"
        return replace(owed.reminder(why, *keys), asks_why=rung is not None and rung.asks_why)

    def _to_answering(self, owed: Owed) -> Reminder | None:
        """Whoever answers for the review hears once of an owner out of reach, of no answer, and of two weeks' delay."""
        said, owner = self.said[owed.action.id], owed.action.owner or ""
        away, late = f"away:{owner}", f"{owed.action.due}:told"
        if away not in said and not self._reaches(owed, owner):
            return owed.reminder("away", away)
        if late not in said and owed.is_two_weeks_late:
            return owed.reminder("late", late)
        asked, told = _soak_key(owed, "1"), _soak_key(owed, "told")
        if asked in said and told not in said and self._has_soaked(owed, UNDECIDED):
            return owed.reminder("undecided", told)
        return None

    def _rung(self, owed: Owed) -> follow_up.Rung | None:
        if not owed.action.due or not ActionState(owed.action.state).is_promised:
            return None
        said = self.said[owed.action.id]
        return next(iter(follow_up.rungs_due(owed.action.due, owed.today, said, off=owed.off)), None)

    def _has_soaked(self, owed: Owed, so_long: timedelta = timedelta()) -> bool:
        """Whether it is a proposal whose pause is over, for as long as that."""
        if owed.action.state != ActionState.proposed:
            return False
        since = actions.soaks_from(self.turn.db, owed.action, now=self.turn.now)
        return owed.today >= follow_up.soaks_until(since, owed.zone, off=owed.off) + so_long

    def _handed(self, owed: Owed) -> list[str]:
        change = self.handed.get(owed.action.id)
        if not change or change.after != owed.to or change.by == owed.to:
            return []
        return [f"handed:{change.id}"]

    def _touched_today(self, owed: Owed) -> bool:
        touched = self.touched.get(owed.action.id, owed.action.proposed_at)
        return touched >= working_morning_at(owed.today, owed.zone, self.turn.house.working_hours.opens)


def _soak_key(owed: Owed, what: str) -> str:
    """One made again is asked about anew."""
    return f"soak:{owed.action.proposed_at:%Y%m%dT%H%M%S}:{what}"

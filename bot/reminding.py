"""Reminding the owners of actions kindly: one message a person and morning, with everything in it."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import cached_property
from zoneinfo import ZoneInfo

from bot.desk import Note, Notes, Turn
from bot.review import follow_up
from bot.review.follow_up import ActionState, Shown, Worked
from bot.review.incident import UserId
from bot.review.meeting_time import DaysOff, working_day_from, working_morning_at
from storage import actions, incidents, people, presence, silence
from storage.models import Action, Change, Incident

MOST_OF_MINE, MOST_SHOWN = 6, 10
"""Lines of a message: with its buttons more would not fit, and nobody reads more in the morning."""
UNDECIDED = timedelta(days=7)
"""How long after its owner was asked whoever answers for the review hears of a proposal that nobody has decided on."""
MOST_TOLD = 6
"""Direct messages to somebody with one action, from mitigation on (DOMAIN 6b)."""
OF_MINE = ("due", "commit", "handed", "check")
"""Why somebody hears of an action of their own, the most pressing first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reminder:
    """One line of a person's digest, and the rungs that are said by it.

    `why` is due (a rung), commit (decide on it), handed (it is yours now) or check (did it work); of a review one
    answers for it is late, undecided or away (its owner cannot be reached).
    """

    why: str
    line: Shown
    action: Action
    keys: tuple[str, ...]
    asks_why: bool = False
    asks_last: bool = False
    """Whether this check is the last one."""
    late_by: int = 0
    """Days since it should have been said, where the bot was away then."""


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
    def is_open(self) -> bool:
        return ActionState(self.action.state).is_open

    @property
    def is_snoozed(self) -> bool:
        """Whether its owner asked to hear nothing of it today."""
        return self.action.snoozed_until is not None and self.today < self.action.snoozed_until

    @property
    def promised_for(self) -> date | None:
        """The day it is promised for."""
        return self.action.due if ActionState(self.action.state).is_promised else None

    def rung(self, said: Collection[str]) -> follow_up.Rung | None:
        """The reminder that is due today."""
        if not self.promised_for:
            return None
        return next(iter(follow_up.rungs_due(self.promised_for, self.today, said, off=self.off)), None)

    @property
    def told_at_two_weeks(self) -> follow_up.Rung | None:
        """The rung at which the owner of the review hears of it, once it has come."""
        if not self.promised_for:
            return None
        rungs = follow_up.ladder(self.promised_for, self.today, off=self.off)
        return next((rung for rung in rungs if rung.tells_owner), None)

    @property
    def soaks_until(self) -> date:
        since = actions.soaks_from(self.turn.db, self.action, now=self.turn.now)
        return follow_up.soaks_until(since, self.zone, days=self.turn.house.policy.soak_days, off=self.off)

    def check(self, said: Collection[str]) -> follow_up.Check | None:
        """The question whether it worked, where it is to be asked today."""
        if self.action.done_at is None:
            return None
        done = self.action.done_at.astimezone(self.zone).date()
        worked = Worked(self.action.worked) if self.action.worked else None
        return follow_up.check_due(done, self.today, said, worked=worked)

    def reminder(self, why: str, *keys: str, since: date | None = None) -> Reminder:
        """A line that should have been said on that day."""
        turn, soak, days_off = self.turn, self.turn.house.policy.soak_days, self.turn.house.days_off
        line = actions.as_shown(
            turn.db, self.action, self.incident, to=self.to, now=turn.now, soak=soak, days_off=days_off
        )
        return Reminder(why=why, line=line, action=self.action, keys=keys, late_by=self._late_by(since or self.today))

    def _late_by(self, day: date) -> int:
        meant_for = working_morning_at(day, self.zone, self.turn.house.working_hours.opens)
        return (self.today - day).days if presence.was_away(self.turn.db, self.turn.team, meant_for) else 0


def notice_absence(turn: Turn) -> Notes:
    """Note that the clock ticks, so that what comes late can say that it does; says nothing itself."""
    presence.notice(turn.db, turn.team, now=turn.now)
    return ()


def remind_due(turn: Turn) -> Notes:
    """One message a person and morning with everything due for them; each rung of each action is said once.

    1. Nobody is told on a day off, outside working hours, or a second time on a day.
    2. Of rungs that were missed only the latest is said, so after days of silence one message comes, and says so.
    3. What somebody changed since this morning waits for the next one: they know. What they snoozed waits longer.
    4. Who has one action alone is told six things of it at most until it is done; the sixth says that it is the last,
       and then nobody asks either whether it worked.
    """
    found = _owed(turn)
    if not found:
        return
    book = _Book(turn, found)
    for user in map(UserId, sorted(turn.who_may_be_told(book.people()))):
        reminders = book.for_person(user)
        if reminders and turn.may_tell(user):
            yield from _digest(turn, user, reminders, left=book.left_for(user))


def _owed(turn: Turn) -> list[Owed]:
    rows = actions.still_open(turn.db, turn.team) + actions.to_be_checked(turn.db, turn.team, now=turn.now)
    zones = people.zones(turn.db, turn.team, {action.owner for action, _ in rows if action.owner})
    of_owner = {user: ZoneInfo(zone) for user, zone in zones.items()}
    unknown = ZoneInfo(people.UNKNOWN_ZONE)
    return [Owed(turn, action, incident, of_owner.get(action.owner or "", unknown)) for action, incident in rows]


def _digest(turn: Turn, user: UserId, reminders: Sequence[Reminder], *, left: int | None) -> Notes:
    said = [reminder for reminder in reminders if _climbed(turn, reminder)] if left != 0 else []
    if not said:
        return
    today = turn.now.astimezone(ZoneInfo(people.zone(turn.db, turn.team, user))).date()
    mine = sorted((one for one in said if one.why in OF_MINE), key=lambda one: OF_MINE.index(one.why))
    others = [reminder for reminder in said if reminder.why not in OF_MINE]
    late = {reminder.late_by for reminder in said}
    shown = mine[:MOST_OF_MINE]
    facts = {
        "mine": shown,
        "others": others[: MOST_SHOWN - len(shown)],
        "count": len(mine),
        "more": len(mine[len(shown) :]) + len(others[MOST_SHOWN - len(shown) :]),
        "is_last": left == 1 and any(reminder.why != "check" for reminder in mine),
        "late": max(late),
        "is_all_late": len(late) == 1,
    }
    yield Note.once(f"reminders:{user}:{today.isoformat()}", "reminder", user, **facts)


def _climbed(turn: Turn, reminder: Reminder) -> bool:
    climbed = [actions.climb(turn.db, reminder.action, key, now=turn.now) for key in reminder.keys]
    return any(climbed)


class _Book:
    """What is owed, and all that decides who hears of it, read in a few queries."""

    def __init__(self, turn: Turn, found: Sequence[Owed]) -> None:
        self.turn, self.found = turn, found
        self.ids = [owed.action.id for owed in found]
        held = incidents.roles_in(turn.db, {owed.incident.id for owed in found})
        self.answering = {incident: roles.owner_or_lead for incident, roles in held.items()}

    # Read when they are first needed: at most hours nobody may be told anything.

    @cached_property
    def said(self) -> dict[int, dict[str, datetime]]:
        return actions.rungs(self.turn.db, self.ids)

    @cached_property
    def handed(self) -> dict[int, Change]:
        return actions.handed_over(self.turn.db, self.turn.team, self.ids)

    @cached_property
    def touched(self) -> dict[int, datetime]:
        return actions.touched(self.turn.db, self.turn.team, self.ids)

    @cached_property
    def seen(self) -> set[tuple[int, str]]:
        """Of which incident each person who is here may be told."""
        here = people.of_us_among(self.turn.db, self.turn.team, self.people())
        known = people.known(self.turn.db, self.turn.team, here)
        pairs = {(owed.incident.id, user) for owed in self.found for user in self._concerned(owed) if user in known}
        strangers = {(incident, user) for user in here - known.keys() for incident in self._seen_by(user)}
        return incidents.seen_by_each(self.turn.db, self.turn.team, pairs) | strangers

    def _seen_by(self, user: str) -> frozenset[int]:
        return incidents.seen_among(self.turn.db, self.turn.team, self.answering, user)

    def people(self) -> set[UserId]:
        """Everybody who may have to hear something."""
        owners = {UserId(owed.action.owner) for owed in self.found if owed.action.owner}
        return owners | {user for user in self.answering.values() if user} | {*self.turn.house.policy.escalation}

    def for_person(self, user: UserId) -> list[Reminder]:
        """Theirs first, then what they answer for; nothing of an incident they may not see."""
        seen = [replace(owed, to=user) for owed in self.found if user in self._concerned(owed)]
        seen = [owed for owed in seen if self._reaches(owed, user)]
        mine = [self._to_owner(owed) for owed in seen if owed.action.owner == user]
        others = [self._to_other(owed, user) for owed in seen if owed.action.owner != user]
        return [found for found in (*mine, *others) if found]

    def left_for(self, user: UserId) -> int | None:
        """How many more messages somebody with one action gets; None for whoever has more, or answers for a review."""
        mine = [owed for owed in self.found if owed.action.owner == user]
        counted = [owed for owed in mine if owed.is_open] or mine
        if len(counted) != 1 or user in self.answering.values():
            return None
        turn, action = self.turn, counted[0].action
        since = incidents.moment(turn.db, action.incident_id, "mitigated") or action.proposed_at
        told = silence.times_told(turn.db, turn.team, user, since, until=action.done_at or turn.now)
        return max(0, MOST_TOLD - told)

    def _concerned(self, owed: Owed) -> set[str]:
        named = {owed.action.owner, self.answering[owed.incident.id], *self.turn.house.policy.escalation}
        return {user for user in named if user}

    def _reaches(self, owed: Owed, user: str) -> bool:
        """Whether this person is here and may see it."""
        return (owed.incident.id, user) in self.seen

    def _to_owner(self, owed: Owed) -> Reminder | None:
        if owed.is_snoozed or self._touched_today(owed):
            return None
        return self._of_open(owed) if owed.is_open else self._of_done(owed)

    def _of_open(self, owed: Owed) -> Reminder | None:
        """The rung of the day comes before the question to commit, and that before the news that it is theirs."""
        said, waits = self.said[owed.action.id], self._has_soaked(owed)
        rung, again = owed.rung(said), _snooze_keys(owed.action) if waits or owed.promised_for else ()
        asked = (_soak_key(owed, "1"),) if waits else ()
        keys = [key for key in (*((rung.key,) if rung else ()), *asked, *again, *self._handed(owed)) if key not in said]
        if not keys:
            return None
        is_due = rung is not None or (owed.promised_for is not None and any(key in keys for key in again))
        why = "due" if is_due else "commit" if waits else "handed"
        day = rung.day if rung else owed.soaks_until if waits else owed.today
        since = max(day, owed.action.snoozed_until or day)
        return replace(owed.reminder(why, *keys, since=since), asks_why=rung is not None and rung.asks_why)

    def _of_done(self, owed: Owed) -> Reminder | None:
        check = owed.check(self.said[owed.action.id])
        if check is None:
            return None
        since = working_day_from(check.day, owed.off)
        return replace(owed.reminder("check", check.key, since=since), asks_last=check.is_last)

    def _to_other(self, owed: Owed, user: UserId) -> Reminder | None:
        if self.answering[owed.incident.id] == user:
            return self._to_answering(owed)
        return self._escalated(owed, user)

    def _escalated(self, owed: Owed, user: UserId) -> Reminder | None:
        """Whom the policy names hears once of two weeks' delay (S2), beside whoever answers for the review."""
        key, rung = f"{owed.action.due}:told:{user}", owed.told_at_two_weeks
        if not owed.is_open or rung is None or key in self.said[owed.action.id]:
            return None
        return owed.reminder("escalated", key, since=rung.day)

    def _to_answering(self, owed: Owed) -> Reminder | None:
        """Whoever answers for the review hears once of an owner out of reach, of no answer, and of two weeks' delay."""
        said, owner = self.said[owed.action.id], owed.action.owner or ""
        away, late, rung = f"away:{owner}", f"{owed.action.due}:told", owed.told_at_two_weeks
        if not owed.is_open:
            return None
        if away not in said and not self._reaches(owed, owner):
            return owed.reminder("away", away)
        if late not in said and rung:
            return owed.reminder("late", late, since=rung.day)
        asked, told = said.get(_soak_key(owed, "1")), _soak_key(owed, "told")
        if asked and told not in said and self._has_soaked(owed):
            return self._undecided(owed, told, asked.astimezone(owed.zone).date())
        return None

    def _undecided(self, owed: Owed, told: str, asked: date) -> Reminder | None:
        """The week begins when its owner was asked, who may have put that off, or when it was spoken of since."""
        since = max(asked, owed.soaks_until) + UNDECIDED
        return (
            owed.reminder("undecided", told, since=working_day_from(since, owed.off)) if owed.today >= since else None
        )

    def _has_soaked(self, owed: Owed) -> bool:
        """Whether it is a proposal whose pause is over."""
        return owed.action.state == ActionState.proposed and owed.today >= owed.soaks_until

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


def _snooze_keys(action: Action) -> tuple[str, ...]:
    """The end of a snooze is a rung of its own: whoever asked to be reminded then is."""
    return (f"snoozed:{action.snoozed_until}",) if action.snoozed_until else ()

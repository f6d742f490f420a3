"""One action in somebody's hand: how it looks, who may do what to it, and how each change of it is written down."""

from dataclasses import dataclass
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from bot.desk import Turn
from bot.review import follow_up
from bot.review.follow_up import ActionState, ActionWords, Horizon, Shown
from bot.review.incident import UserId
from bot.review.lifecycle import Who, may
from bot.review.refusal import (
    DayInThePast,
    NeedsOwner,
    NeedsText,
    NoSuchAction,
    NotOneOfUs,
    NotYours,
    UnreadableDay,
)
from bot.review.when import read_day
from storage import actions, incidents, people
from storage.actions import Proposal
from storage.models import Action, Incident

EXAMPLE = "@name write the runbook for a full disk"


@dataclass(frozen=True, slots=True)
class Held:
    """One action in somebody's hand: what a step is done to, and by whom."""

    turn: Turn
    action: Action
    incident: Incident
    by: UserId

    @property
    def zone(self) -> ZoneInfo:
        """The owner's zone: its days are theirs."""
        return zone_of(self.turn, self.action.owner)

    @property
    def today(self) -> date:
        return self.turn.now.astimezone(self.zone).date()

    @property
    def soaks_until(self) -> date:
        """The day from which it may be committed."""
        since = actions.soaks_from(self.turn.db, self.action, now=self.turn.now)
        days, off = self.turn.house.policy.soak_days, self.turn.days_off(self.zone.key)
        return follow_up.soaks_until(since, self.zone, days=days, off=off)

    def step(self, to: ActionState) -> ActionState:
        """The state it comes to; raises AnotherStep."""
        return follow_up.step(ActionState(self.action.state), to, number=self.action.number)

    def shown(self) -> Shown:
        """As who holds it sees it."""
        return actions.as_shown(
            self.turn.db,
            self.action,
            self.incident,
            to=self.by,
            now=self.turn.now,
            soak=self.turn.house.policy.soak_days,
            days_off=self.turn.house.days_off,
        )

    def record(self, what: str, before: str | None, after: str | None) -> None:
        incidents.record_change(
            self.turn.db,
            self.incident,
            "action",
            self.action.id,
            what=what,
            before=before,
            after=after,
            by=self.by,
            now=self.turn.now,
        )

    def change(self, name: str, after: Any) -> None:
        """Set a field and write down what it was, unless it was that already."""
        before = getattr(self.action, name)
        setattr(self.action, name, after)
        if before != after:
            self.action.snoozed_until = None  # Whoever changes it looks at it anew; what comes next is said again.
            self.record(name, as_typed(before), as_typed(after))


# Who may do what to it --------------------------------------------------------------------


def find(turn: Turn, number: int, by: UserId) -> Held:
    """The action of this number, where this person may see it; raises NoSuchAction."""
    found = actions.by_number(turn.db, turn.team, number, by)
    if found is None:
        raise NoSuchAction(number=number)
    return Held(turn, *found, by)


def require_hand(held: Held, step: str) -> None:
    """Its owner, or who leads the review; raises NotYours."""
    roles = incidents.roles(held.turn.db, held.incident.id)
    if held.by != held.action.owner and not may(Who.facilitating, held.by, roles):
        who = f"the one whose action it is, {Who.facilitating.label}"
        raise NotYours(who=who, verb=f"action {held.action.number} {step}", role="facilitator")


def require_say(held: Held, step: str) -> None:
    """Whoever proposed it may word it better, too."""
    if held.by != held.action.proposed_by:
        require_hand(held, step)


def require_open(held: Held, asked: str) -> None:
    """What is done or declined keeps its day and its owner."""
    state = ActionState(held.action.state)
    if not state.is_open:
        raise follow_up.another_step(state, asked, number=held.action.number)


# What it is to be ---------------------------------------------------------------------------


def proposal_of(turn: Turn, words: ActionWords) -> Proposal:
    """What was worded, with an owner who is one of us and a day still to come."""
    if not words.text.strip():
        raise NeedsText(verb="action", example=EXAMPLE)
    if not words.owner:
        raise NeedsOwner
    require_person(turn, words.owner)
    term = words.horizon or follow_up.DEFAULT_HORIZON
    return Proposal(
        text=words.text.strip(),
        owner=words.owner,
        due=due_day(words.due_words, term, turn.now.astimezone(zone_of(turn, words.owner)).date()),
        horizon=term.value,
        category=words.category,
        priority=words.priority,
        team=(words.team or "").strip() or None,
        second_order=(words.second_order or "").strip() or None,
    )


def due_day(words: str | None, horizon: Horizon, today: date) -> date:
    """The day these words name, else that of the horizon; raises UnreadableDay and DayInThePast."""
    if not words:
        return follow_up.default_due(horizon, today)
    due = read_day(words, today)
    if due is None:
        raise UnreadableDay(words=words.strip())
    if due < today:
        raise DayInThePast(words=words.strip())
    return due


def require_person(turn: Turn, user: str) -> None:
    """Raises NotOneOfUs."""
    if not people.is_one_of_us(turn.db, turn.team, user):
        raise NotOneOfUs(user=user)


def zone_of(turn: Turn, user: str | None) -> ZoneInfo:
    """Where somebody's days begin."""
    return ZoneInfo(people.zone(turn.db, turn.team, user))


def as_typed(value: Any) -> str | None:
    """A value as history keeps it."""
    return None if value is None else str(value)

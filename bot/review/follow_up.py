"""Actions after the meeting: their states, due days and ladder of reminders, and how they are typed."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import KW_ONLY, dataclass
from datetime import date, datetime, timedelta, tzinfo
from enum import StrEnum

from bot.review.incident import UserId
from bot.review.meeting_time import DaysOff, add_working_days, working_day_before
from bot.review.refusal import AnotherStep
from bot.review.when import read_day


class ActionState(StrEnum):
    """Where an action stands."""

    proposed = "proposed"
    committed = "committed"
    in_progress = "in_progress"
    blocked = "blocked"
    done = "done"
    declined = "declined"

    @property
    def label(self) -> str:
        """As it is said: `in progress`."""
        return self.value.replace("_", " ")

    @property
    def is_open(self) -> bool:
        """Somebody still has something to do or to decide."""
        return self not in {ActionState.done, ActionState.declined}

    @property
    def is_promised(self) -> bool:
        """Committed and not finished: reminders are for these."""
        return self in {ActionState.committed, ActionState.in_progress, ActionState.blocked}


class Horizon(StrEnum):
    """A quick fix or a long-term improvement (S2)."""

    quick = "quick"
    long = "long"


class Category(StrEnum):
    """What an action changes (S2)."""

    technical = "technical"
    process = "process"
    communication = "communication"
    tooling = "tooling"


class Priority(StrEnum):
    """How much it matters."""

    high = "high"
    medium = "medium"
    low = "low"


STEPS: Mapping[ActionState, tuple[ActionState, ...]] = {
    ActionState.proposed: (ActionState.committed, ActionState.done, ActionState.declined),
    ActionState.committed: (ActionState.in_progress, ActionState.blocked, ActionState.done, ActionState.declined),
    ActionState.in_progress: (ActionState.blocked, ActionState.done, ActionState.declined),
    ActionState.blocked: (ActionState.in_progress, ActionState.done, ActionState.declined),
    ActionState.done: (ActionState.in_progress,),
    ActionState.declined: (ActionState.proposed,),
}
"""A proposal may turn out to be done already; what is done may turn out not to be; a no may be thought over."""


VERBS: Mapping[ActionState, str] = {
    ActionState.proposed: "propose",
    ActionState.committed: "commit",
    ActionState.in_progress: "begin",
    ActionState.blocked: "block REASON",
    ActionState.done: "done",
    ActionState.declined: "decline REASON",
}
"""What is typed after an action's number to bring it to a state."""


def step(state: ActionState, to: ActionState, *, number: int) -> ActionState:
    """The new state of the action of this number; standing there already is harmless. Raises AnotherStep."""
    if to is not state and to not in STEPS[state]:
        raise another_step(state, VERBS[to].split()[0], number=number)
    return to


def another_step(state: ActionState, asked: str, *, number: int) -> AnotherStep:
    """The refusal of a verb that does not fit this state, with those that do."""
    possible = tuple(f"action {number} {VERBS[way]}" for way in STEPS[state])
    return AnotherStep(number=number, state=state.label, asked=asked, possible=possible)


def next_steps(state: ActionState, *, waits_until: date, today: date) -> tuple[tuple[str, str], ...]:
    """The buttons an owner is offered, label and verb; a proposal waits before it can be committed."""
    if state is ActionState.proposed:
        return (*((COMMIT,) if today >= waits_until else ()), ("Reshape", "edit"), ("Decline", "decline"))
    return NEXT_STEPS.get(state, ())


COMMIT = ("Commit", "commit")
NEXT_STEPS: Mapping[ActionState, tuple[tuple[str, str], ...]] = {
    ActionState.committed: (("Begin", "begin"), ("Done", "done")),
    ActionState.in_progress: (("Done", "done"),),
    ActionState.blocked: (("Go on", "begin"), ("Done", "done")),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """An action as it is shown; `late` and `left` are days, `steps` are its owner's sensible next ones."""

    number: int
    text: str
    owner: str | None
    due: date | None
    late: int
    left: int
    state: ActionState
    horizon: Horizon
    priority: str | None
    category: str | None
    team: str | None
    second_order: str | None
    reason: str | None
    evidence: Mapping[str, str]
    verified_by: str | None
    worked: Worked | None
    incident: int
    title: str
    steps: tuple[tuple[str, str], ...] = ()
    answers: tuple[tuple[int, str], ...] = ()
    """The findings that a proposal answers, number and text."""


DUE_IN: Mapping[Horizon, timedelta] = {Horizon.quick: timedelta(days=7), Horizon.long: timedelta(days=30)}
"""S2: a week for a minor fix, 30 to 90 days for more."""
DEFAULT_HORIZON = Horizon.quick
"""Where nobody says: a week is soon enough to notice that it needs longer."""
SATURDAYS_AND_SUNDAYS = DaysOff()
"""Where no holidays are known."""


def default_due(horizon: Horizon, today: date) -> date:
    """The day an action is due where nobody names one."""
    return today + DUE_IN[horizon]


def soaks_until(since: datetime, zone: tzinfo, *, days: int, off: DaysOff = SATURDAYS_AND_SUNDAYS) -> date:
    """The local day, so many working ones later, from which what was spoken of at this moment may be committed (S1)."""
    return add_working_days(since.astimezone(zone).date(), days, weekends=off.weekends, holidays=off.holidays)


# The ladder.

BEFORE = timedelta(days=3)
WEEK = timedelta(days=7)


@dataclass(frozen=True)
class Rung:
    """One reminder: `before`, `on_the_day`, `overdue_1`, `overdue_2` …, and the working day it is said on."""

    name: str
    day: date
    due: date

    @property
    def key(self) -> str:
        """Carries the due day, so that moving it starts a new ladder."""
        return f"{self.due.isoformat()}:{self.name}"

    @property
    def asks_why(self) -> bool:
        """A week late, the owner is asked what is in the way."""
        return self.name == "overdue_1"

    @property
    def tells_owner(self) -> bool:
        """Two weeks late, the owner of the review hears of it."""
        return self.name == "overdue_2"


def ladder(due: date, until: date, *, off: DaysOff = SATURDAYS_AND_SUNDAYS) -> list[Rung]:
    """Every rung up to a day: three days before, on the day, then weekly; each on a working day, or the one before."""
    weeks = range(1, max(0, (until - due).days // 7 + 2))
    named = [("before", due - BEFORE), ("on_the_day", due), *((f"overdue_{week}", due + week * WEEK) for week in weeks)]
    rungs = [Rung(name, working_day_before(day, off.weekends, holidays=off.holidays), due) for name, day in named]
    return [rung for rung in rungs if rung.day <= until]


def rungs_due(due: date, today: date, said: Collection[str], *, off: DaysOff = SATURDAYS_AND_SUNDAYS) -> list[Rung]:
    """The rung to say today, or none: of those that have come only the latest, and only where its key is not in `said`.

    What was missed before it counts as said: nobody gets three reminders at once.
    """
    latest = ladder(due, today, off=off)[-1:]
    return [rung for rung in latest if rung.key not in said]


# Afterwards: did it work?


class Worked(StrEnum):
    """What its owner says of an action some time after it was done."""

    yes = "yes"
    no = "no"
    unsure = "unsure"

    @property
    def label(self) -> str:
        """As it is said, and as the button reads."""
        return LABELS[self]

    @property
    def settles(self) -> bool:
        """Whether there is nothing left to ask."""
        return self is not Worked.unsure


LABELS: Mapping[Worked, str] = {Worked.yes: "Yes", Worked.no: "Not really", Worked.unsure: "Too early to tell"}
CHECKED_AFTER = (timedelta(days=30), timedelta(days=90))
"""So long after it was done its owner is asked, the second time where nothing was said or it was too early to tell."""
STILL_WORTH_ASKING = timedelta(days=30)
"""After the day of a check; later it is not asked any more."""


@dataclass(frozen=True)
class Check:
    """The question whether what was done on a day worked, and how long after that day it is asked."""

    done: date
    after: timedelta

    @property
    def day(self) -> date:
        """The first day on which it may be asked."""
        return self.done + self.after

    @property
    def key(self) -> str:
        """Carries the day of being done: what is opened again and done anew is asked about anew."""
        return f"check:{self.done.isoformat()}:{self.after.days}"

    @property
    def is_last(self) -> bool:
        """Whether nobody asks again."""
        return self.after == CHECKED_AFTER[-1]


def check_due(done: date, today: date, said: Collection[str], *, worked: Worked | None) -> Check | None:
    """The check to make today, or none: of those that have come the latest, once, and while somebody may remember."""
    come = checks_come(done, today)
    if not come or (worked and worked.settles):
        return None
    latest = come[-1]
    return latest if latest.key not in said and today < latest.day + STILL_WORTH_ASKING else None


def checks_come(done: date, today: date) -> list[Check]:
    """The checks whose day has come, of what was done on a day."""
    return [check for check in (Check(done, after) for after in CHECKED_AFTER) if check.day <= today]


# `[for FINDING or at EVENT] @owner [by DATE] [quick or long] text`.

ABOUT = re.compile(r"\s*(?P<what>for|at)\s+#?(?P<number>[0-9]{1,9})\s*[,:]?\s*(?=<@|$)", re.IGNORECASE)
"""`for 3` answers finding 3, `at 7` came up at event 7."""
OWNER = re.compile(r"\s*<@(?P<id>[UW][A-Z0-9]+)(?:\|[^>]*)?>\s*,?\s*")
BY = re.compile(r"by\s+(?:(?:the|next)\s+)?", re.IGNORECASE)
HORIZON = re.compile(r"(?:(quick)(?:[ -]fix(?=\s*:))?|(long)(?:[ -]term(?=\s|:))?)(?:\s*:\s*|\s+)", re.IGNORECASE)
LONGEST_DAY = 3
"""Words of the longest day we read: `in 2 weeks`."""


@dataclass(frozen=True, slots=True)
class ActionWords:
    """An action as somebody worded it; `due_words` can be read by `read_day`, `answers` are numbers of findings."""

    owner: UserId | None
    due_words: str | None
    horizon: Horizon | None
    text: str
    _: KW_ONLY
    category: str | None = None
    priority: str | None = None
    team: str | None = None
    second_order: str | None = None
    """Empty where it was asked and left open, None where nobody asked."""
    answers: tuple[int, ...] = ()
    event: int | None = None
    """The event at which it came up."""


def read_action(text: str) -> ActionWords:
    """Takes the owner, the day and the horizon off the front, each where it is plainly one; the rest is the text."""
    about = ABOUT.match(text)
    said = text[about.end() :] if about else text
    owner = OWNER.match(said)
    due_words, rest = _split_due(said[owner.end() :] if owner else said.strip())
    horizon = HORIZON.match(rest)
    if horizon:
        rest = rest[horizon.end() :]
    return ActionWords(
        owner=UserId(owner["id"]) if owner else None,
        due_words=due_words,
        horizon=Horizon((horizon[1] or horizon[2]).lower()) if horizon else None,
        text=rest.strip(),
        answers=(int(about["number"]),) if about and about["what"].lower() == "for" else (),
        event=int(about["number"]) if about and about["what"].lower() == "at" else None,
    )


def _split_due(text: str) -> tuple[str | None, str]:
    by = BY.match(text)
    words = re.findall(r"\S+\s*", text[by.end() :]) if by else []
    for count in range(min(LONGEST_DAY, len(words)), 0, -1):
        day = "".join(words[:count]).strip().rstrip(":,")
        if read_day(day, date.min + timedelta(days=7)):
            return day, "".join(words[count:])
    return None, text

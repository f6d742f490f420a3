from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.review.follow_up import (
    STEPS,
    VERBS,
    ActionState,
    ActionWords,
    Horizon,
    Rung,
    Worked,
    check_due,
    default_due,
    next_steps,
    read_action,
    rungs_due,
    soaks_until,
    step,
)
from bot.review.incident import UserId
from bot.review.meeting_time import DaysOff
from bot.review.refusal import AnotherStep

BERLIN = ZoneInfo("Europe/Berlin")
ANA = UserId("U0ANA")
WEDNESDAY = date(2026, 11, 18)
DAYS = st.dates(date(2024, 1, 1), date(2032, 12, 31))


def test_an_action_is_proposed_committed_begun_and_done() -> None:
    state = ActionState.proposed

    for to in (ActionState.committed, ActionState.in_progress, ActionState.done):
        state = step(state, to, number=3)

    assert state is ActionState.done


@pytest.mark.parametrize("state", list(ActionState))
@pytest.mark.parametrize("to", list(ActionState))
def test_a_step_that_is_not_possible_is_answered_with_those_that_are(state: ActionState, to: ActionState) -> None:
    if to is state or to in STEPS[state]:
        assert step(state, to, number=3) is to
        return

    with pytest.raises(AnotherStep) as refused:
        step(state, to, number=3)

    assert refused.value.possible == tuple(f"action 3 {VERBS[way]}" for way in STEPS[state])


def test_a_refused_step_names_what_can_be_typed() -> None:
    with pytest.raises(AnotherStep) as refused:
        step(ActionState.declined, ActionState.committed, number=3)

    assert refused.value.sentence() == (
        "Action 3 is declined, and `commit` does not fit that. After `/review` you can type `action 3 propose`."
    )


def test_what_is_proposed_is_open_and_not_promised() -> None:
    assert [state for state in ActionState if state.is_open and not state.is_promised] == [ActionState.proposed]
    assert [state for state in ActionState if not state.is_open] == [ActionState.done, ActionState.declined]


def test_a_quick_fix_is_due_in_a_week_and_anything_longer_in_thirty_days() -> None:
    assert default_due(Horizon.quick, WEDNESDAY) == date(2026, 11, 25)
    assert default_due(Horizon.long, WEDNESDAY) == date(2026, 12, 18)


def test_ideas_rest_for_two_working_days() -> None:
    thursday = datetime(2026, 11, 19, 16, 0, tzinfo=UTC)

    assert soaks_until(thursday, BERLIN, days=2) == date(2026, 11, 23)


def test_the_days_of_rest_are_local_ones() -> None:
    late_on_wednesday = datetime(2026, 11, 18, 23, 30, tzinfo=UTC)  # Thursday in Berlin.

    assert soaks_until(late_on_wednesday, UTC, days=2) == date(2026, 11, 20)
    assert soaks_until(late_on_wednesday, BERLIN, days=2) == date(2026, 11, 23)


def said_over(due: date, days: range) -> list[tuple[str, date]]:
    """What one owner hears, asked once a day and remembering what was said."""
    heard: dict[str, date] = {}
    for number in days:
        today = due + timedelta(days=number)
        heard |= {rung.key: today for rung in rungs_due(due, today, heard)}
    return [(key.partition(":")[2], day) for key, day in heard.items()]


def test_an_owner_hears_of_an_action_before_on_the_day_and_weekly_when_late() -> None:
    assert said_over(WEDNESDAY, range(-10, 23)) == [
        ("before", date(2026, 11, 13)),  # Three days before is a Sunday: the Friday.
        ("on_the_day", date(2026, 11, 18)),
        ("overdue_1", date(2026, 11, 25)),
        ("overdue_2", date(2026, 12, 2)),
        ("overdue_3", date(2026, 12, 9)),
    ]


@given(DAYS, st.integers(0, 60))
def test_each_rung_is_said_once_and_on_a_working_day(due: date, late: int) -> None:
    heard = said_over(due, range(-10, late))

    assert len({name for name, _ in heard}) == len(heard)
    assert all(day.weekday() < 5 for _, day in heard)


def test_a_ladder_met_late_says_only_its_latest_rung() -> None:
    today = WEDNESDAY + timedelta(days=9)

    due = rungs_due(WEDNESDAY, today, said=())

    assert due == [Rung("overdue_1", date(2026, 11, 25), WEDNESDAY)]
    assert rungs_due(WEDNESDAY, today, said={due[0].key}) == []


def test_moving_the_due_day_starts_a_new_ladder() -> None:
    said = {"2026-11-18:before", "2026-11-18:on_the_day"}
    moved = date(2026, 11, 25)

    assert rungs_due(moved, WEDNESDAY, said) == []
    assert [rung.key for rung in rungs_due(moved, moved, said)] == ["2026-11-25:on_the_day"]


def test_the_first_week_asks_why_and_the_second_tells_the_owner() -> None:
    rungs = {name: Rung(name, WEDNESDAY, WEDNESDAY) for name in ("before", "on_the_day", "overdue_1", "overdue_2")}

    assert [name for name, rung in rungs.items() if rung.asks_why] == ["overdue_1"]
    assert [name for name, rung in rungs.items() if rung.tells_owner] == ["overdue_2"]


@pytest.mark.parametrize(
    ("state", "today", "offered"),
    [
        ("proposed", date(2026, 11, 19), ["edit", "decline"]),
        ("proposed", date(2026, 11, 20), ["commit", "edit", "decline"]),
        ("committed", date(2026, 11, 20), ["begin", "done"]),
        ("declined", date(2026, 11, 20), []),
    ],
)
def test_a_proposal_can_be_reshaped_at_once_and_promised_after_its_pause(
    state: str, today: date, offered: list[str]
) -> None:
    steps = next_steps(ActionState(state), waits_until=date(2026, 11, 20), today=today)

    assert [step for _, step in steps] == offered


def test_holidays_are_no_days_for_reminders() -> None:
    christmas = date(2026, 12, 25)

    rungs = rungs_due(christmas, date(2026, 12, 24), (), off=DaysOff(holidays=frozenset({christmas})))

    assert [rung.name for rung in rungs] == ["on_the_day"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "<@U0ANA|ana> by 2026-12-01 quick: set a limit",
            ActionWords(ANA, "2026-12-01", Horizon.quick, "set a limit"),
        ),
        ("<@U0ANA> by friday long write a runbook", ActionWords(ANA, "friday", Horizon.long, "write a runbook")),
        ("<@U0ANA> by 2 weeks: set a limit", ActionWords(ANA, "2 weeks", None, "set a limit")),
        ("<@U0ANA> set a limit", ActionWords(ANA, None, None, "set a limit")),
        ("<@U0ANA> by hand drain node 3", ActionWords(ANA, None, None, "by hand drain node 3")),
        ("<@U0ANA> quickly drain node 3", ActionWords(ANA, None, None, "quickly drain node 3")),
        ("<@U0ANA> long-term: a second region", ActionWords(ANA, None, Horizon.long, "a second region")),
        ("<@U0ANA> quick fix: set a limit", ActionWords(ANA, None, Horizon.quick, "set a limit")),
        ("set a limit, <@U0ANA> knows how", ActionWords(None, None, None, "set a limit, <@U0ANA> knows how")),
        ("for 3 <@U0ANA> set a limit", ActionWords(ANA, None, None, "set a limit", answers=(3,))),
        ("at #7 <@U0ANA> quick set a limit", ActionWords(ANA, None, Horizon.quick, "set a limit", event=7)),
        ("at 7 we set a limit", ActionWords(None, None, None, "at 7 we set a limit")),
        ("<@U0ANA>", ActionWords(ANA, None, None, "")),
        ("", ActionWords(None, None, None, "")),
    ],
)
def test_owner_day_and_horizon_are_taken_off_the_front(text: str, expected: ActionWords) -> None:
    assert read_action(text) == expected


@given(st.text())
def test_any_words_can_be_read_as_an_action(text: str) -> None:
    assert read_action(text).owner is None or "<@" in text


# Afterwards ------------------------------------------------------------------------------


DONE = date(2026, 11, 25)


def asked_on(worked: Worked | None = None, *, first: int = 0, then: Worked | None = None) -> list[int]:
    """Days after being done on which somebody asked every day would be asked; `then` is answered to the first."""
    said: set[str] = set()
    days: list[int] = []
    for day in range(first, 200):
        check = check_due(DONE, DONE + timedelta(days=day), said, worked=then if days else worked)
        if check:
            said.add(check.key)
            days.append(day)
    return days


@pytest.mark.parametrize(
    ("answered", "days"), [(None, [30, 90]), (Worked.unsure, [30, 90]), (Worked.yes, [30]), (Worked.no, [30])]
)
def test_it_is_asked_after_a_month_whether_it_worked_and_again_where_nobody_knows(
    answered: Worked | None, days: list[int]
):
    assert asked_on(then=answered) == days


def test_what_was_said_before_anybody_asked_is_not_asked():
    assert asked_on(Worked.yes) == []
    assert asked_on(Worked.unsure, then=Worked.unsure) == [30, 90]


@pytest.mark.parametrize(("back_after", "days"), [(45, [45, 90]), (70, [90]), (100, [100]), (130, [])])
def test_a_check_that_was_missed_is_made_within_a_month_or_not_at_all(back_after: int, days: list[int]):
    assert asked_on(first=back_after) == days

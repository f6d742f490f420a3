"""A light review, step by step."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from bot.review.findings import FindingKind
from bot.review.steps import STEPS, Step, Stepped
from tests.cast import JONAS, MARA, NOVEMBER_18

LATER = NOVEMBER_18 + timedelta(days=3)


def begun() -> Stepped:
    return Stepped.begin(MARA, NOVEMBER_18)


def test_it_asks_for_the_summary_first_and_closes_last():
    stepped = begun()

    asked = [stepped.step]
    while (following := stepped.next(LATER)) is not stepped:
        stepped = following
        asked.append(stepped.step)

    assert asked == [
        Step.summary,
        Step.timeline,
        Step.contributors,
        Step.mitigators,
        Step.risks,
        Step.learnings,
        Step.actions,
        Step.close,
    ]


def test_four_steps_ask_for_a_kind_of_finding():
    assert {step: step.finds for step in Step if step.finds} == {
        Step.contributors: FindingKind.contributor,
        Step.mitigators: FindingKind.mitigator,
        Step.risks: FindingKind.risk,
        Step.learnings: FindingKind.learning,
    }


def test_of_two_presses_on_the_same_message_one_counts():
    pressed = begun().next(LATER, seen=1)

    assert pressed.number == 2
    assert pressed.next(LATER, seen=1) is pressed
    assert pressed.back(LATER, seen=1) is pressed


def test_back_is_the_step_before():
    third = begun().next(LATER).next(LATER)

    assert third.back(LATER).step is Step.timeline


def test_whatever_changes_it_leaves_no_press_on_what_was_shown_before():
    shown = begun().next(LATER)

    for after in (shown.next(LATER), shown.back(LATER), shown.stop(LATER), shown.go_on(JONAS, LATER), shown.end(LATER)):
        assert after.version > shown.version
        assert after.next(LATER, seen=shown.version) is after


def test_there_is_nothing_before_the_first_step():
    stepped = begun()

    assert stepped.back(LATER) is stepped


def test_it_goes_on_days_later_at_the_step_where_it_stopped_by_whoever_does_it():
    stopped = begun().next(NOVEMBER_18).stop(NOVEMBER_18)

    gone_on = stopped.go_on(JONAS, LATER)

    assert (stopped.stopped_at, gone_on.stopped_at) == (NOVEMBER_18, None)
    assert (gone_on.step, gone_on.user, gone_on.touched_at, gone_on.posted) == (Step.timeline, JONAS, LATER, 2)


def test_what_has_ended_asks_nothing_more():
    ended = begun().end(NOVEMBER_18)

    assert ended.next(LATER) is ended
    assert ended.end(LATER).ended_at == NOVEMBER_18


def test_what_another_way_of_reviewing_kept_is_no_step():
    assert Stepped.from_json(None) is None
    assert Stepped.from_json({}) is None
    assert Stepped.from_json({"how": "async", "began_at": NOVEMBER_18.isoformat()}) is None


def test_what_an_earlier_version_kept_is_read_with_what_came_since_at_its_beginning():
    kept = begun().to_json()

    assert Stepped.from_json({name: kept[name] for name in ("how", "user", "began_at", "touched_at")}) == begun()


@given(st.lists(st.sampled_from(["next", "back", "stop", "go_on", "remind", "end"]), max_size=30))
def test_whatever_is_pressed_it_is_kept_as_it_is_and_stays_among_its_steps(presses: list[str]):
    stepped = begun()

    for number, press in enumerate(presses):
        now = NOVEMBER_18 + timedelta(minutes=number)
        stepped = stepped.go_on(JONAS, now) if press == "go_on" else getattr(stepped, press)(now)

        assert stepped.step in STEPS
        assert Stepped.from_json(stepped.to_json()) == stepped

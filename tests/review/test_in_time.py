from datetime import UTC, datetime, timedelta

import pytest

from bot.review.in_time import InTime

OVER = datetime(2026, 11, 17, 9, 0, tzinfo=UTC)
FIRST = OVER + timedelta(hours=50)


def met(hours: float, **more: object) -> InTime:
    facts = {"over_at": OVER, "met_at": OVER + timedelta(hours=hours), "wanted": timedelta(hours=72)} | more
    return InTime(**facts)  # pyright: ignore[reportArgumentType]


def say(at: datetime) -> str:
    return f"{at:%a %H:%M}"


def test_a_review_that_met_at_its_hour_says_how_soon_that_was():
    assert met(50).sentences(say) == ["It met 2 days 2 h after mitigation, within the 72 hours wanted."]


@pytest.mark.parametrize(("moved", "times"), [(1, "once"), (2, "twice"), (3, "3 times")])
def test_one_that_was_moved_out_of_time_is_late_however_early_it_was_promised(moved: int, times: str):
    late = met(120, first=FIRST, moved=moved, why="The vendor is back then.")

    assert not late.is_so
    assert late.sentences(say) == [
        "It met 5 days after mitigation, later than the 72 hours wanted.",
        f"It was planned for Thu 11:00 at first and moved {times}, the last time because: The vendor is back then.",
    ]


def test_one_that_was_moved_and_met_in_time_is_in_time_and_the_move_is_told_all_the_same():
    assert met(71, first=FIRST, moved=1).sentences(say) == [
        "It met 2 days 23 h after mitigation, within the 72 hours wanted.",
        "It was planned for Thu 11:00 at first and moved once.",
    ]


def test_to_the_minute_the_window_counts():
    assert met(72).is_so
    assert not met(72 + 1 / 60).is_so


def test_a_move_whose_first_hour_nobody_knows_or_that_had_no_words_is_told_without_them():
    assert met(50, moved=2).sentences(say)[1:] == ["It was moved twice."]
    assert met(50, first=FIRST, moved=1, why=" \n").sentences(say)[1:] == [
        "It was planned for Thu 11:00 at first and moved once."
    ]


def test_a_reason_that_says_because_of_itself_is_not_told_with_another_because():
    assert met(50, moved=1, why="Because of my train.").sentences(say)[1:] == [
        "It was moved once, the last time because of my train."
    ]


def test_the_reason_of_a_move_ends_with_one_full_stop():
    assert met(50, moved=1, why=" They are on leave...\n").sentences(say)[1:] == [
        "It was moved once, the last time because: They are on leave."
    ]

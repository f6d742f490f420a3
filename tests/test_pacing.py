"""The pace: what may be called now, by moments alone."""

from datetime import UTC, datetime, timedelta

from bot.pacing import A_MINUTE, LONGEST_TOLD, Pace, Room, again, room

NOW = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
POST, UPDATE = "chat.postMessage", "chat.update"


def after(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


# The workspace's budget --------------------------------------------------------------------


def test_four_notes_may_begin_in_a_second_and_one_answer_more():
    assert room([], NOW) == Room(notes=4, answers=5)


def test_what_was_begun_within_the_last_second_takes_room_and_nothing_else_does():
    assert room([after(seconds) for seconds in (-1.5, -1, -0.9, -0.4, 0)], NOW) == Room(notes=1, answers=2)
    assert room([after(-0.5)] * 4, NOW) == Room(notes=0, answers=1)


def test_answers_that_went_beyond_the_budget_leave_room_for_nothing():
    assert room([after(-0.5)] * 5, NOW) == Room(notes=0, answers=0)


def test_there_is_room_again_a_second_after_the_oldest_and_a_little_later_in_its_channel():
    begun = [after(-1.01), after(-0.4)]

    assert again(begun, {}, NOW) == after(0.01)
    assert again(begun, {}, after(0.5)) == after(0.6)
    assert again(begun, {}, after(0.61)) == after(0.62)
    assert again(begun, {}, after(0.7)) is None


def test_there_is_room_again_when_a_method_is_open_again():
    assert again([], {POST: after(30), UPDATE: after(3)}, NOW) == after(3)


def test_what_a_clock_that_went_wrong_has_begun_later_than_now_takes_no_room():
    assert room([after(86_400)] * 9, NOW).notes == 4


# What Slack asks to wait ---------------------------------------------------------------------


def test_a_method_on_hold_is_closed_until_its_time_and_others_are_open():
    pace = Pace()

    pace.hold(POST, NOW, after(30))

    assert [pace.opens(POST, after(seconds)) for seconds in (0, 29.999, 30)] == [after(30), after(30), None]
    assert pace.opens(UPDATE, NOW) is None
    assert (pace.closed(NOW), pace.closed(after(30))) == ({POST: after(30)}, {})


def test_of_two_waits_the_longer_holds():
    pace = Pace()

    pace.hold(POST, NOW, after(30))
    pace.hold(POST, after(1), after(2))

    assert pace.opens(POST, after(3)) == after(30)


def test_what_another_replica_was_told_holds_here_too():
    pace = Pace()

    pace.learn({POST: after(20)}, NOW)

    assert pace.closed(after(19)) == {POST: after(20)}


def test_a_clock_that_jumps_back_a_day_makes_no_wait_a_day_long():
    pace = Pace()
    pace.hold(POST, NOW, after(30))

    yesterday = NOW - timedelta(days=1)
    pace.learn({POST: after(30)}, yesterday)

    assert pace.opens(POST, yesterday) is None


def test_a_pause_of_another_replica_is_believed_up_to_an_hour():
    pace = Pace()

    pace.learn({POST: NOW + LONGEST_TOLD, UPDATE: NOW + LONGEST_TOLD + timedelta(seconds=1)}, NOW)

    assert set(pace.closed(NOW)) == {POST}


# Slack's tiers ---------------------------------------------------------------------------


def test_a_method_is_called_as_often_a_minute_as_its_tier_says_and_no_more():
    pace = Pace({UPDATE: 3})
    for seconds in (0, 1, 2):
        pace.called(UPDATE, after(seconds))

    assert pace.opens(UPDATE, after(3)) == NOW + A_MINUTE
    assert pace.opens(UPDATE, NOW + A_MINUTE) is None


def test_posts_have_no_number_a_minute_of_their_own():
    pace = Pace()
    for _ in range(1_000):
        pace.called(POST, NOW)

    assert pace.opens(POST, NOW) is None

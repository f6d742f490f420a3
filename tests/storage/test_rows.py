"""Statements of many keys take some at a time."""

from storage.rows import AT_ONCE, in_parts


def test_keys_are_taken_some_at_a_time_in_their_order_and_none_is_left_out():
    keys = range(2 * AT_ONCE + 1)

    parts = list(in_parts(keys))

    assert [len(part) for part in parts] == [AT_ONCE, AT_ONCE, 1]
    assert [key for part in parts for key in part] == list(keys)


def test_of_no_keys_there_is_no_part():
    assert list(in_parts([])) == []

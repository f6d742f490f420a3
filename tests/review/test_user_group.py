"""User groups as Slack describes them."""

import pytest

from bot.review.user_group import GroupFact, read_groups

ONCALL = {"id": "S0ONCALL", "handle": "oncall", "name": "On call", "users": ["U1", "U2", "U1"], "date_delete": 0}


def test_a_group_has_its_handle_its_name_and_each_member_once():
    assert read_groups([ONCALL]) == [GroupFact("S0ONCALL", "oncall", "On call", ("U1", "U2"))]


def test_a_disabled_group_is_gone():
    (group,) = read_groups([ONCALL | {"date_delete": 1_760_000_000}])

    assert group.is_gone


def test_the_groups_that_slack_keeps_of_owners_and_admins_are_no_teams():
    assert read_groups([ONCALL | {"auto_type": "admin"}]) == []


@pytest.mark.parametrize(
    "said",
    [None, "text", {}, [None], [7], [[]], [{}], [{"id": None}], [{"id": ""}], [{"id": "S 1"}], [{"id": "S" * 81}]],
)
def test_what_is_shaped_as_nothing_known_is_no_group(said: object):
    assert read_groups(said) == []


def test_a_group_that_says_little_has_nobody_in_it():
    odd = {"id": "S1", "handle": 7, "name": None, "users": [None, 7, "not an id", "U3"]}

    assert read_groups([odd, {"id": "S2", "users": "U4"}]) == [
        GroupFact("S1", "", "", ("U3",)),
        GroupFact("S2", "", ""),
    ]


def test_its_words_come_without_the_space_around_them():
    (group,) = read_groups([ONCALL | {"handle": " oncall ", "name": " On call\n"}])

    assert (group.handle, group.name) == ("oncall", "On call")


def test_a_group_that_is_told_twice_is_one():
    assert len(read_groups([ONCALL, ONCALL])) == 1


def test_a_handle_is_as_long_as_there_is_room_for():
    (group,) = read_groups([ONCALL | {"handle": "@" + "a" * 500}])

    assert group.handle == "a" * 80

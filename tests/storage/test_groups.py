"""Who is in which user group, as Slack told it last."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy.orm import Session

from bot.review.incident import UserId
from bot.review.policy import Pool
from bot.review.user_group import GroupFact
from storage import groups, people, pseudonyms
from tests.cast import JONAS, MARA, PRIYA, TEAM, TOMAS, Room, a_room

PAYMENTS = GroupFact("S0PAY", "payments", "Payments", (TOMAS, MARA))
ON_CALL = GroupFact("S0ONCALL", "oncall", "On call", (PRIYA, MARA))


@pytest.fixture
def room(tmp_path: Path, database_url: str) -> Iterator[Room]:
    room = a_room(tmp_path, database_url)
    yield room
    room.storage.close()


def told(room: Room, *facts: GroupFact) -> None:
    """Slack tells of these groups and no others."""
    room.change(lambda db: groups.keep(db, TEAM, facts, now=room.now))


def members(room: Room, name: str) -> list[str]:
    return list(room.ask(groups.members, TEAM, name))


@pytest.mark.parametrize(
    "name", ["S0PAY", "payments", "@payments", " @PayMents ", "Payments", "<!subteam^S0PAY>", "<!subteam^S0PAY|@pay>"]
)
def test_a_group_is_found_by_id_handle_name_and_mention(room: Room, name: str):
    told(room, PAYMENTS, ON_CALL)

    assert members(room, name) == [MARA, TOMAS]


@pytest.mark.parametrize("name", ["", "@", "\0", "\ud800", "nobody", "pay", "%", "x" * 10_000, "<!subteam^S0GONE>"])
def test_in_a_group_that_does_not_exist_there_is_nobody(room: Room, name: str):
    told(room, PAYMENTS)

    assert members(room, name) == []


def test_a_handle_comes_before_a_name_that_is_the_same(room: Room):
    told(room, GroupFact("S0A", "old", "oncall", (JONAS,)), ON_CALL)

    assert members(room, "oncall") == [MARA, PRIYA]


def test_whoever_slack_tells_of_later_takes_the_place_of_those_before(room: Room):
    told(room, PAYMENTS)
    told(room, GroupFact("S0PAY", "pay", "Payments and billing", (JONAS,)))

    assert (members(room, "pay"), members(room, "payments")) == ([JONAS], [])


def test_a_group_that_slack_tells_of_no_more_is_gone_and_may_come_back(room: Room):
    told(room, PAYMENTS, ON_CALL)

    told(room, ON_CALL)
    gone = members(room, "payments")
    told(room, PAYMENTS)

    assert (gone, members(room, "payments")) == ([], [MARA, TOMAS])


def test_a_disabled_group_has_nobody_to_ask(room: Room):
    told(room, GroupFact("S0PAY", "payments", "Payments", (TOMAS,), is_gone=True))

    assert members(room, "payments") == []
    assert room.ask(lambda db: groups.every(db, TEAM)) == []


def test_programs_and_people_who_left_are_nobody_to_ask(room: Room):
    told(room, PAYMENTS, ON_CALL)

    def leave(db: Session) -> None:
        people.know(db, TEAM, TOMAS, name="Tomas", zone="UTC", email=None, bot=None, gone=room.now, now=room.now)
        people.know(db, TEAM, PRIYA, name="Priya", zone="UTC", email=None, bot=room.now, gone=None, now=room.now)

    room.change(leave)

    assert (members(room, "payments"), members(room, "oncall")) == ([MARA], [MARA])


def test_somebody_of_whom_nothing_is_known_yet_may_be_asked(room: Room):
    told(room, GroupFact("S0NEW", "new", "New", ("U0STRANGER",)))

    assert members(room, "new") == ["U0STRANGER"]


def test_a_pool_is_its_groups_and_its_people_each_once(room: Room):
    told(room, PAYMENTS, ON_CALL)
    pool = Pool(groups=("payments", "@oncall", "nobody"), people=(UserId(JONAS), UserId(MARA)))

    assert room.ask(groups.pool, TEAM, pool) == sorted([MARA, TOMAS, PRIYA, JONAS])
    assert room.ask(groups.pool, TEAM, Pool()) == []


def test_groups_of_another_workspace_are_not_ours(room: Room):
    room.change(lambda db: groups.keep(db, "T0OTHER", [PAYMENTS], now=room.now))
    told(room, ON_CALL)

    assert members(room, "payments") == []


def test_who_asked_to_be_forgotten_is_in_no_group_by_their_id(room: Room):
    pseudonym = room.change(lambda db: pseudonyms.give(db, TEAM, TOMAS, now=room.now))

    told(room, PAYMENTS)

    assert room.ask(lambda db: {*groups.every(db, TEAM)[0].members}) == {MARA, pseudonym}


def test_odd_names_are_kept_as_far_as_they_can_be(room: Room):
    odd = GroupFact("S0ODD", "pay\0ments\ud800", "Pay\0ments\ud800", (MARA,))

    for _ in range(2):
        told(room, odd)
        room.now += timedelta(hours=1)

    assert members(room, "payments\ufffd") == [MARA]

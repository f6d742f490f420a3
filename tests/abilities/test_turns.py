"""Fifty incidents, and who leads their reviews."""

from collections.abc import Collection, Sequence
from pathlib import Path

import pytest

from bot.review import rotation
from bot.review.incident import UserId
from bot.review.rotation import Had
from storage import busy
from tests.turns import COLLEAGUES, fifty_incidents


@pytest.mark.timeout(900)
def test_in_fifty_incidents_nobody_with_a_part_leads_and_nobody_gets_two_turns_more_than_who_could(
    tmp_path: Path, sqlite_url: str
):
    found = fifty_incidents(tmp_path, sqlite_url)

    assert found.conflicts == []
    assert found.ahead <= 1
    assert sum(found.turns.values()) >= 45


@pytest.mark.timeout(900)
def test_without_a_rotation_some_would_lead_again_and_again(
    tmp_path: Path, sqlite_url: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(rotation, "in_turn", in_the_order_of_their_names)

    found = fifty_incidents(tmp_path, sqlite_url, incidents=12)

    assert found.ahead > 1


def in_the_order_of_their_names(
    pool: Collection[str], _had: Sequence[Had], *, never: Collection[str | None] = ()
) -> Sequence[UserId]:
    return [UserId(user) for user in sorted(set(pool) - set(never))]


@pytest.mark.timeout(900)
def test_without_a_look_at_who_responded_and_who_is_away_they_would_lead(
    tmp_path: Path, sqlite_url: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(rotation, "in_turn", whoever_it_is)
    monkeypatch.setattr(busy, "between", nobody_is_busy)

    found = fifty_incidents(tmp_path, sqlite_url, incidents=12)

    assert found.conflicts != []


PLAIN = rotation.in_turn


def whoever_it_is(pool: Collection[str], had: Sequence[Had], *, never: Collection[str | None] = ()) -> Sequence[UserId]:
    return PLAIN(pool, had)


def nobody_is_busy(*_: object) -> dict[UserId, list[object]]:
    return {user: [] for user in COLLEAGUES}

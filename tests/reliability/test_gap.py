"""Six hours that nobody told us of are healed, whatever kills the reader; each protection is missed when it is gone."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bot import archiving
from bot.archiving import AWAY_FROM_ALL
from storage import channels, readings
from tests.reliability.gap import AWAY_AT, QUICK, SIX_HOURS, Changed, Gap, gap

ANSWERED_AT_MOST, MINUTES_AT_MOST = 300, 6


async def test_a_gap_is_healed_in_one_reading_however_often_the_reader_is_killed(tmp_path: Path):
    async with gap(tmp_path, QUICK) as here:
        for method in ("conversations.history", "conversations.replies"):
            slack_refuses(here, method, rate=0.05)
        missed = len(here.missing())

        await here.heals(kills=5)

        assert missed == QUICK.said_in_gap == 500
        assert here.missing() == set()
        assert healed_messages(here) == QUICK.said_in_gap
        assert here.answered() <= ANSWERED_AT_MOST / 5
        assert here.minutes() <= MINUTES_AT_MOST


@pytest.mark.postgres
async def test_a_gap_is_healed_on_postgresql_as_well(tmp_path: Path, postgresql_url: str):
    async with gap(tmp_path, QUICK, postgresql_url) as here:
        await here.heals(kills=2)

        assert here.missing() == set()
        assert healed_messages(here) == QUICK.said_in_gap


async def test_where_slack_limits_history_a_gap_is_healed_slowly_and_nothing_is_doubted(tmp_path: Path):
    async with gap(tmp_path, QUICK) as here:
        here.running.sandbox.faults.set({"history_limit": 15})

        await here.heals()

        assert here.missing() == set()
        assert here.minutes() > QUICK.parents / 15
        assert {one.missing_since for one in here.kept(list(here.channel.messages)[:500])} == {None}


async def test_a_second_reading_of_a_healed_gap_asks_for_the_pages_alone(tmp_path: Path):
    async with gap(tmp_path, QUICK) as here:
        await here.heals()
        before = here.answered()
        here.began = here.running.sandbox.clock.now() + timedelta(seconds=1)
        here.running.sandbox.clock.advance(2)

        await here.heals()

        assert here.answered() - before == 6
        assert len(here.healed()) == 1


@pytest.mark.torture
async def test_six_hours_of_five_thousand_messages_are_healed_within_three_hundred_calls(tmp_path: Path):
    async with gap(tmp_path, SIX_HOURS) as here:
        for method in ("conversations.history", "conversations.replies"):
            slack_refuses(here, method, rate=0.03)

        await here.heals(kills=20)

        assert here.missing() == set()
        assert healed_messages(here) == SIX_HOURS.said_in_gap == 5_000
        assert here.refused() > 0
        assert here.answered() <= ANSWERED_AT_MOST
        assert here.minutes() <= MINUTES_AT_MOST


async def test_without_reading_anything_a_gap_stays(tmp_path: Path):
    """The twin: the bot comes back and does not look."""
    async with gap(tmp_path, QUICK) as here:
        await here.historian().fetch()

        assert len(here.missing()) == QUICK.said_in_gap


async def test_without_walking_threads_the_replies_are_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """The twin: the channel alone is read, as its history shows it."""
    async with gap(tmp_path, QUICK) as here:
        monkeypatch.setattr(readings, "threads_to_walk", nothing)

        await here.heals()

        assert len(here.missing()) == QUICK.replies_in_old + QUICK.replies_in_new


async def test_without_the_parents_from_before_the_replies_to_them_are_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """The twin: only what was said since we went away is read."""
    async with gap(tmp_path, QUICK) as here:
        monkeypatch.setattr(readings, "threads_to_walk", only_of_the_gap)
        monkeypatch.setattr(readings, "threads_unshown", nothing)

        await here.heals()

        assert len(here.missing()) == QUICK.replies_in_old


def nothing(*_: object, **__: object) -> list[str]:
    return []


def only_of_the_gap(db: Any, source: Any, reading: Any, page: Any) -> list[str]:
    return [ts for ts in walked(db, source, reading, page) if float(ts) >= AWAY_AT.timestamp()]


walked = readings.threads_to_walk


def slack_refuses(here: Gap, method: str, *, rate: float) -> None:
    here.running.sandbox.faults.set({"method": method, "kind": "429", "rate": rate, "retry_after": 2})


def healed_messages(here: Gap) -> int:
    """How many messages the incident's history says were fetched later."""
    return sum(int(line.split()[0].replace(",", "")) for line in here.healed() if line)


# A full snapshot ---------------------------------------------------------------------------

EDITS, DELETIONS, EMOJI = 100, 40, 30


async def test_a_full_snapshot_finds_every_edit_deletion_and_emoji(tmp_path: Path):
    async with gap(tmp_path, QUICK) as here:
        changed = await everything_changes(here)

        await snapshot(here)

        assert found(here, changed) == (EDITS, DELETIONS, EMOJI)
        assert here.missing() == set()


async def test_what_a_snapshot_missed_is_erased_with_the_second_look(tmp_path: Path):
    async with gap(tmp_path, QUICK) as here:
        changed = await everything_changes(here)

        await snapshot(here)
        here.running.sandbox.clock.advance(180)
        await here.historian().fetch()

        kept = here.kept(changed.deleted)
        assert {(one.text, one.deleted_at is not None) for one in kept} == {("", True)}


@pytest.mark.torture
async def test_a_full_snapshot_of_six_hours_finds_all_that_changed(tmp_path: Path):
    async with gap(tmp_path, SIX_HOURS) as here:
        changed = await everything_changes(here)

        await snapshot(here)

        assert found(here, changed) == (EDITS, DELETIONS, EMOJI)


async def test_without_walking_every_thread_changes_in_quiet_ones_are_missed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """The twin: threads whose counts did not change are left out."""
    async with gap(tmp_path, QUICK) as here:
        changed = await everything_changes(here)
        monkeypatch.setattr(archiving, "places_of", as_a_gap)

        await snapshot(here)

        edits, deletions, emoji = found(here, changed)
        assert edits < EDITS
        assert emoji < EMOJI
        assert deletions == DELETIONS


def as_a_gap(turn: Any, *, incident_id: int) -> list[archiving.Due]:
    return archiving.due(turn, away={AWAY_FROM_ALL: turn.now})


async def everything_changes(here: Gap) -> Changed:
    """The gap is healed, then people change what nobody tells us of."""
    await here.heals()
    changed = here.changes(edits=EDITS, deletions=DELETIONS, emoji=EMOJI)
    here.running.sandbox.clock.advance(120)
    return changed


async def snapshot(here: Gap) -> None:
    incident = here.room.ask(lambda db: channels.source(db, here.source).incident_id)
    assert await here.historian().compare(incident) == []


def found(here: Gap, changed: Changed) -> tuple[int, int, int]:
    """How many edits, deletions and emoji the archive has as Slack shows them."""
    edits = sum(one.text == f"edited {one.ts}" for one in here.kept(changed.edited))
    deletions = sum(one.missing_since is not None for one in here.kept(changed.deleted))
    wrong = {ts for ts, _, _ in here.emoji() ^ here.shown_emoji()} & set(changed.reacted)
    return edits, deletions, len(changed.reacted) - len(wrong)

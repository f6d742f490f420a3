"""A backlog over Socket Mode: everything that came at once is kept and acknowledged."""

import pytest

from benchmarks.backlog import outcome_of
from benchmarks.slack_requests import emoji


async def test_a_backlog_that_comes_at_once_is_kept_and_acknowledged():
    outcome = await outcome_of(600)

    assert (outcome.acknowledged, outcome.kept) == (600, 600)


async def test_emoji_are_acknowledged_without_asking_slack_anything():
    outcome = await outcome_of(200, emoji)

    assert (outcome.acknowledged, outcome.kept) == (200, 200)
    assert outcome.asked["auth.test"] == 1, "only at the start"


@pytest.mark.torture
@pytest.mark.timeout(300)
async def test_a_backlog_of_five_thousand_is_kept_and_acknowledged():
    outcome = await outcome_of(5_000)

    assert (outcome.acknowledged, outcome.kept) == (5_000, 5_000)

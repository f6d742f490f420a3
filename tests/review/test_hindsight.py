"""What was not yet known when something was decided."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest

from bot.review.hindsight import Archive, Said
from tests.review.hindsight_examples import EXAMPLES

TWO = datetime(2026, 11, 20, 14, 0, tzinfo=UTC)


def told(lines: Sequence[str], start: int) -> list[Said]:
    return [
        Said(start + number, TWO + timedelta(minutes=start + number), "UANA", line.removeprefix("! "))
        for number, line in enumerate(lines)
    ]


@pytest.mark.parametrize(("before", "decision", "after"), EXAMPLES, ids=[words for _, words, _ in EXAMPLES])
def test_what_was_known_only_later_is_told_and_nothing_else(before: list[str], decision: str, after: list[str]) -> None:
    said = told([*before, decision, *after], 0)

    later = Archive(said).later(said[len(before)])

    assert [one.text for one in later] == [line.removeprefix("! ") for line in after if line.startswith("! ")]

from datetime import UTC, datetime, timedelta

import pytest

from bot.review.history import Page, healed

AT = datetime(2026, 11, 18, 14, 3, tzinfo=UTC)


@pytest.mark.parametrize(
    ("count", "until", "words"),
    [
        (1, AT, "1 message from 14:03 UTC was fetched later"),
        (2, AT, "2 messages from 14:03 UTC were fetched later"),
        (17, AT + timedelta(minutes=17), "17 messages from 14:03–14:20 UTC were fetched later"),
        (5_000, AT + timedelta(days=1), "5,000 messages from 18 Nov 14:03 – 19 Nov 14:03 UTC were fetched later"),
    ],
)
def test_what_was_healed_is_told_with_its_times_and_with_days_where_there_are_two(
    count: int, until: datetime, words: str
):
    assert healed(count, AT, until) == words


@pytest.mark.parametrize(
    ("count", "cursor", "meagre"), [(15, "more", True), (16, "more", False), (15, None, False), (0, "more", False)]
)
def test_a_handful_with_more_to_come_is_meagre(count: int, cursor: str | None, *, meagre: bool):
    page = Page(messages=tuple({"ts": f"{n}.0"} for n in range(count)), asked_at=AT, next_cursor=cursor)

    assert page.is_meagre is meagre

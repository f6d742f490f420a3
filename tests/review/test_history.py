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
    assert a_page(count, cursor).is_meagre is meagre


@pytest.mark.parametrize(("count", "sizes"), [(0, [0]), (1, [1]), (250, [250]), (999, [250, 250, 250, 249])])
def test_a_page_is_kept_in_parts_so_that_nobody_waits_long(count: int, sizes: list[int]):
    page = a_page(count)

    assert [len(part.messages) for part in page.parts()] == sizes
    assert [message for part in page.parts() for message in part.messages] == list(page.messages)


def a_page(count: int, cursor: str | None = None) -> Page:
    messages = tuple({"ts": f"{n}.0"} for n in range(count))
    return Page(channel="C0INC", messages=messages, asked_at=AT, next_cursor=cursor)

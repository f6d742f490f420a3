import pytest

from bot.review.likeness import Likeness, alike, closest

EARLIER = [
    (1, "The connection pool had no limit on the billing database"),
    (2, "Only one person knows the billing system"),
    (3, "The disk of the server filled up with logs"),
    (4, "A marketing event sent three times the usual traffic"),
    (5, "The on-call engineer missed the initial alert"),
    (6, "Nobody was paged because the alert went to an old channel"),
    (7, "The retry loop had no back-off, so the queue grew"),
    (8, "Support heard of it from customers before we did"),
]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Knowledge of the billing system sits with one person", 2),
        ("Disk full on the log server", 3),
        ("traffic was three times higher than usual", 4),
        ("the first alert was missed by on-call", 5),
        ("Alerts still went to the retired channel", 6),
        ("Retries without backoff flooded the queue", 7),
        ("Customers told support before monitoring told us", 8),
    ],
)
def test_the_same_in_other_words_is_found(text: str, expected: int) -> None:
    found = closest(text, EARLIER)

    assert found
    assert found.key == expected


@pytest.mark.parametrize(
    "text",
    [
        "DNS answered slowly",
        "We had no dashboard for the payment gateway",
        "The channel was noisy",
        "The database was slow",
        "nobody did what they had done before",
        "",
        "   ",
        "?!…",
    ],
)
def test_what_is_new_is_like_nothing(text: str) -> None:
    assert closest(text, EARLIER) is None


def test_why_it_is_alike_is_told_in_the_words_of_who_asks() -> None:
    found = closest("Retries without backoff flooded the queues", EARLIER)

    assert found
    assert found.shared == ("queues", "retries")


def test_the_same_text_is_wholly_alike() -> None:
    found = closest("the pool of connections", [("a", "The pool of connections.")])

    assert found
    assert found == Likeness("a", found.score, ("connections", "pool"))
    assert found.score == pytest.approx(1.0)


def test_the_most_alike_come_first() -> None:
    among = [(1, "the queue of the mail worker"), (2, "the queue of the mail worker grew without a limit")]

    found = alike("the mail queue grew without limit", among, at_least=0.1)

    assert [one.key for one in found] == [2, 1]


def test_a_rare_word_tells_more_than_one_that_every_text_has() -> None:
    among = [(1, "the deploy of search was slow"), (2, "the deploy of Kestrel was wrong"), (3, "the deploy of mail")]

    found = alike("a deploy of Kestrel", among, at_least=0.0)

    assert [one.key for one in found] == [2]


@pytest.mark.parametrize(
    ("text", "other"),
    [
        ("データベースの接続が切れた", "接続プールのデータベースが遅い"),
        ("сервер переполнил диск журналами", "диск сервера переполнен журналами"),
        ("资料库连接数已满", "数据资料库连接太多"),
    ],
)
def test_other_scripts_are_compared_too(text: str, other: str) -> None:
    assert closest(text, [(1, other)], at_least=0.2)


def test_a_very_long_text_is_compared_by_its_beginning() -> None:
    long = "the retry loop had no back-off " + "x" * 1_000_000

    assert [one.key for one in alike(long, EARLIER, at_least=0.05)] == [7]


def test_nothing_is_like_anything_where_there_is_nothing_to_compare() -> None:
    assert closest("the pool of connections", []) is None

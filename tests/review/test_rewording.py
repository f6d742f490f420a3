import pytest

from bot.review.language import nudge
from bot.review.rewording import better
from tests.review import language_build_half
from tests.review.language_examples import CLEAN, NUDGED


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("We should have tested the failover.", "We did not test the failover."),
        ("I should’ve checked the shards.", "I did not check the shards."),
        ("We shouldn't have gone live on Friday", "We went live on Friday"),
        ("There should have been an alert on the queue.", "There was no alert on the queue."),
        ("The tokens should have been rotated.", "The tokens were not rotated."),
        ("The team failed to escalate.", "The team did not escalate."),
        ("Obviously, nobody looked at the dashboard.", "Nobody looked at the dashboard."),
        ("A careless edit let the index grow.", "An edit let the index grow."),
        ("Somebody forgot to renew the certificate.", "The certificate was not renewed."),
        ("The root cause was a missing index.", "A contributor was a missing index."),
        ("the cause of the outage was a full disk", "a contributor to the outage was a full disk"),
        ("Root cause: DNS", "Contributor: DNS"),
        ("Kofi broke the build!", "The build broke."),
        ("<@U0LENA> missed the alerts.", "The alerts were missed."),
        ("Lena's deploy broke checkout.", "A deploy broke checkout."),
        ("Why did you restart the pod?", "What led you to restart the pod?"),
        ("why did she call the vendor", "what led her to call the vendor"),
        ("Who approved the change?", "How did the change come to be approved?"),
        ("It was late. The root cause was DNS. Then we slept.", "It was late. A contributor was DNS. Then we slept."),
    ],
)
def test_where_a_sentence_is_plain_another_wording_of_it_is_offered(text: str, expected: str) -> None:
    assert better(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "It was a careless deploy.",
        "We should have paged support earlier.",
        "Someone should have called the vendor.",
        "This could have been avoided with a test.",
        "Why did you never ask?",
        "Who approved the change on Friday without a review?",
        "Caused by human error.",
        "Kofi broke the build because the lock file was stale.",
        "The root cause was DNS, and it was careless.",
    ],
)
def test_where_it_is_not_a_question_is_better_than_nonsense(text: str) -> None:
    assert nudge(text)
    assert better(text) is None


@pytest.mark.parametrize("text", [text for text, _ in (*NUDGED, *language_build_half.SENTENCES)])
def test_what_is_offered_is_left_alone_afterwards(text: str) -> None:
    reworded = better(text)

    assert reworded is None or (reworded != text and nudge(reworded) is None)


@pytest.mark.parametrize("text", ["", *CLEAN[:20]])
def test_what_is_well_worded_stays(text: str) -> None:
    assert better(text) is None


@pytest.mark.parametrize(
    "text", ["Kofi " * 20_000 + "broke", "there should have been a " + "b " * 50_000, "why did you " + "a" * 100_000]
)
def test_any_text_is_tried_whatever_its_length(text: str) -> None:
    """Quadratic, it would meet the time limit of a test."""
    better(text)

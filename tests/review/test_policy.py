import pytest

from bot.review.policy import DEFAULT, Asked, Depth


@pytest.mark.parametrize(
    ("severity", "asked"),
    [
        ("sev1", Asked(Depth.full, minutes=90, briefing=True, private_question=True)),
        ("sev2", Asked(Depth.full, private_question=True)),
        ("sev3", Asked(Depth.light)),
        ("sev4", Asked(Depth.none)),
    ],
)
def test_a_severity_says_how_much_of_a_review_it_asks_for(severity: str, asked: Asked):
    assert DEFAULT.asked_for(severity) == asked


def test_an_incident_without_a_severity_gets_a_full_review():
    assert DEFAULT.asked_for(None) == Asked(Depth.full)

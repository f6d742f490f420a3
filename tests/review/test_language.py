"""What an author is told of a wording, and above all what is left alone."""

from collections.abc import Callable, Sequence

import pytest

from bot.review.blame import Wording
from bot.review.language import Nudge, nudge
from bot.review.questions import QUESTIONS
from bot.review.timeline import Kind
from tests.review import language_build_half, language_test_half
from tests.review.language_examples import CLEAN, GOOD_EXAMPLES_OF_THE_SEEDS, NUDGED

Half = Sequence[tuple[str, str | None]]
HALVES = pytest.mark.parametrize(
    "half", [language_build_half.SENTENCES, language_test_half.SENTENCES], ids=["build", "test"]
)


def rates(half: Half, notice: Callable[[str], Nudge | None]) -> tuple[float, float]:
    """Precision and recall."""
    noticed = [kind for text, kind in half if notice(text)]
    right = [kind for kind in noticed if kind]
    return len(right) / len(noticed), len(right) / sum(1 for _, kind in half if kind)


@HALVES
def test_of_a_hundred_nudges_at_most_five_are_wrong_and_four_of_five_verdicts_are_noticed(half: Half) -> None:
    precision, recall = rates(half, nudge)

    assert len(half) == 200
    assert sum(1 for _, kind in half if kind) == 100
    assert precision >= 0.95
    assert recall >= 0.80


def test_the_measure_sees_nudges_that_are_wrong_and_verdicts_that_are_missed() -> None:
    half = language_test_half.SENTENCES

    nagging, _ = rates(half, lambda text: Nudge(Wording.judging, text, 0, len(text)))
    _, blind = rates(half, lambda text: nudge(text) if "root cause" in text.casefold() else None)

    assert nagging == 0.5
    assert blind < 0.2


@pytest.mark.parametrize("text", GOOD_EXAMPLES_OF_THE_SEEDS)
def test_every_good_example_of_the_two_articles_is_left_alone(text: str) -> None:
    assert nudge(text) is None


@pytest.mark.parametrize("text", CLEAN)
def test_facts_requirements_and_open_questions_are_left_alone(text: str) -> None:
    assert nudge(text) is None


@pytest.mark.parametrize(("text", "wording"), NUDGED)
def test_a_verdict_is_noticed_as_what_it_is(text: str, wording: str) -> None:
    found = nudge(text)

    assert found
    assert found.wording == wording
    assert text[found.start : found.end].strip() == found.cue


@pytest.mark.parametrize("kind", QUESTIONS)
def test_our_own_questions_are_worded_as_we_ask_others_to(kind: Kind) -> None:
    asked = [question.replace("{person}", "Kofi") for question in QUESTIONS[kind]]

    assert [question for question in asked if nudge(question)] == []


@pytest.mark.parametrize("wording", Wording)
def test_what_we_say_of_a_wording_is_no_verdict_itself(wording: Wording) -> None:
    assert nudge(wording.instead) is None
    assert wording.sounds


VERDICT = "It was careless and should have been tested"


@pytest.mark.parametrize(
    "form",
    ["`{}`", "```\n{}\n```", '"{}"', "“{}”", "‘{}’", "„{}“", "»{}«", "«{}»", "> {}", "<https://x.example|{}>", "'{}'"],
)
def test_code_quotes_and_links_are_passed_over(form: str) -> None:
    assert nudge(VERDICT)
    assert nudge(f"They wrote:\n{form.format(VERDICT)}") is None


def test_what_follows_a_quote_is_read() -> None:
    found = nudge(f"> {VERDICT}\nThe root cause was DNS")

    assert found
    assert found.cue == "root cause"


@pytest.mark.parametrize("name", ["Okonkwo", "Quill"])
def test_people_whom_the_workspace_knows_are_people(name: str) -> None:
    text = f"{name} broke the gateway."

    assert nudge(text) is None
    assert nudge(text, people=[f"Zim {name}"])


@pytest.mark.parametrize(
    "part",
    [
        *(
            "a",
            "word ",
            "a-",
            '"',
            '" ',
            "`",
            "```a",
            "<",
            "<a ",
            ".",
            "! ",
            "!",
            "'a ",
            "\n",
            "> a\n",
            "@",
            "»",
            "„",
            "‘",
        ),
        *(
            "should ",
            "who ",
            "why did the ",
            "would have ",
            "had it ",
            "not ",
            "Kofi and ",
            "<@U0AAA> ",
            "資",
            "http://",
        ),
    ],
)
def test_any_text_is_read_whatever_its_length(part: str) -> None:
    """Quadratic, it would take minutes and meet the time limit of a test."""
    nudge((part * 100_000)[:100_000])


@pytest.mark.parametrize(
    "text", ["", " ", "\n", "?", "Диск сервера переполнен", "データベースの接続が切れた", "\x00\ue100\ue101"]
)
def test_where_nothing_is_to_be_read_nothing_is_said(text: str) -> None:
    assert nudge(text) is None

import re
from itertools import pairwise

import pytest

from bot.review.questions import HINTS, QUESTIONS, addressed, question_for
from bot.review.timeline import Kind

EVERY_QUESTION = [question for asked in QUESTIONS.values() for question in asked] + [question for _, question in HINTS]


@pytest.mark.parametrize("kind", list(Kind))
def test_every_kind_has_at_least_four_questions_of_its_own(kind: Kind) -> None:
    assert len(set(QUESTIONS[kind])) >= 4


JUDGING = {"careless", "sloppy", "obvious", "obviously", "negligent", "mistake", "error", "fault", "blame", "wrong"}
JUDGING |= {"failed", "forgot", "forget", "careful", "should", "must", "better", "bad", "cause", "caused"}


@pytest.mark.parametrize("question", EVERY_QUESTION)
def test_every_question_asks_the_person_in_it_how_or_what_and_never_why_or_who(question: str) -> None:
    asked = question.removeprefix("{person}, ")
    words = re.findall(r"[a-z']+", asked.lower())

    assert asked != question
    assert {"how", "what"} & set(words)
    assert not {"why", "who", "whose"} & set(words[:2])
    assert not any(pair in {("why", "did"), ("who", "did"), ("who", "was")} for pair in pairwise(words))
    assert not JUDGING & set(words)
    assert question.endswith("?")
    assert len(words) <= 24


def test_no_question_is_asked_twice_in_the_list() -> None:
    assert len(set(EVERY_QUESTION)) == len(EVERY_QUESTION) >= 40


def test_a_decision_is_asked_for_its_options_and_a_diagnosis_how_one_could_tell() -> None:
    assert "options" in question_for(Kind.decision)
    assert "how could you tell" in question_for(Kind.diagnosis)
    assert "passed on" in question_for(Kind.handover)


def test_questions_of_a_kind_rotate() -> None:
    asked = [question_for(Kind.decision, nth=number) for number in range(len(QUESTIONS[Kind.decision]) + 1)]

    assert len(set(asked)) == len(QUESTIONS[Kind.decision])
    assert asked[-1] == asked[0]


def test_an_obviously_is_asked_what_made_it_clear_then() -> None:
    asked = question_for(Kind.diagnosis, "Obviously the pool was full")

    assert asked == "{person}, what made that clear at the time?"
    assert question_for(Kind.diagnosis, "Obviously the pool was full", nth=1) == QUESTIONS[Kind.diagnosis][0]


def test_a_question_is_put_to_the_person_who_was_there_or_to_the_room() -> None:
    question = "{person}, what did you expect to happen next?"

    assert addressed(question, "<@UANA>") == "<@UANA>, what did you expect to happen next?"
    assert addressed(question, None) == "What did you expect to happen next?"

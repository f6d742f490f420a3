from dataclasses import replace

import pytest

from bot.review.pulse import Pulse, Said, mark, toggled

LEARNED, AGAIN, SAFE, NOTHING = Said.learned, Said.again, Said.safe, Said.nothing


@pytest.mark.parametrize(
    ("counted", "said", "now"),
    [
        ((), LEARNED, {LEARNED}),
        ((LEARNED,), SAFE, {LEARNED, SAFE}),
        ((LEARNED, SAFE), LEARNED, {SAFE}),
        ((LEARNED, SAFE), NOTHING, {NOTHING}),
        ((NOTHING,), AGAIN, {AGAIN}),
        ((NOTHING,), NOTHING, set()),
    ],
)
def test_a_second_tap_takes_the_first_one_back(counted: tuple[Said, ...], said: Said, now: set[Said]) -> None:
    assert toggled(counted, said) == now


def test_an_answer_is_a_person_and_not_a_tap() -> None:
    nobody = Pulse()

    one = nobody.moved((), {LEARNED}).moved({LEARNED}, {LEARNED, SAFE})

    assert one == Pulse(answers=1, learned=1, safe=1)
    assert one.moved({LEARNED, SAFE}, ()) == nobody
    assert nobody.moved((), {NOTHING}) == Pulse(answers=1)


def test_four_answers_are_enough_to_be_shown_and_three_are_not() -> None:
    assert [Pulse(answers=count).is_enough for count in (3, 4)] == [False, True]


def test_what_was_shown_when_the_meeting_ended_stays_settled() -> None:
    few, many = Pulse(answers=3), Pulse(answers=4, safe=4)

    assert few.at_the_end() == few
    assert many.at_the_end() == replace(many, is_settled=True)
    assert Pulse.from_json(many.at_the_end().to_json()) == many.at_the_end()


def test_a_mark_tells_neither_who_nor_what_without_the_key() -> None:
    marks = {
        mark(key, meeting, user, said)
        for key in ("k", "l")
        for meeting in (1, 2)
        for user in ("U0MARA", "U0TOMAS")
        for said in Said
    }

    assert len(marks) == 32
    assert not any("U0" in each or "safe" in each for each in marks)

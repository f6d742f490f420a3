from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import takewhile
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.review import chart
from bot.review.chart import Box, Chart, Phase
from bot.review.lifecycle import Stage
from bot.review.report import EventFacts, Facts, IncidentFacts, MomentFacts, ReviewFacts
from bot.review.timeline import Kind, Outcome

BERLIN = ZoneInfo("Europe/Berlin")
NOON = datetime(2026, 11, 18, 12, 0, tzinfo=UTC)
LAYOUTS = pytest.mark.parametrize("layout", [chart.wide, chart.narrow])
NONE: Mapping[str, datetime] = {}
NAMES = ("began", "detected", "acknowledged", "mitigated", "resolved")


def after(**spans: float) -> datetime:
    return NOON + timedelta(**spans)


def an_event(number: int, at: datetime, **other: str | None) -> EventFacts:
    told: dict[str, Any] = {"kind": "decision", "outcome": "helped", "text": "fail over"} | other
    return EventFacts(number=number, occurred_at=at, recorded_at=at, source="typed", **told)


def facts(*events: EventFacts, title: str = "Checkout is slow", moments: Mapping[str, datetime] = NONE) -> Facts:
    known = {name: MomentFacts(at=at, how="set") for name, at in moments.items()}
    incident = IncidentFacts(id=1, team_id="T", title=title, moments=known)
    return Facts(incident=incident, review=ReviewFacts(stage=Stage.drafted), timeline=events)


def wide(told: Facts) -> Chart:
    return chart.wide(told, zone=BERLIN)


def said(picture: Chart) -> list[str]:
    return [words.words for words in picture.words]


def phases(told: Facts) -> list[Phase]:
    return [band.phase for band in wide(told).bands if band.strength == "faint"]


# What is drawn ---------------------------------------------------------------------------------


@LAYOUTS
def test_an_event_is_told_by_its_number_on_the_timeline(layout):
    picture = layout(facts(an_event(7, NOON, text="rolled back to v317")), zone=BERLIN)

    assert "7" in said(picture)
    assert any("rolled back to v317" in words for words in said(picture))


def test_across_a_page_each_kind_that_there_is_has_a_lane():
    told = facts(an_event(1, NOON, kind="handover"), an_event(2, after(hours=1), kind="detection"))

    picture = wide(told)

    by_name = {words.words: words.y for words in picture.words}
    assert by_name["detection"] < by_name["hand-over"]
    assert "decision" not in by_name
    assert [mark.y for mark in picture.marks[:2]] == sorted(mark.y for mark in picture.marks[:2])


@LAYOUTS
def test_an_outcome_that_nobody_marked_is_drawn_as_unknown(layout):
    picture = layout(facts(an_event(1, NOON, outcome=None)), zone=BERLIN)

    assert {mark.outcome for mark in picture.marks} == {Outcome.unknown}
    assert "effect not marked" in said(picture)


@LAYOUTS
def test_the_words_of_an_event_that_were_deleted_are_not_made_up(layout):
    picture = layout(facts(an_event(1, NOON, text=None)), zone=BERLIN)

    assert any("the words were deleted" in words for words in said(picture))


@LAYOUTS
def test_without_events_and_moments_the_picture_says_so(layout):
    picture = layout(facts(), zone=BERLIN)

    assert chart.NOTHING in said(picture)
    assert picture.about == chart.NOTHING


# Phases and moments -------------------------------------------------------------------------------


def test_with_all_moments_there_are_three_phases():
    every = {name: after(hours=number) for number, name in enumerate(NAMES)}

    assert phases(facts(moments=every)) == [Phase.unseen, Phase.impact, Phase.mitigated]


@pytest.mark.parametrize("missing", [("mitigated",), ("began", "detected"), ("began", "detected", "mitigated")])
def test_a_phase_with_an_unknown_end_is_not_drawn(missing):
    known = {name: after(hours=number) for number, name in enumerate(NAMES) if name not in missing}

    assert Phase.impact not in phases(facts(moments=known))


def test_only_known_moments_are_named():
    picture = wide(facts(moments={"began": NOON, "mitigated": after(hours=2)}))

    named = {words.split()[0] for words in said(picture) if words.split()[0] in NAMES}
    assert named == {"began", "mitigated"}


def test_an_impact_that_was_mitigated_before_anybody_noticed_has_no_seen_part():
    told = facts(moments={"began": NOON, "mitigated": after(hours=1), "detected": after(hours=2)})

    assert phases(told) == [Phase.unseen]


def test_moments_in_an_odd_order_shade_nothing_backwards():
    hours = {"began": 3, "detected": 1, "mitigated": 2, "resolved": 0}
    told = facts(moments={name: after(hours=hour) for name, hour in hours.items()})

    assert all(band.box.left < band.box.right for band in wide(told).bands)


# Hours and days -----------------------------------------------------------------------------------


def test_the_zone_and_the_day_stand_under_the_title():
    picture = wide(facts(an_event(1, NOON), an_event(2, after(hours=2))))

    assert "Wed 18 Nov 2026, 13:00 to 15:00 CET (Europe/Berlin)" in said(picture)


@LAYOUTS
def test_across_midnight_the_next_day_is_named_and_its_beginning_marked(layout):
    picture = layout(facts(an_event(1, after(hours=9)), an_event(2, after(hours=14))), zone=BERLIN)

    assert any(words.startswith("Thu 19") for words in said(picture))
    assert "midnight" in {rule.stroke for rule in picture.rules}


@LAYOUTS
def test_within_a_day_no_midnight_is_marked(layout):
    picture = layout(facts(an_event(1, NOON), an_event(2, after(hours=2))), zone=BERLIN)

    assert "midnight" not in {rule.stroke for rule in picture.rules}


@LAYOUTS
def test_a_long_quiet_time_is_drawn_as_a_break_that_says_its_length(layout):
    told = facts(*(an_event(n, after(hours=n)) for n in range(5)), an_event(5, after(days=2, hours=4)))

    picture = layout(told, zone=BERLIN)

    assert len(picture.gaps) == 1
    assert any(words.startswith("2 days") for words in said(picture))


# Many events --------------------------------------------------------------------------------------


@LAYOUTS
def test_the_most_important_events_keep_their_own_mark_among_hundreds(layout):
    noise = [an_event(n, after(minutes=n % 7), kind="automated", outcome=None, text="ping") for n in range(2, 400)]
    decision = an_event(1, after(minutes=3), text="roll back")

    picture = layout(facts(decision, *noise), zone=BERLIN)

    assert [mark.title for mark in picture.marks if "roll back" in mark.title] == [
        "1 · 13:03 · decision, helped · roll back"
    ]


@LAYOUTS
def test_events_that_are_gathered_in_one_mark_all_have_its_outcome(layout):
    outcomes = {n: ("helped", "no_effect", "worse", None)[n % 4] for n in range(1, 301)}
    many = [an_event(n, NOON, kind="note", outcome=outcome) for n, outcome in outcomes.items()]

    picture = layout(facts(*many), zone=BERLIN)

    assert {mark.outcome for mark in picture.marks} == set(Outcome)
    assert len(picture.marks) < 40


# Nothing is written over anything -------------------------------------------------------------------

EVENTS = st.builds(
    an_event,
    number=st.just(0),
    at=st.integers(0, 4_000).map(lambda minutes: after(minutes=minutes)),
    kind=st.sampled_from([kind.value for kind in Kind]),
    outcome=st.sampled_from([None, *(outcome.value for outcome in Outcome)]),
    text=st.one_of(st.none(), st.text(max_size=90), st.just("restarted the checkout pods, errors went up further")),
)
MOMENTS = st.dictionaries(st.sampled_from(NAMES), st.integers(-100, 4_100).map(lambda m: after(minutes=m)))


def overlaps(picture: Chart) -> list[tuple[object, object]]:
    """Words and marks that cover one another, and those that are not wholly in the picture."""
    page = Box(0, 0, picture.width, picture.height)
    things = sorted(((thing.box, thing) for thing in (*picture.words, *picture.marks)), key=lambda pair: pair[0].top)
    found: list[tuple[object, object]] = [(thing, page) for box, thing in things if not page.holds(box)]
    for number, (box, thing) in enumerate(things):
        near = takewhile(lambda pair, end=box.bottom: pair[0].top < end, things[number + 1 :])
        found += [(thing, other) for other_box, other in near if box.overlaps(other_box)]
    return found


def numbered(events: Sequence[EventFacts]) -> list[EventFacts]:
    return [replace(event, number=number) for number, event in enumerate(events, 1)]


@LAYOUTS
@settings(max_examples=60, deadline=None)
@given(events=st.lists(EVENTS, max_size=40), moments=MOMENTS, title=st.text(max_size=200))
def test_no_words_and_no_marks_cover_one_another_and_all_are_in_the_picture(layout, events, moments, title):
    picture = layout(facts(*numbered(events), title=title, moments=moments), zone=BERLIN)

    assert overlaps(picture) == []


@LAYOUTS
@settings(max_examples=8, deadline=None)
@given(data=st.data(), count=st.integers(100, 400), minutes=st.sampled_from([1, 60, 720, 4_320, 43_200]))
def test_that_is_so_with_four_hundred_events(layout, data, count, minutes):
    chance = data.draw(st.randoms(use_true_random=False))
    kinds, outcomes = [kind.value for kind in Kind], [None, *(outcome.value for outcome in Outcome)]
    events = [
        an_event(
            n, after(minutes=chance.random() * minutes), kind=chance.choice(kinds), outcome=chance.choice(outcomes)
        )
        for n in range(1, count + 1)
    ]

    assert overlaps(layout(facts(*events), zone=BERLIN)) == []


@LAYOUTS
def test_words_that_do_cover_one_another_would_be_found(layout):
    picture = layout(facts(an_event(1, NOON)), zone=BERLIN)
    twice = replace(picture, words=(*picture.words, picture.words[0]))

    assert len(overlaps(twice)) == 1

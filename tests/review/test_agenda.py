import json
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from bot.review.agenda import Agenda, Mark, MinutesLeft, topics_in
from bot.review.refusal import MeetingTooShort, NeedsMinutes, NoSuchTopic, NotInMeeting, Refused, TooFewMinutes

TEN = datetime(2026, 11, 18, 10, 0, tzinfo=UTC)


def at(minutes: float) -> datetime:
    return TEN + timedelta(minutes=minutes)


def an_agenda(minutes: int = 60, *, stops: tuple[int, ...] = ()) -> Agenda:
    return Agenda.open(minutes, TEN, stops=stops)


def planned(agenda: Agenda) -> list[int]:
    return [topic.minutes for topic in agenda.topics]


def test_an_hour_and_an_hour_and_a_half_are_shared_out_by_the_table() -> None:
    assert planned(an_agenda(60)) == [3, 4, 35, 9, 5, 4]
    assert planned(an_agenda(90)) == [5, 5, 45, 17, 10, 8]


@given(st.integers(6, 480))
def test_any_length_is_shared_out_in_whole_minutes_with_one_for_each_topic(minutes: int) -> None:
    shares = [topic.minutes for topic in topics_in(minutes)]

    assert sum(shares) == minutes
    assert min(shares) >= 1
    assert shares[2] == max(shares)


def test_a_meeting_with_less_than_a_minute_for_each_topic_is_refused() -> None:
    with pytest.raises(MeetingTooShort):
        an_agenda(5)


def test_next_goes_through_the_topics_and_stays_at_the_last() -> None:
    agenda = an_agenda()
    seen = [agenda.topic.name]

    for minute in range(1, 8):
        agenda = agenda.advance(at(minute))
        seen.append(agenda.topic.name)

    assert seen == ["opening", "summary", "timeline", "findings", "actions", "close", "close", "close"]
    assert agenda.is_last
    assert agenda.advance(at(9)) is agenda


def test_next_walks_the_timeline_stop_by_stop() -> None:
    agenda = an_agenda(stops=(3, 8, 9)).go_to("timeline", at(5))
    events = [agenda.event]

    while agenda.topic.name == "timeline":
        agenda = agenda.advance(at(10))
        events.append(agenda.event)

    assert events == [3, 8, 9, None]
    assert agenda.topic.name == "findings"


def test_back_returns_to_the_walk_where_it_was_left() -> None:
    agenda = an_agenda(stops=(3, 8)).go_to("timeline", at(5)).advance(at(6)).advance(at(7))

    returned = agenda.back(at(8))
    before = returned.back(at(9))

    assert (returned.topic.name, returned.event) == ("timeline", 8)
    assert (before.topic.name, before.event) == ("timeline", 3)
    assert before.back(at(10)).topic.name == "summary"


def test_back_from_the_first_topic_changes_nothing() -> None:
    agenda = an_agenda()

    assert agenda.back(at(1)) is agenda


@pytest.mark.parametrize(
    ("words", "name"),
    [
        ("timeline", "timeline"),
        ("Timeline walk", "timeline"),
        ("time", "timeline"),
        ("contributors", "findings"),
        ("findings", "findings"),
        ("6", "close"),
        (" ACTIONS ", "actions"),
    ],
)
def test_the_facilitator_may_go_anywhere_by_name_label_or_number(words: str, name: str) -> None:
    assert an_agenda().go_to(words, at(1)).topic.name == name


@pytest.mark.parametrize("words", ["", "lunch", "0", "7", "-1"])
def test_an_unknown_topic_is_answered_with_the_known_ones(words: str) -> None:
    with pytest.raises(NoSuchTopic) as refused:
        an_agenda().go_to(words, at(1))

    assert "`timeline`" in refused.value.sentence()


def test_of_two_facilitators_pressing_next_at_once_only_the_first_moves_it() -> None:
    agenda = an_agenda()

    first = agenda.advance(at(1), seen=agenda.version)
    second = first.advance(at(1), seen=agenda.version)

    assert first.topic.name == "summary"
    assert second is first


def test_five_more_minutes_pressed_twice_are_five_more_minutes() -> None:
    agenda = an_agenda()

    first = agenda.extend(5, seen=agenda.version)
    second = first.extend(5, seen=agenda.version)

    assert planned(second) == planned(first) == [8, 4, 30, 9, 5, 4]


def test_every_change_has_the_next_version() -> None:
    agenda = an_agenda()

    changed = agenda.advance(at(1)).back(at(2)).go_to("close", at(3)).go_to("timeline", at(4)).extend(1)

    assert changed.version == agenda.version + 5
    assert changed.end(at(6)).resume(at(7)).version == agenda.version + 7


def test_extending_takes_the_minutes_from_the_longest_later_topic() -> None:
    agenda = an_agenda().extend(5)

    assert planned(agenda) == [8, 4, 30, 9, 5, 4]


def test_extending_leaves_every_later_topic_a_minute() -> None:
    agenda = an_agenda().go_to("findings", at(30)).extend(6)

    assert planned(agenda) == [3, 4, 35, 15, 1, 2]
    assert agenda.can_extend() == 1


def test_more_minutes_than_there_are_is_refused_with_how_many_can_be_had() -> None:
    agenda = an_agenda().go_to("actions", at(50))

    with pytest.raises(TooFewMinutes) as refused:
        agenda.extend(5)

    assert refused.value.can_have == 3


@pytest.mark.parametrize("minutes", [0, -5])
def test_extending_by_nothing_is_refused(minutes: int) -> None:
    with pytest.raises(NeedsMinutes):
        an_agenda().extend(minutes)


def test_what_is_left_is_rounded_up_and_an_over_run_is_below_zero() -> None:
    agenda = an_agenda()

    assert agenda.minutes_left(at(0)) == MinutesLeft(topic=3, meeting=60)
    assert agenda.minutes_left(at(0.5)) == MinutesLeft(topic=3, meeting=60)
    assert agenda.minutes_left(at(3)) == MinutesLeft(topic=0, meeting=57)
    assert agenda.minutes_left(at(65)) == MinutesLeft(topic=-62, meeting=-5)


def test_what_is_left_tells_when_the_topic_and_the_meeting_end() -> None:
    agenda = an_agenda().advance(at(5)).end(at(7)).resume(at(17))

    assert agenda.topic_until == at(19)
    assert agenda.ends_at == at(70)


def test_after_the_end_the_clock_stands_and_nothing_moves() -> None:
    ended = an_agenda().end(at(50))

    assert ended.spent_s(at(500)) == (3000, 0, 0, 0, 0, 0)
    assert ended.end(at(60)) is ended
    for move in (ended.advance, ended.back):
        with pytest.raises(NotInMeeting):
            move(at(51))


def test_a_meeting_that_ended_too_soon_goes_on_at_the_same_topic() -> None:
    agenda = an_agenda(stops=(4, 5)).go_to("timeline", at(10)).advance(at(15)).end(at(20))

    resumed = agenda.resume(at(80))

    assert (resumed.topic.name, resumed.event, resumed.ended_at) == ("timeline", 5, None)
    assert resumed.spent_s(at(90)) == (600, 0, 1200, 0, 0, 0)
    assert resumed.resume(at(91)) is resumed


def test_other_stops_keep_the_walk_as_far_along_as_it_can_be() -> None:
    agenda = an_agenda(stops=(1, 2, 3)).go_to("timeline", at(1)).advance(at(2)).advance(at(3))

    assert agenda.with_stops([7, 9]).event == 9
    assert agenda.with_stops([]).event is None


class Meeting(RuleBasedStateMachine):
    """Whatever people press in whatever order."""

    @initialize(minutes=st.integers(6, 180), stops=st.lists(st.integers(1, 99), max_size=5))
    def opened(self, minutes: int, stops: list[int]) -> None:
        self.now, self.open_s, self.minutes = TEN, 0, minutes
        self.agenda = Agenda.open(minutes, TEN, stops=stops)

    @rule(seconds=st.integers(0, 4000))
    def time_passes(self, seconds: int) -> None:
        self.now += timedelta(seconds=seconds)
        self.open_s += 0 if self.agenda.ended_at else seconds

    @rule(press=st.sampled_from(["advance", "back", "end", "resume"]))
    def a_button(self, press: str) -> None:
        try:
            self.agenda = getattr(self.agenda, press)(self.now)
        except Refused:
            assert self.agenda.ended_at

    @rule(words=st.sampled_from(["1", "2", "3", "4", "5", "6"]), minutes=st.integers(1, 40))
    def elsewhere_and_longer(self, words: str, minutes: int) -> None:
        try:
            self.agenda = self.agenda.go_to(words, self.now).extend(minutes)
        except TooFewMinutes:
            assert minutes > self.agenda.go_to(words, self.now).can_extend()
        except NotInMeeting:
            assert self.agenda.ended_at

    @invariant()
    def each_second_belongs_to_exactly_one_topic(self) -> None:
        assert sum(self.agenda.spent_s(self.now)) == self.open_s

    @invariant()
    def the_meeting_still_ends_on_time(self) -> None:
        assert sum(topic.minutes for topic in self.agenda.topics) == self.minutes
        assert min(topic.minutes for topic in self.agenda.topics) >= 1

    @invariant()
    def it_is_the_same_after_a_restart(self) -> None:
        assert Agenda.from_json(json.loads(json.dumps(self.agenda.to_json()))) == self.agenda


TestWhateverPeoplePress = Meeting.TestCase
TestWhateverPeoplePress.settings = settings(max_examples=40, stateful_step_count=25)


def test_a_clock_that_is_set_back_never_counts_a_second_twice() -> None:
    agenda = an_agenda().advance(at(10)).advance(at(4)).advance(at(12))

    assert agenda.spent_s(at(12)) == (600, 0, 120, 0, 0, 0)


def test_the_walk_goes_to_any_event_as_one_of_its_stops() -> None:
    agenda = Agenda.open(60, TEN, stops=[1, 4])

    there = agenda.visit(3, [1, 3, 4], TEN)

    assert (there.topic.name, there.event, there.stops) == ("timeline", 3, (1, 3, 4))
    assert there.advance(TEN).event == 4


def test_of_two_presses_for_another_question_one_counts_and_it_is_remembered() -> None:
    agenda = Agenda.open(60, TEN, stops=[1, 4]).go_to("timeline", TEN)

    once = agenda.ask_another(agenda.version)
    twice = once.ask_another(agenda.version)

    assert once.asked == {1: 1}
    assert twice is once
    assert Agenda.from_json(once.to_json()) == once


def test_outside_the_walk_there_is_no_other_question() -> None:
    agenda = Agenda.open(60, TEN, stops=[1])

    assert agenda.ask_another() is agenda


# What its message shows, and what is said of the time -----------------------------------------


def refreshed(agenda: Agenda, seconds: int) -> list[int]:
    """At which seconds its message is written anew, looked at every second."""
    shown = []
    for second in range(seconds):
        now = TEN + timedelta(seconds=second)
        if agenda.is_outdated(now):
            shown.append(second)
            agenda = agenda.shown(now)
    return shown


def test_the_message_is_written_anew_once_a_minute_and_no_more_when_nothing_is_left() -> None:
    agenda = an_agenda(6)

    shown = refreshed(agenda, 20 * 60)

    assert shown == [60, 120, 180, 240, 300, 360]


@given(moved=st.integers(1, 900), looked=st.integers(1, 7))
def test_whenever_people_move_on_the_message_changes_at_most_once_a_minute(moved: int, looked: int) -> None:
    agenda = an_agenda().go_to("timeline", TEN + timedelta(seconds=moved))
    agenda = agenda.shown(agenda.entered_at)

    shown = []
    for second in range(moved, moved + 35 * 60, looked):
        now = TEN + timedelta(seconds=second)
        if agenda.is_outdated(now):
            shown.append(second)
            agenda = agenda.shown(now)

    assert 30 < len(shown) <= 35
    assert min(later - earlier for earlier, later in pairwise(shown)) >= 60 - looked


def test_showing_it_moves_nothing() -> None:
    agenda = an_agenda().advance(at(3))

    shown = agenda.shown(at(5))

    assert shown.version == agenda.version
    assert not shown.is_outdated(at(5))


def test_a_quarter_before_its_end_and_at_its_end_a_topic_has_a_mark() -> None:
    walk = an_agenda().go_to("timeline", at(10))

    marks = [walk.mark(at(minute)) for minute in (36, 36.25, 44, 45, 90)]

    assert marks == [None, Mark.quarter_left, Mark.quarter_left, Mark.over_run, Mark.over_run]
    assert walk.end(at(50)).mark(at(60)) is None


def test_posted_anew_twice_at_once_it_is_posted_anew_once() -> None:
    agenda = an_agenda()

    first = agenda.post_anew(agenda.version)
    second = first.post_anew(agenda.version)

    assert (first.posted, second.posted) == (2, 2)
    assert Agenda.from_json(first.to_json()).posted == 2


# A meeting that runs by itself ------------------------------------------------------------------


def test_a_meeting_that_runs_by_itself_keeps_to_the_minutes_of_its_topics() -> None:
    agenda = an_agenda()
    seen = []

    for minute in range(61):
        agenda = agenda.go_on(at(minute))
        seen.append(agenda.topic.name)

    minutes = [seen.count(topic.name) for topic in agenda.topics]
    assert minutes == [3, 4, 35, 9, 5, 5]
    assert agenda.spent_s(at(60)) == (180, 240, 2100, 540, 300, 240)


def test_its_walk_shares_the_minutes_among_the_stops() -> None:
    agenda = an_agenda(stops=(3, 8, 9, 11, 12)).go_to("timeline", at(7))

    moved = [next(minute for minute in range(60) if agenda.go_on(at(7 + minute)).event == event) for event in (8, 9)]

    assert moved == [7, 14]


def test_who_goes_back_in_it_has_a_minute_at_least() -> None:
    agenda = an_agenda().go_on(at(8)).go_to("summary", at(9))

    assert agenda.go_on(at(9.5)).topic.name == "summary"
    assert agenda.go_on(at(10)).topic.name == "timeline"


@given(away=st.integers(0, 5000), stops=st.lists(st.integers(1, 99), max_size=12, unique=True))
def test_a_pause_of_the_bot_costs_no_topic_its_minutes(away: int, stops: list[int]) -> None:
    agenda, now = an_agenda(stops=tuple(stops)), TEN + timedelta(seconds=away)

    at_once = agenda.go_on(now)
    step_by_step = agenda
    for second in range(0, away + 1, 10):
        step_by_step = step_by_step.go_on(TEN + timedelta(seconds=second))

    assert at_once == step_by_step.go_on(now)
    assert sum(at_once.spent_s(now)) == away


def test_an_agenda_of_an_earlier_release_is_read() -> None:
    kept = an_agenda().advance(at(3)).to_json()

    for name in ("moved_at", "shown_at", "posted"):
        del kept[name]

    assert Agenda.from_json(kept).moved_at == at(3)

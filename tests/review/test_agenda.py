import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from bot.review.agenda import Agenda, MinutesLeft, topics_in
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

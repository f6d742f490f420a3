from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from bot.review.impact import Impact
from bot.review.lifecycle import Stage
from bot.review.naming import Called, Naming, by_name, by_role
from bot.review.report import (
    ActionFacts,
    AttendeeFacts,
    EventFacts,
    Facts,
    FindingFacts,
    IncidentFacts,
    MeetingFacts,
    MomentFacts,
    NoteFacts,
    ReviewFacts,
)
from bot.review.writer import write
from bot.review.written import HOW_IT_WENT, Beside, EventRow, Run, Words, Written, instant, web_link

AT = datetime(2026, 11, 18, 14, 5, tzinfo=UTC)
NAMES = {"U0MARA": "Mara Lind", "U0TOMAS": "tomas", "U0WILL": "Will"}


def an_event(number: int, minutes: int = 0, **facts: Any) -> EventFacts:
    at = AT + timedelta(minutes=minutes)
    known: dict[str, Any] = {"kind": "note", "text": f"event {number}", "by": "U0TOMAS", "source": "typed"}
    return EventFacts(number=number, occurred_at=at, recorded_at=at, **known | facts)


def a_finding(number: int, kind: str = "contributor", **facts: Any) -> FindingFacts:
    known: dict[str, Any] = {"text": f"finding {number}", "by": "U0MARA"}
    return FindingFacts(number=number, kind=kind, at=AT, **known | facts)


def an_action(number: int, **facts: Any) -> ActionFacts:
    known: dict[str, Any] = {"text": f"action {number}", "state": "committed", "owner": "U0WILL"}
    return ActionFacts(number=number, **known | facts)


def some_facts(summary: str | None = None, stage: Stage = Stage.ended, **facts: Any) -> Facts:
    incident = {"summary": summary, "moments": facts.pop("moments", {}), "impact": facts.pop("impact", Impact())}
    meetings = facts.pop("meetings", ())
    review = ReviewFacts(stage=stage, facilitator="U0MARA", meetings=meetings)
    return Facts(
        incident=IncidentFacts(id=7, team_id="T", title="Slow", lead="U0MARA", **incident), review=review, **facts
    )


def written(facts: Facts | None = None, called: Called | None = None, **more: Any) -> Written:
    return write(facts or some_facts(), called=called or by_name(NAMES), zone="Europe/Berlin", **more)


# What happened


def test_three_lines_of_summary_are_what_happened_what_was_felt_and_how_it_was_fixed():
    page = written(some_facts("It was slow.\nBuyers waited.\nA rollback fixed it.")).page

    assert [(part.label, part.words) for part in page.happened] == [
        ("What happened", "It was slow."),
        ("What was felt", "Buyers waited."),
        ("How it was fixed", "A rollback fixed it."),
    ]


def test_a_summary_of_one_paragraph_stays_one():
    page = written(some_facts("It was slow. A rollback fixed it.")).page

    assert [(part.label, part.words) for part in page.happened] == [
        ("What happened", "It was slow. A rollback fixed it.")
    ]


def test_a_sentence_that_was_left_open_keeps_its_place():
    page = written(some_facts("It was slow.\n\nA rollback fixed it.")).page

    assert [part.label for part in page.happened] == ["What happened", "How it was fixed"]


# Numbers and moments


def moments(**known: str) -> dict[str, MomentFacts]:
    return {name: MomentFacts(at=AT, by="U0MARA", how=how) for name, how in known.items()}


def test_every_number_has_its_formula_and_says_how_its_moments_are_known():
    numbers = {n.name: n for n in written(some_facts(moments=moments(began="set", detected="recorded"))).numbers}

    found = numbers["Time to detect"]
    assert (found.words, found.formula) == ("0 s", "TTD = detected − began")
    assert found.why == "began was set by a person, detected was recorded by Debrief"


def test_a_missing_number_is_no_zero_and_says_which_moment_is_missing():
    numbers = {n.name: n for n in written(some_facts(moments=moments(detected="set"))).numbers}

    missing = numbers["Time to mitigate"]
    assert (missing.seconds, missing.words) == (None, None)
    assert missing.why == "nobody has said when it began and when it was mitigated"
    assert written().page.no_lengths == "Too few moments are known to say."


@pytest.mark.parametrize(
    ("zone", "said"),
    [
        ("UTC", "2026-11-18 14:05 UTC"),
        ("Europe/Berlin", "2026-11-18 14:05 UTC (15:05 CET)"),
        ("Pacific/Auckland", "2026-11-18 14:05 UTC (2026-11-19 03:05 NZDT)"),
    ],
)
def test_moments_are_said_in_utc_and_in_the_leads_zone(zone: str, said: str):
    assert instant(AT, zone).words == said


# The timeline


def test_the_timeline_is_told_day_by_day():
    days = written(some_facts(timeline=(an_event(2, 600), an_event(1)))).timeline

    assert [(day.name, [line.number for line in day.lines if isinstance(line, EventRow)]) for day in days] == [
        ("Wednesday 18 November 2026", [1]),
        ("Thursday 19 November 2026", [2]),
    ]


def test_what_programs_did_in_a_row_is_told_together_and_nothing_is_lost():
    automated = [an_event(number, number, kind="automated") for number in range(1, 6)]
    spoken_of = [an_event(6, 6, kind="automated", outcome="worse"), an_event(7, 7)]

    ((run, *rest),) = [day.lines for day in written(some_facts(timeline=(*automated, *spoken_of))).timeline]

    assert isinstance(run, Run)
    assert [row.number for row in run.rows] == [1, 2, 3, 4, 5]
    assert [row.number for row in rest if isinstance(row, EventRow)] == [6, 7]


def test_three_in_a_row_are_told_one_by_one():
    automated = tuple(an_event(number, number, kind="automated") for number in range(1, 4))

    (day,) = written(some_facts(timeline=automated)).timeline

    assert [isinstance(line, EventRow) for line in day.lines] == [True, True, True]


def test_how_word_travelled_is_told_with_its_time():
    told = {"kind": "communication", "text": "told customers on the status page"}
    events = (an_event(1, kind="detection"), an_event(2, 98, **told), an_event(3, 99))

    report = written(some_facts(timeline=events, moments=moments(detected="set")))

    assert "15:43 UTC (16:43 CET), event 2: First word to customers, 1 h 38 min after detection." in report.travelled
    assert any(line.endswith("It had been quiet since 14:05 UTC.") for line in report.travelled)


# Findings, actions, meetings


def test_findings_stand_by_kind_and_sort_and_name_where_they_were_found_and_what_answers_them():
    found = (a_finding(3), a_finding(2, sort="technical", event=1), a_finding(1, sort="external"))
    report = written(some_facts(timeline=(an_event(1),), findings=found, actions=(an_action(9, answers=(2,)),)))

    section = report.findings[0]

    assert [(group.sort, [row.number for row in group.rows]) for group in section.groups] == [
        ("technical", [2]),
        ("external", [1]),
        ("", [3]),
    ]
    technical = section.groups[0].rows[0]
    assert (technical.event, technical.at, technical.answered_by) == (1, instant(AT, "Europe/Berlin"), (9,))
    assert [part.heading for part in report.findings][4:] == ["Differing views", "Open questions"]


def test_declined_actions_stand_in_the_report_with_their_reason():
    declined = an_action(2, state="declined", reason="the service goes away in May")
    report = written(some_facts(actions=(declined, an_action(1, due=date(2026, 11, 25)))))

    assert [(group.heading, [row.number for row in group.rows]) for group in report.actions] == [
        ("Still to do", [1]),
        ("Declined, with the reason", [2]),
    ]
    assert report.actions[1].rows[0].reason == "the service goes away in May"
    assert report.page.to_do[0].due == "Wed 25 Nov 2026"


def test_what_was_written_afterwards_about_the_meeting_is_apart_from_its_notes():
    notes = tuple(NoteFacts(text=topic, by="U0MARA", at=AT, topic=topic) for topic in ("opening", HOW_IT_WENT))
    there = (
        AttendeeFacts(user="U0TOMAS", core=True, present=True),
        AttendeeFacts(user="U0WILL", core=True, present=False),
    )
    report = written(
        some_facts(meetings=(MeetingFacts(number=1, notes=notes, attendees=there),)),
        beside=Beside(pulse={1: ("4 of 5 learned something.",)}),
    )

    (sitting,) = report.meetings

    assert ([note.words for note in sitting.notes], sitting.went) == (["opening"], (HOW_IT_WENT,))
    assert (sitting.there, sitting.missed) == (("tomas",), ("Will",))
    assert sitting.pulse == ("4 of 5 learned something.",)


# Names and roles


def test_people_are_called_by_their_names_and_mentions_are_spelt_out():
    report = written(some_facts("@U0TOMAS: <@U0MARA> saw <https://example.com/a|a graph> :wave::skin-tone-4:"))

    assert report.page.happened[0].words == "@tomas: @Mara Lind saw https://example.com/a :wave:"
    assert [(one.role, one.name) for one in report.people] == [("lead", "Mara Lind"), ("facilitator", "Mara Lind")]


def test_by_role_nobodys_name_is_left_not_even_in_the_texts():
    facts = some_facts(
        "<@U0TOMAS> asked Mara; Will and mara lind helped. We will see.",
        timeline=(an_event(1, by="U0TOMAS"), an_event(2, by="U0WILL")),
        actions=(an_action(1, owner="U0WILL"),),
    )

    report = written(facts, by_role(facts, NAMES))

    assert report.page.happened[0].words == "@responder 1 asked lead; responder 2 and lead helped. We will see."
    assert (report.page.to_do[0].owner, report.page.to_do[0].person) == ("responder 2", None)


def test_a_responders_number_stays_when_an_earlier_event_is_added():
    before = some_facts(timeline=(an_event(1, 0, by="U0TOMAS"), an_event(2, 5, by="U0WILL")))
    after = some_facts(timeline=(*before.timeline, an_event(3, -60, by="U0NEW")))

    earlier, later = by_role(before, NAMES), by_role(after, NAMES)

    assert [later.person(user) for user in ("U0TOMAS", "U0WILL", "U0NEW")] == [
        "responder 1",
        "responder 2",
        "responder 3",
    ]
    assert [earlier.person(user) for user in ("U0TOMAS", "U0WILL")] == ["responder 1", "responder 2"]


@pytest.mark.parametrize("naming", Naming)
def test_an_edited_text_finds_back_to_whom_it_mentions(naming: Naming):
    facts = some_facts(timeline=(an_event(1, by="U0TOMAS"),))
    called = by_name(NAMES) if naming is Naming.names else by_role(facts, NAMES)
    before = "<@U0TOMAS> restarted it"

    edited = called.in_text(before).replace("restarted", "rolled back")

    assert called.back(edited, before) == "<@U0TOMAS> rolled back it"


# What can be edited, what can be linked


def test_what_can_be_edited_carries_the_number_of_the_thing_it_belongs_to():
    facts = some_facts("A.\nB.\nC.", timeline=(an_event(4),), findings=(a_finding(2),), actions=(an_action(9),))
    report = written(facts)
    (row,) = report.timeline[0].lines

    assert isinstance(row, EventRow)
    keys = [*(part.words for part in report.page.happened), report.findings[0].rows[0].text, report.page.to_do[0].text]
    assert [words.key for words in keys] == ["summary 1", "summary 2", "summary 3", "finding 2", "action 9"]
    assert isinstance(row.text, Words)
    assert row.text.key == "event 4"


@pytest.mark.parametrize("url", ["javascript:alert(1)", "https://x y", "https://x>y", 'https://x"y', None])
def test_only_clean_web_addresses_are_linked(url: str | None):
    assert web_link(url) is None

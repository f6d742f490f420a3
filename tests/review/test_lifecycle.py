from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from bot.review.incident import UserId
from bot.review.lifecycle import Milestones, Role, Roles, Stage, Who, may, require, stage_of
from bot.review.refusal import NotYours

MONDAY = datetime(2026, 11, 16, 9, 0, tzinfo=UTC)
ANA, BEN, CAI, DEE = UserId("UANA"), UserId("UBEN"), UserId("UCAI"), UserId("UDEE")


def day(number: int) -> datetime:
    return MONDAY + timedelta(days=number)


MITIGATED = Milestones(mitigated_at=day(0))
SCHEDULED = replace(MITIGATED, scheduled_at=day(1), meets_at=day(3))
PREPARED = replace(SCHEDULED, pre_read_sent_at=day(2))
IN_MEETING = replace(PREPARED, opened_at=day(3))
ENDED = replace(IN_MEETING, ended_at=day(3))
DRAFTED = replace(ENDED, drafted_at=day(4))
PUBLISHED = replace(DRAFTED, approved_at=day(4), published_at=day(5))
CLOSED = replace(PUBLISHED, closed_at=day(6))


@pytest.mark.parametrize(
    ("facts", "stage"),
    [
        (Milestones(), Stage.open),
        (MITIGATED, Stage.mitigated),
        (SCHEDULED, Stage.scheduled),
        (PREPARED, Stage.prepared),
        (IN_MEETING, Stage.in_meeting),
        (ENDED, Stage.ended),
        (DRAFTED, Stage.drafted),
        (PUBLISHED, Stage.published),
        (CLOSED, Stage.closed),
        (replace(MITIGATED, skipped_at=day(1)), Stage.skipped),
        (replace(SCHEDULED, cancelled_at=day(2)), Stage.cancelled),
    ],
)
def test_a_stage_is_read_from_the_moments(facts: Milestones, stage: Stage) -> None:
    assert stage_of(facts) is stage


def test_a_meeting_only_proposed_is_not_scheduled_yet() -> None:
    assert stage_of(replace(MITIGATED, meets_at=day(3))) is Stage.mitigated


def test_a_meeting_held_without_the_bot_has_ended() -> None:
    assert stage_of(replace(MITIGATED, ended_at=day(2))) is Stage.ended


def test_breaking_again_before_the_meeting_makes_the_incident_open() -> None:
    assert stage_of(replace(PREPARED, mitigated_at=None)) is Stage.open


def test_breaking_again_after_the_meeting_leaves_what_was_held_and_written() -> None:
    assert stage_of(replace(ENDED, mitigated_at=None)) is Stage.ended
    assert stage_of(replace(DRAFTED, mitigated_at=None)) is Stage.drafted


def test_a_second_meeting_is_in_meeting_even_when_the_first_has_a_report() -> None:
    assert stage_of(replace(PUBLISHED, opened_at=day(6), ended_at=None)) is Stage.in_meeting


def test_the_lead_answers_for_every_role_nobody_holds() -> None:
    assert Roles(lead=ANA).owner_or_lead == ANA
    assert Roles(lead=ANA).facilitator_or_lead == ANA
    assert Roles(lead=ANA, owner=BEN, facilitator=CAI).owner_or_lead == BEN
    assert Roles(lead=ANA, owner=ANA).of(ANA) == (Role.lead, Role.owner)


def test_facilitating_is_for_facilitator_owner_and_lead() -> None:
    roles = Roles(lead=ANA, facilitator=BEN, owner=CAI, scribe=DEE)

    assert [may(Who.facilitating, person, roles) for person in (ANA, BEN, CAI, DEE)] == [True, True, True, False]


def test_owning_is_for_owner_and_lead() -> None:
    roles = Roles(lead=ANA, facilitator=BEN, owner=CAI)

    assert [may(Who.owning, person, roles) for person in (ANA, BEN, CAI)] == [True, False, True]


def test_where_nobody_holds_a_role_everybody_may() -> None:
    assert may(Who.facilitating, DEE, Roles())
    assert may(Who.owning, DEE, Roles(facilitator=BEN, scribe=CAI))


def test_anyone_means_anyone() -> None:
    assert may(Who.anyone, DEE, Roles(lead=ANA))


def test_a_person_without_the_role_is_told_how_to_take_over() -> None:
    with pytest.raises(NotYours) as refused:
        require(Who.facilitating, DEE, Roles(lead=ANA), "next")

    assert refused.value.sentence() == (
        "`/review next` is for the facilitator, the owner or the lead. You may take over in the open with "
        "`/review facilitator @you`, where `@you` is your own name."
    )

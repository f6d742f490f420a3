"""Who is proposed for a meeting."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from bot.review.incident import UserId
from bot.review.participants import FEWEST, MOST, Gap, Proposal, Side, TookPart, Why, propose, unheard

LEAD, ADA, BEA, CY, DAN, EVE = (UserId(f"U{name}") for name in ("LEAD", "ADA", "BEA", "CY", "DAN", "EVE"))
CROWD = [UserId(f"U{number:02}") for number in range(30)]


def wrote(user: UserId, messages: int = 1) -> TookPart:
    return TookPart(user, messages=messages)


def test_in_a_small_team_everybody_who_took_part_comes():
    proposal = propose([LEAD], [wrote(LEAD), wrote(BEA), wrote(ADA)])

    assert proposal == Proposal(core=(LEAD, ADA, BEA))


def test_of_many_the_eight_come_who_did_most_and_the_others_may_read_along():
    proposal = propose([LEAD], [wrote(user, messages=number) for number, user in enumerate(CROWD)])

    assert proposal.core == (LEAD, *CROWD[-7:])
    assert proposal.readers == tuple(CROWD[:-7])


def test_what_stands_on_the_timeline_counts_for_more_than_messages_and_hours_count_too():
    loud, deed, hours = (
        wrote(CROWD[0], 40),
        TookPart(CROWD[1], events=14),
        TookPart(CROWD[2], active=timedelta(hours=7)),
    )
    others = [wrote(user, 39) for user in CROWD[3:9]]

    assert {loud.user, deed.user, hours.user} <= {*propose([], [*others, loud, deed, hours]).core}


def test_who_only_wrote_one_message_comes_after_everybody_who_did_something():
    passing = [TookPart(user, messages=1, active=timedelta(minutes=17)) for user in CROWD[:20]]
    acted = [TookPart(ADA, events=1), TookPart(BEA, messages=1, kept=1), TookPart(CY, messages=2)]

    assert {ADA, BEA, CY} <= {*propose([], [*passing, *acted]).core}


def test_every_team_has_somebody_in_the_room_though_others_did_more():
    crowd = [wrote(user, messages=50) for user in CROWD[:10]]
    quiet = wrote(ADA)

    proposal = propose([LEAD], [*crowd, quiet], sides=[Side("Payments", (ADA, BEA))])

    assert ADA in proposal.core
    assert proposal.speaks_for == {ADA: ("Payments",)}
    assert len(proposal.core) == MOST


def test_a_team_is_spoken_for_by_somebody_who_was_there_before_anybody_else_of_it():
    proposal = propose([LEAD], [wrote(BEA)], sides=[Side("Payments", (ADA, BEA))])

    assert (proposal.core, proposal.speaks_for) == ((LEAD, BEA), {BEA: ("Payments",)})


def test_the_affected_business_comes_though_it_took_no_part():
    proposal = propose([LEAD], [wrote(BEA)], sides=[Side("Support", (EVE, DAN))])

    assert (proposal.core, proposal.speaks_for) == ((LEAD, BEA, EVE), {EVE: ("Support",)})


def test_one_person_may_speak_for_several_sides():
    sides = [Side("Payments", (ADA, BEA)), Side("Search", (BEA, CY))]

    proposal = propose([], [], sides=sides)

    assert (proposal.core, proposal.speaks_for) == ((BEA,), {BEA: ("Payments", "Search")})


def test_whoever_holds_a_role_speaks_for_their_team():
    proposal = propose([LEAD], [], sides=[Side("Payments", (ADA, LEAD))])

    assert (proposal.core, proposal.speaks_for) == ((LEAD,), {LEAD: ("Payments",)})


def test_a_side_that_nobody_can_speak_for_is_named():
    proposal = propose([LEAD], [], sides=[Side("Payments"), Side("Search", (LEAD,))])

    assert proposal.gaps == (Gap("Payments", Why.nobody),)


def test_where_more_sides_were_touched_than_there_are_seats_those_left_over_are_named_and_may_read():
    sides = [Side(f"Team {number}", (user,)) for number, user in enumerate(CROWD[:10])]

    proposal = propose([LEAD], [], sides=sides)

    assert len(proposal.core) == MOST
    assert [gap.why for gap in proposal.gaps] == [Why.full] * 3
    assert len(proposal.readers) == 3


def test_a_side_that_is_named_twice_is_one():
    proposal = propose([], [], sides=[Side("Payments"), Side("payments", (ADA,))])

    assert (proposal.core, proposal.gaps) == ((ADA,), ())


def test_in_whatever_case_it_is_named_again_a_side_keeps_its_first_name_and_all_its_people():
    sides = [Side("payments", (ADA,)), Side("PAYMENTS", (BEA, ADA))]

    assert unheard([], sides) == [Side("payments", (ADA, BEA))]


def test_who_was_there_speaks_for_their_team_though_one_who_was_not_could_speak_for_two():
    sides = [Side("Payments", (EVE, ADA)), Side("Search", (EVE, BEA))]

    proposal = propose([LEAD], [wrote(ADA), wrote(BEA)], sides=sides)

    assert proposal.speaks_for == {ADA: ("Payments",), BEA: ("Search",)}
    assert EVE not in proposal.core


def test_of_several_of_a_team_who_come_the_one_speaks_for_it_who_took_part_most():
    proposal = propose([LEAD], [wrote(ADA, 9), wrote(BEA, 1)], sides=[Side("Payments", (BEA, ADA, LEAD))])

    assert (proposal.core, proposal.speaks_for) == ((LEAD, ADA, BEA), {ADA: ("Payments",)})


def test_a_team_of_which_only_the_lead_comes_is_spoken_for_though_others_of_it_were_there():
    crowd = [wrote(user, messages=50) for user in CROWD[:10]]

    proposal = propose([LEAD], [*crowd, wrote(ADA)], sides=[Side("Payments", (ADA, LEAD))])

    assert ADA in proposal.readers
    assert (proposal.speaks_for, proposal.gaps) == ({LEAD: ("Payments",)}, ())


def test_nobody_can_read_from_the_order_who_did_more():
    little, much = wrote(ADA, 1), wrote(BEA, 99)

    first, second = propose([LEAD], [little, much]), propose([LEAD], [wrote(ADA, 99), wrote(BEA, 1)])

    assert first == second


def test_nobody_is_proposed_where_nobody_was():
    assert propose([], []) == Proposal()


def test_a_side_is_unheard_while_nobody_of_it_comes():
    sides = [Side("Payments", (ADA,)), Side("Search", (BEA, CY)), Side("Sales")]

    assert unheard([CY], sides) == [Side("Payments", (ADA,)), Side("Sales")]


PEOPLE = st.sampled_from(CROWD)
PARTS = st.dictionaries(PEOPLE, st.tuples(st.integers(0, 20), st.integers(0, 99), st.integers(0, 600)), max_size=30)
SIDES = st.lists(
    st.builds(Side, st.sampled_from("abcdefghijklm"), st.lists(PEOPLE, max_size=6).map(tuple)), max_size=13
)
ROLES = st.lists(PEOPLE, max_size=4)


@given(ROLES, PARTS, SIDES)
def test_every_side_is_spoken_for_or_named_and_the_core_is_neither_too_large_nor_too_small(
    roles: list[UserId], parts: dict[UserId, tuple[int, int, int]], sides: list[Side]
):
    took_part = [TookPart(user, events, said, timedelta(minutes=long)) for user, (events, said, long) in parts.items()]

    proposal = propose(roles, took_part, sides=sides)

    core, named = {*proposal.core}, {gap.side for gap in proposal.gaps}
    spoken = [side for names in proposal.speaks_for.values() for side in names]
    assert len(core) == len(proposal.core) <= MOST
    assert {*roles} <= core
    assert {*spoken} | named == {side.name for side in sides}
    assert {*spoken} & named == set()
    assert len(spoken) == len({*spoken})
    assert all({*side.people} & core for side in unioned(sides) if side.name in spoken)
    assert core & {*proposal.readers} == set()
    # Fewer than five come only where nobody else took part; whoever took part and does not come may read along.
    assert len(core) >= FEWEST or {*parts, *roles} <= core
    assert {*parts} <= core | {*proposal.readers}
    # A gap is called full only where all seats are taken, and nobody only where nobody could come.
    assert all(len(core) == MOST for gap in proposal.gaps if gap.why is Why.full)
    assert {gap.side for gap in proposal.gaps if gap.why is Why.nobody} == {
        side.name for side in unioned(sides) if not side.people
    }


def unioned(sides: list[Side]) -> list[Side]:
    return [
        Side(name, tuple(user for side in sides if side.name == name for user in side.people))
        for name in {side.name for side in sides}
    ]

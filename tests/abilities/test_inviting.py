"""Who comes to a meeting, and what whoever leads it is told about that."""

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy.orm import Session

from bot import briefing, convening, inviting, preparing, scheduling
from bot.desk import House
from bot.listeners import blocks, forms
from bot.listeners.asked import Memory
from bot.listeners.deeds import Deed
from bot.listeners.edge import Gesture
from bot.review.impact import Impact
from bot.review.incident import Place, UserId
from bot.review.lifecycle import Role
from bot.review.policy import DEFAULT
from bot.review.refusal import CannotSeeIt, NothingScheduled, NotOneOfUs, NotYours
from bot.review.user_group import GroupFact
from bot.review.when import read_when
from storage import attending, channels, groups, incidents, letters, people, reviews
from storage.models import Meeting
from tests.cast import (
    CHANNEL,
    HERE,
    JONAS,
    MARA,
    NOVEMBER_18,
    OUTSIDER,
    PRIYA,
    TEAM,
    TOMAS,
    Room,
    a_message,
    an_incident,
    mitigated,
)
from tests.sitting import an_event, buttons, do, plain, said

PAYMENTS = GroupFact("S0PAY", "payments", "Payments & <billing>", (TOMAS, JONAS))


@pytest.fixture
def incident(room: Room) -> int:
    """A mitigated incident."""
    number = an_incident(room)
    mitigated(room, number)
    return number


def planned(room: Room, incident: int) -> None:
    """Its review meets in two days, with those who are proposed for it."""

    def plan(db: Session) -> None:
        at, speakers = room.now + timedelta(days=2), room.house.policy.business
        reviews.plan(db, incidents.get(db, incident), at=at, by=MARA, now=room.now, speakers=speakers)

    room.change(plan)


def felt(room: Room, incident: int, **impact: Any) -> None:
    kept = Impact(**impact).to_json()
    room.change(lambda db: setattr(incidents.get(db, incident), "impact", kept))


def meeting(db: Session) -> Meeting:
    return reviews.meetings(db, reviews.of(db, incidents.get(db, 1)))[0]


def core(room: Room) -> list[str]:
    return list(room.ask(lambda db: attending.core(db, meeting(db))))


def changed(room: Room, *, by: UserId = MARA, **who: list[UserId]) -> str:
    """The form is sent: by Mara, having shown the lead alone, where nothing else is said."""
    return do(room, inviting.change, by=by, **{"leaders": [], "shown": [MARA]} | who)


# What whoever leads it is told -------------------------------------------------------------


@pytest.mark.parametrize("size", [1, 2, 3, 4])
def test_in_a_small_team_in_which_everybody_comes_nobody_is_warned(room: Room, incident: int, size: int):
    for user in (TOMAS, JONAS, PRIYA)[: size - 1]:
        room.pass_time(minutes=1)
        a_message(room, "Looking", by=user)
    planned(room, incident)

    answer = do(room, inviting.invite, users=[MARA])

    assert answer.strip() == f"<@{MARA}> is asked already, so nothing has changed."


def test_a_side_for_which_nobody_comes_is_named_with_those_who_could(room: Room, incident: int):
    planned(room, incident)
    room.change(lambda db: groups.keep(db, TEAM, [PAYMENTS], now=room.now))
    an_event(room, incident, "Restarted the queue", by=TOMAS)

    answer = do(room, inviting.invite, users=[PRIYA])

    assert f"Nobody comes for Payments &amp; &lt;billing&gt; yet; <@{JONAS}> or <@{TOMAS}> could." in answer


def test_a_function_for_which_nobody_could_come_is_named_once(room: Room, incident: int):
    felt(room, incident, functions=("Sales", "Legal"))
    planned(room, incident)

    answer = do(room, inviting.invite, users=[PRIYA])

    assert answer.endswith(
        "Nobody comes for Sales yet, and I know nobody who could.\n"
        "Nobody comes for Legal yet, and I know nobody who could. `/review invite @name` asks somebody."
    )


def test_once_somebody_comes_for_a_side_it_is_named_no_more(room: Room, incident: int):
    room = Room(room.storage, now=room.now, house=House(policy=replace(DEFAULT, business={"sales": (JONAS,)})))
    felt(room, incident, functions=("Sales",))
    planned(room, incident)

    answers = [do(room, ability, users=[JONAS]) for ability in (inviting.uninvite, inviting.invite)]

    assert ["Nobody comes for Sales" in answer for answer in answers] == [True, False]


def test_who_is_missing_is_in_no_order_that_tells_who_did_more(room: Room, incident: int):
    planned(room, incident)
    for minute, user in enumerate([TOMAS, TOMAS, TOMAS, JONAS, PRIYA, PRIYA]):
        a_message(room, "Looking", by=user, at=room.now + timedelta(minutes=minute))

    answer = do(room, inviting.invite, users=[MARA])

    assert f"These took part, too: <@{JONAS}>, <@{PRIYA}>, <@{TOMAS}>." in answer


def test_who_leads_is_not_counted_among_those_who_come(room: Room, incident: int):
    planned(room, incident)
    crowd = [UserId(f"U0{number:02}") for number in range(7)]
    room.change(lambda db: [known(db, user) for user in crowd])
    room.change(
        lambda db: incidents.give_role(db, incidents.get(db, incident), Role.facilitator, JONAS, by=MARA, now=room.now)
    )

    answer = do(room, inviting.invite, users=[*crowd, JONAS])
    one_more = do(room, inviting.invite, users=[OUTSIDER])

    assert f"With them 8 core attendees come, beside <@{JONAS}>, who leads." in answer
    assert "is a lot" not in answer
    assert f"9 core attendees is a lot, and <@{JONAS}>, who leads, is not counted: up to eight" in one_more


def known(db: Session, user: str) -> None:
    people.know(db, TEAM, user, name=user, zone="UTC", email=None, bot=None, gone=None, now=NOVEMBER_18)


# Let off --------------------------------------------------------------------------------------


def test_who_was_never_asked_is_not_let_off_and_the_answer_says_so(room: Room, incident: int):
    planned(room, incident)
    before = core(room)

    answer = do(room, inviting.uninvite, users=[JONAS, JONAS])

    assert answer.splitlines()[0] == "<@U0JONAS> was not asked to come, so nothing has changed."
    assert core(room) == before


def test_of_several_who_was_asked_is_let_off_and_the_others_are_named(room: Room, incident: int):
    planned(room, incident)
    do(room, inviting.invite, users=[TOMAS])

    answer = do(room, inviting.uninvite, users=[JONAS, TOMAS, PRIYA])

    assert answer.splitlines()[:2] == [
        "<@U0TOMAS> no longer needs to come. `/review invite @name` asks again.",
        "<@U0JONAS>, <@U0PRIYA> were not asked to come.",
    ]
    assert core(room) == [MARA]


def test_of_a_user_group_whoever_is_asked_is_let_off(room: Room, incident: int):
    planned(room, incident)
    a_group(room, TOMAS, JONAS)
    do(room, inviting.invite, users=[TOMAS])

    answers = [do(room, inviting.uninvite, users=[], groups_named=["@payments"]) for _ in range(2)]

    assert answers[0].splitlines()[0] == "<@U0TOMAS> no longer needs to come. `/review invite @name` asks again."
    assert answers[1].splitlines()[0] == "<@U0JONAS>, <@U0TOMAS> were not asked to come, so nothing has changed."
    assert core(room) == [MARA]


@pytest.mark.usefixtures("incident")
def test_a_group_with_nobody_or_of_no_name_lets_nobody_off(room: Room):
    planned(room, 1)
    a_group(room)

    answer = do(room, inviting.uninvite, users=[], groups_named=["@payments"])

    assert answer.splitlines()[0] == "Nobody is in that group, so nothing has changed."
    with pytest.raises(inviting.UnknownGroup):
        do(room, inviting.uninvite, users=[MARA], groups_named=["@nobody"])
    assert core(room) == [MARA]


def test_whoever_was_let_off_is_not_proposed_at_once(room: Room, incident: int):
    planned(room, incident)
    a_group(room, TOMAS, JONAS)
    an_event(room, incident, "Restarted the queue", by=TOMAS)
    do(room, inviting.invite, users=[TOMAS, JONAS])

    both = do(room, inviting.uninvite, users=[TOMAS, JONAS])
    do(room, inviting.invite, users=[JONAS])
    do(room, inviting.invite, users=[TOMAS])
    room.change(lambda db: groups.keep(db, TEAM, [replace(PAYMENTS, members=(TOMAS, PRIYA))], now=room.now))
    one = do(room, inviting.uninvite, users=[TOMAS])

    assert "Nobody comes for Payments &amp; &lt;billing&gt; yet, and I know nobody else who could." in both
    assert f"Nobody comes for Payments &amp; &lt;billing&gt; yet; <@{PRIYA}> could." in one


# Asked already, and asked where they do not read -----------------------------------------------


def test_whoever_is_asked_already_is_told_as_such(room: Room, incident: int):
    planned(room, incident)
    do(room, inviting.invite, users=[TOMAS])

    again = do(room, inviting.invite, users=[TOMAS])
    with_one_more = do(room, inviting.invite, users=[TOMAS, JONAS])

    assert again.splitlines()[0] == "<@U0TOMAS> is asked already, so nothing has changed."
    assert with_one_more.splitlines()[:2] == [
        "Asked: <@U0JONAS>. With them 3 core attendees come.",
        "<@U0TOMAS> is asked already.",
    ]


NOT_THERE = "They do not hear of it from me; `/invite @name` brings them there, or tell them yourself."


def test_whoever_is_asked_where_they_do_not_read_is_named_to_whoever_asks(room: Room, incident: int):
    planned(room, incident)
    room.change(lambda db: channels.know_members(db, TEAM, CHANNEL, [MARA, TOMAS], now=room.now))

    answer = do(room, inviting.invite, users=[JONAS, TOMAS])

    assert f"Not in <#C0INC>, where I ask everybody: <@U0JONAS>. {NOT_THERE}" in answer
    assert "Not in" not in do(room, inviting.uninvite, users=[JONAS])


def test_whoever_hears_by_letter_alone_is_named_as_such(room: Room, incident: int):
    planned(room, incident)
    room.desk.house = replace(room.house, letters_from="debrief@sandbox.example")
    room.change(lambda db: channels.know_members(db, TEAM, CHANNEL, [MARA], now=room.now))
    room.change(lambda db: setattr(people.find(db, TEAM, JONAS), "email", "jonas@sandbox.example"))

    answer = do(room, inviting.invite, users=[JONAS, TOMAS])
    room.desk.serve_if_due(convening.tell_calendars)

    assert f"Not in <#C0INC>, where I ask everybody: <@U0TOMAS>. {NOT_THERE}" in answer
    assert "Not in <#C0INC>, and asked by e-mail alone: <@U0JONAS>." in answer
    assert room.ask(lambda db: [one.user_id for one in letters.beginning(db, TEAM, "letter:")]) == [JONAS]


# A user group -----------------------------------------------------------------------------------


def a_group(room: Room, *members: str) -> None:
    room.change(lambda db: groups.keep(db, TEAM, [replace(PAYMENTS, members=members)], now=room.now))


@pytest.mark.parametrize("words", ["<!subteam^S0PAY|@payments>", "<!subteam^S0PAY>", "@payments"])
def test_the_people_of_a_user_group_are_asked(room: Room, incident: int, words: str):
    planned(room, incident)
    a_group(room, TOMAS, JONAS)

    answer = do(room, inviting.invite, users=[TOMAS], groups_named=[words])

    assert answer.splitlines()[0] == "Asked: <@U0TOMAS>, <@U0JONAS>. With them 3 core attendees come."
    assert core(room) == [MARA, TOMAS, JONAS]
    assert len(said(room, "invited:")) == 1


LEFT_OUT = "They cannot see this incident, have left, or are programs."


def test_programs_and_who_left_or_cannot_see_it_are_left_out_of_a_group_and_named(room: Room, incident: int):
    planned(room, incident)
    room.change(lambda db: setattr(incidents.get(db, incident), "private_since", room.now))
    room.change(lambda db: channels.know_members(db, TEAM, CHANNEL, [MARA, TOMAS, JONAS, "U0BOT"], now=room.now))
    facts = {"zone": "UTC", "email": None, "now": room.now}
    room.change(lambda db: people.know(db, TEAM, JONAS, name="Jonas", bot=None, gone=room.now, **facts))
    room.change(lambda db: people.know(db, TEAM, "U0BOT", name="Bot", bot=room.now, gone=None, **facts))
    a_group(room, TOMAS, JONAS, OUTSIDER, "U0BOT")

    answer = do(room, inviting.invite, users=[], groups_named=["@payments"])

    assert answer.splitlines()[:2] == [
        "Asked: <@U0TOMAS>. With them 2 core attendees come.",
        f"Left out of the group: <@U0BOT>, <@U0JONAS>, <@U0OUTSIDER>. {LEFT_OUT}",
    ]
    assert core(room) == [MARA, TOMAS]


def test_a_group_of_which_nobody_can_come_is_refused_and_nobody_is_asked(room: Room, incident: int):
    planned(room, incident)
    room.change(lambda db: channels.know_members(db, TEAM, CHANNEL, [MARA, TOMAS], now=room.now))
    room.change(lambda db: setattr(incidents.get(db, incident), "private_since", room.now))
    a_group(room, OUTSIDER)

    with pytest.raises(inviting.NobodyOfGroup, match="Nobody of Payments & <billing> could come"):
        do(room, inviting.invite, users=[TOMAS], groups_named=["@payments"])

    assert core(room) == [MARA]


def test_a_group_in_which_more_than_eight_could_come_is_refused_with_what_to_do(room: Room, incident: int):
    planned(room, incident)
    a_group(room, *(f"U0{number:02}" for number in range(9)))

    with pytest.raises(inviting.GroupTooLarge, match="@payments has 9 people who could come"):
        do(room, inviting.invite, users=[], groups_named=["@payments"])

    assert core(room) == [MARA]


@pytest.mark.parametrize("words", ["@ops", "<!subteam^S0GONE>", "@" + "x" * 10_000, "@\ud800", "@a\0", "<!subteam^>"])
def test_an_unknown_group_is_refused(room: Room, incident: int, words: str):
    planned(room, incident)

    with pytest.raises(inviting.UnknownGroup, match="I know no user group"):
        do(room, inviting.invite, users=[], groups_named=[words])


@pytest.mark.usefixtures("incident")
def test_the_advice_offers_the_form(room: Room):
    planned(room, 1)

    answer = room.answer(inviting.invite, where=HERE, by=MARA, users=[TOMAS])

    assert buttons(answer) == ["Change who comes"]


def test_where_teams_are_known_one_may_meet_first(room: Room, incident: int):
    room.change(lambda db: groups.keep(db, TEAM, [PAYMENTS], now=room.now))
    planned(room, incident)

    answer = room.answer(inviting.invite, where=HERE, by=MARA, users=[TOMAS])

    assert buttons(answer) == ["Change who comes", "A team meets first…"]


def test_whoever_read_along_and_is_asked_now_hears_of_it(room: Room, incident: int):
    planned(room, incident)
    room.change(lambda db: attending.invite(db, meeting(db), JONAS, core=None, now=room.now))

    do(room, inviting.invite, users=[JONAS])

    assert f"<@{JONAS}>, you are asked to the review" in room.transcript(CHANNEL)[-1]


# The form -----------------------------------------------------------------------------------


def test_the_form_asks_whoever_is_new_and_lets_off_whoever_is_left_out(room: Room, incident: int):
    a_message(room, "Looking", by=TOMAS)
    planned(room, incident)

    answer = changed(room, core=[MARA, JONAS], shown=[MARA, TOMAS])

    assert core(room) == [MARA, JONAS]
    assert plain(answer).startswith(
        f"2 come: <@{MARA}>, <@{JONAS}>.\nLet off: <@{TOMAS}>. They may still read everything."
    )
    (asked,) = room.transcript(CHANNEL)
    assert asked.startswith(f"<@{JONAS}>, you are asked to the review of")


def test_whoever_was_asked_meanwhile_is_not_let_off_by_a_form_that_did_not_show_them(room: Room, incident: int):
    planned(room, incident)
    do(room, inviting.invite, users=[TOMAS])

    changed(room, core=[MARA, JONAS])

    assert core(room) == [MARA, TOMAS, JONAS]


def test_a_form_that_is_sent_as_it_came_changes_nothing(room: Room, incident: int):
    planned(room, incident)

    for _ in range(2):
        changed(room, core=[MARA])

    assert (core(room), room.transcript(CHANNEL)) == ([MARA], [])


def test_leaders_come_beside_the_core_and_get_their_five_lines(room: Room, incident: int):
    planned(room, incident)

    answer = changed(room, core=[MARA], leaders=[JONAS])
    room.serve(briefing.brief_leaders)

    assert answer.startswith(f"1 comes: <@{MARA}>. Beside them, as a leader: <@{JONAS}>.")
    assert core(room) == [MARA]
    assert "five lines for you alone" in room.transcript(JONAS)[0]


def test_a_leader_who_is_left_out_of_the_form_is_let_off(room: Room, incident: int):
    planned(room, incident)
    changed(room, core=[MARA], leaders=[JONAS])

    changed(room, core=[MARA], shown=[MARA, JONAS])

    assert room.ask(lambda db: attending.leaders(db, incidents.get(db, 1), meeting(db))) == []


@pytest.mark.parametrize("who", [{"core": [MARA, "U0BOT"]}, {"core": [MARA], "leaders": ["U0BOT"]}])
def test_programs_do_not_come(room: Room, incident: int, who: Any):
    planned(room, incident)
    known = {"name": "bot", "zone": "UTC", "email": None, "bot": room.now, "gone": None, "now": room.now}
    room.change(lambda db: people.know(db, TEAM, "U0BOT", **known))

    with pytest.raises(NotOneOfUs):
        changed(room, **who)

    assert core(room) == [MARA]


def test_who_has_left_the_workspace_comes_no_more_and_is_called_by_nothing(room: Room, incident: int):
    a_message(room, "Looking", by=TOMAS)
    planned(room, incident)
    asked = core(room)
    facts: dict[str, Any] = {"name": "", "zone": "Europe/London", "email": None, "bot": None}

    room.change(lambda db: people.know(db, TEAM, TOMAS, now=room.now, gone=room.now, **facts))
    room.serve(preparing.pre_read, where=HERE, by=MARA)

    assert TOMAS in asked
    assert core(room) == [user for user in asked if user != TOMAS]
    (pre_read,) = [words for words in room.transcript(CHANNEL) if "Before the review" in words]
    assert TOMAS not in pre_read


def test_to_a_private_incident_nobody_is_asked_who_cannot_see_it(room: Room):
    incident = an_incident(room, private=room.now)
    room.change(lambda db: channels.know_members(db, TEAM, CHANNEL, [MARA], now=room.now))
    planned(room, incident)

    with pytest.raises(CannotSeeIt):
        do(room, inviting.invite, users=[OUTSIDER])
    with pytest.raises(CannotSeeIt):
        changed(room, core=[MARA, OUTSIDER])
    with pytest.raises(CannotSeeIt):
        changed(room, core=[MARA], leaders=[OUTSIDER])
    assert core(room) == [MARA]


def test_only_who_leads_it_changes_who_comes_and_only_to_a_meeting_that_is_planned(room: Room, incident: int):
    with pytest.raises(NothingScheduled):
        changed(room, core=[MARA])

    planned(room, incident)
    with pytest.raises(NotYours):
        changed(room, by=TOMAS, core=[TOMAS])


def built(room: Room, incident: int) -> dict[str, Any]:
    memory = Memory(form="who", incident=incident, channel=CHANNEL)
    return room.desk.look(forms.build, gesture=Gesture(MARA, Place(CHANNEL)), memory=memory)


def test_the_form_begins_with_who_comes_now_and_says_for_whom(room: Room, incident: int):
    room.change(lambda db: groups.keep(db, TEAM, [PAYMENTS], now=room.now))
    an_event(room, incident, "Restarted the queue", by=TOMAS)
    felt(room, incident, functions=("Sales",))
    planned(room, incident)
    changed(room, core=[MARA, TOMAS], leaders=[JONAS])

    view = built(room, incident)
    words, *fields = view["blocks"]

    assert words["text"]["text"] == f"Payments &amp; &lt;billing&gt;: <@{TOMAS}>\nNobody comes for Sales yet."
    assert [field["element"]["initial_users"] for field in fields] == [[MARA, TOMAS], [JONAS]]
    assert Memory.from_json(view["private_metadata"]).word == f"{MARA} {TOMAS} {JONAS}"


def test_without_sides_the_form_asks_at_once(room: Room, incident: int):
    planned(room, incident)

    assert [block["type"] for block in built(room, incident)["blocks"]] == ["input", "input"]


def test_what_was_chosen_in_the_form_is_what_changes():
    state = {
        name: {name: {"type": "multi_users_select", "selected_users": users}}
        for name, users in {"core": [MARA, TOMAS], "leaders": [TOMAS, JONAS]}.items()
    }
    answers = blocks.values({"state": {"values": state}})

    deed = forms.FORMS["who"].deed(answers, Memory(form="who", word=f"{MARA} {PRIYA}"))

    assert deed == Deed(inviting.change, {"core": [MARA, TOMAS], "leaders": [JONAS], "shown": [MARA, PRIYA]})


def test_the_form_opens_from_its_button_and_where_nobody_is_named():
    assert [forms.wanted("invite", rest) for rest in ("form", "", "<@U1>")] == ["who", "who", None]


def test_the_announcement_offers_the_form(room: Room, incident: int):
    do(room, scheduling.schedule, when=read_when("2026-11-20 10:00"))

    (announced,) = said(room, "scheduled:")

    offered = [one for block in announced.blocks or () for one in block.get("elements", ()) if "value" in one]
    pressed = {one["text"]["text"]: (one["action_id"], json.loads(one["value"])) for one in offered}
    action, value = pressed["Change who comes"]
    assert action.startswith("review:invite")
    assert (value["text"], value["incident"]) == ("form", incident)

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy.orm import Session

from bot import facilitating, following_up, tagging
from bot.render import Rendered
from bot.review import refusal
from bot.review.findings import FindingKind
from bot.review.follow_up import ActionWords, Horizon
from bot.review.incident import ChannelId, Place, UserId
from storage import actions, findings, incidents, reviews
from storage.incidents import Where
from storage.models import Action, Membership, Reaction
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

TEXT = "write the runbook for a full disk"
SECRET, ELSEWHERE = (Where(Place(ChannelId(channel))) for channel in ("C0SECRET", "C0OTHER"))
EVERYTHING = {"deployed": "https://deploys.example.com/7", "tested": "in staging", "documented": "in the wiki"}


def propose(room: Room, *, owner: Any = TOMAS, text: str = TEXT, horizon: str | None = "quick", **more) -> str:
    message = {name: more.pop(name) for name in ("channel", "ts") if name in more}
    where, by = more.pop("where", HERE), more.pop("by", MARA)
    words = ActionWords(owner, more.pop("due_words", None), Horizon(horizon) if horizon else None, text, **more)
    return room.serve(following_up.propose, where=where, by=by, wording=words, **message)


def every_action(room: Room) -> list[Action]:
    return room.change(lambda db: [each for each, _ in actions.seen_by(db, TEAM, MARA)])


def move(room: Room, step: str, text: str = "", *, by: UserId = TOMAS, number: int = 1) -> str:
    return room.serve(following_up.move, by=by, number=number, step=step, text=text)


def action(room: Room, number: int = 1) -> Action:
    found = room.change(lambda db: actions.by_number(db, TEAM, number, MARA))
    assert found
    return found[0]


def committed(room: Room) -> None:
    """Action 1, quick, of Tomas, promised after its pause."""
    propose(room)
    room.pass_time(days=2)
    move(room, "commit")


# Proposing


def test_a_proposal_gets_a_number_an_owner_and_a_day(room: Room):
    an_incident(room)

    answer = propose(room)

    assert answer == (
        "Action 1 is proposed:\n"
        f"> {TEXT}\n\n"
        "<@U0TOMAS> owns it and it is due Wed 25 Nov 2026. It waits until Fri 20 Nov 2026, then I ask them to commit "
        "to it, to name another day, or to decline it.\n\n"
        "One question, asked once: what else could it change, for better or worse?"
    )


@pytest.mark.parametrize(
    ("horizon", "due_words", "due"),
    [
        ("quick", None, date(2026, 11, 25)),
        ("long", None, date(2026, 12, 18)),
        (None, None, date(2026, 11, 25)),
        ("quick", "2 weeks", date(2026, 12, 2)),
        ("long", "2026-12-24", date(2026, 12, 24)),
    ],
)
def test_the_day_is_the_one_named_or_that_of_the_horizon(room: Room, horizon, due_words, due):
    an_incident(room)

    propose(room, horizon=horizon, due_words=due_words)

    assert action(room).due == due


def test_days_are_counted_in_the_owners_zone(room: Room):
    an_incident(room)
    room.now = datetime(2026, 11, 18, 20, 0, tzinfo=UTC)

    propose(room, owner=PRIYA)
    propose(room, owner=JONAS)

    assert [action(room, number).due for number in (1, 2)] == [date(2026, 11, 26), date(2026, 11, 25)]


def test_a_vague_wording_is_kept_and_gets_one_question_back(room: Room):
    an_incident(room)

    answer = propose(room, text="improve monitoring")

    assert answer.count("One question") == 1
    assert action(room).text == "improve monitoring"


@pytest.mark.parametrize(
    ("wrong", "refused"),
    [
        ({"owner": None}, refusal.NeedsOwner),
        ({"owner": "USLACKBOT"}, refusal.NotOneOfUs),
        ({"owner": "U0DEBRIEF"}, refusal.NotOneOfUs),
        ({"answers": (7,)}, refusal.NoSuchFinding),
        ({"text": "  "}, refusal.NeedsText),
        ({"due_words": "soonish"}, refusal.UnreadableDay),
        ({"due_words": "2026-11-17"}, refusal.DayInThePast),
    ],
)
def test_a_proposal_lacks_neither_owner_nor_words_nor_a_day_to_come(room: Room, wrong, refused):
    an_incident(room)

    with pytest.raises(refused):
        propose(room, **wrong)


def test_one_message_gives_one_action(room: Room):
    an_incident(room)
    ts = a_message(room, "we should alert on disk usage")

    propose(room, channel=CHANNEL, ts=ts)
    propose(room, channel=CHANNEL, ts=ts)

    assert len(every_action(room)) == 1


def test_a_proposal_keeps_what_it_answers_who_is_behind_it_and_what_it_may_change(room: Room):
    incident = an_incident(room)
    for text in ("retries without a limit", "one person knows the failover"):
        room.change(lambda db, text=text: found(db, incident, text))

    propose(room, answers=(2, 1), team=" Storage ", second_order="alerts may double for a week", category="tooling")

    shown = room.serve(following_up.show, by=MARA, number=1)
    assert "It is a quick fix (tooling).\n" in shown
    assert "Team: Storage\n" in shown
    assert "It answers findings 1, 2." in shown
    assert "What it may change besides: alerts may double for a week" in shown


def found(db, incident: int, text: str) -> None:
    facts = {"kind": FindingKind.risk, "sort": None, "by": MARA, "event": None, "now": NOVEMBER_18}
    findings.add(db, incidents.get(db, incident), text=text, **facts)


# Moving on


def test_an_action_goes_from_proposed_to_done(room: Room):
    an_incident(room)
    committed(room)

    for step, text in (("begin", ""), ("block", "no test machine"), ("begin", "")):
        move(room, step, text)
    room.serve(following_up.finish, by=TOMAS, number=1, evidence={"tested": "on staging"})

    changes = room.change(lambda db: incidents.changes(db, 1, "action"))
    assert [(change.what, change.before, change.after) for change in changes] == [
        ("state", "proposed", "committed"),
        ("state", "committed", "in_progress"),
        ("state", "in_progress", "blocked"),
        ("reason", None, "no test machine"),
        ("state", "blocked", "in_progress"),
        ("state", "in_progress", "done"),
    ]
    assert (action(room).evidence, action(room).done_at) == ({"tested": "on staging"}, room.now)


def test_an_action_is_not_promised_before_its_pause_is_over(room: Room):
    an_incident(room)
    propose(room)
    room.pass_time(days=1)

    with pytest.raises(refusal.StillSoaking, match="waits until Fri 20 Nov 2026"):
        move(room, "commit")


def test_a_step_that_does_not_follow_is_refused(room: Room):
    an_incident(room)
    propose(room)

    with pytest.raises(refusal.AnotherStep):
        move(room, "begin")


def test_what_was_declined_can_be_proposed_again(room: Room):
    an_incident(room)
    propose(room)
    move(room, "decline", "no time")
    room.pass_time(days=14)

    answer = move(room, "propose")

    assert answer == (
        "Action 1 is proposed again, due Wed 09 Dec 2026. It waits until Fri 04 Dec 2026, then I ask you to commit to "
        "it."
    )
    changes = room.change(lambda db: incidents.changes(db, 1, "action"))
    assert [(change.what, change.before, change.after) for change in changes] == [
        ("state", "proposed", "declined"),
        ("reason", None, "no time"),
        ("state", "declined", "proposed"),
        ("due", "2026-11-25", "2026-12-09"),
    ]
    assert (action(room).reason, action(room).proposed_at) == (None, room.now)


@pytest.mark.parametrize(("step", "words"), [("due", "friday"), ("owner", f"<@{PRIYA}>")])
@pytest.mark.parametrize(("end", "way_back"), [("decline", "action 1 propose"), ("done", "action 1 begin")])
def test_what_is_settled_keeps_its_day_and_its_owner(room: Room, step: str, words: str, end: str, way_back: str):
    an_incident(room)
    propose(room)
    move(room, end, "https://deploys.example.com/7")

    with pytest.raises(refusal.AnotherStep, match=f"you can type `{way_back}`"):
        move(room, step, words)

    assert (action(room).owner, action(room).due) == (TOMAS, date(2026, 11, 25))


@pytest.mark.parametrize(
    ("step", "words", "said"),
    [
        ("due", "", "Which day?"),
        ("due", "2026-11-17", "Name a day still to come, such as `friday`"),
        ("priority", "urgent", "Priority is `high`, `medium` or `low`."),
    ],
)
def test_words_that_do_not_fit_are_answered_with_those_that_do(room: Room, step: str, words: str, said: str):
    an_incident(room)
    propose(room)

    with pytest.raises(refusal.Refused, match=said):
        move(room, step, words)


@pytest.mark.parametrize("step", ["block", "decline"])
def test_blocking_and_declining_need_a_reason(room: Room, step: str):
    an_incident(room)
    committed(room)

    with pytest.raises(refusal.NeedsReason):
        move(room, step)


def test_a_step_taken_twice_is_harmless(room: Room):
    an_incident(room)
    committed(room)
    promised_at = action(room).committed_at
    room.pass_time(hours=1)

    move(room, "commit")

    assert action(room).committed_at == promised_at


@pytest.mark.parametrize(
    ("horizon", "evidence", "enough"),
    [
        ("quick", {}, False),
        ("quick", {"deployed": " "}, False),
        ("quick", {"documented": "in the wiki"}, True),
        ("long", {"deployed": "https://deploys.example.com/7"}, False),
        ("long", EVERYTHING, True),
    ],
)
def test_done_needs_proof(room: Room, horizon: str, evidence: dict[str, str], enough: bool):  # noqa: FBT001
    an_incident(room)
    propose(room, horizon=horizon)

    if enough:
        assert "is done" in room.serve(following_up.finish, by=TOMAS, number=1, evidence=evidence)
    else:
        with pytest.raises(refusal.NeedsEvidence):
            room.serve(following_up.finish, by=TOMAS, number=1, evidence=evidence)


def test_somebody_else_confirms_that_it_is_done(room: Room):
    an_incident(room)
    propose(room)
    move(room, "done", "https://deploys.example.com/7")
    move(room, "done")
    assert action(room).verified_by is None

    move(room, "done", by=PRIYA)

    assert action(room).verified_by == PRIYA


def test_only_the_owner_and_who_leads_the_review_move_an_action(room: Room):
    an_incident(room, lead=MARA)
    propose(room, owner=TOMAS)

    with pytest.raises(refusal.NotYours):
        move(room, "priority", "high", by=PRIYA)
    move(room, "priority", "high", by=TOMAS)
    move(room, "priority", "low", by=MARA)

    assert action(room).priority == "low"


def test_the_next_steps_are_offered_to_the_owner_alone(room: Room):
    an_incident(room, lead=MARA)
    propose(room, owner=TOMAS)

    answers = {user: room.answer(following_up.show, by=user, number=1) for user in (MARA, TOMAS)}
    shown = {user: buttons(answer) if answer else [] for user, answer in answers.items()}

    assert [button["text"]["text"] for button in shown[TOMAS]] == ["Reshape", "Decline"]
    assert shown[MARA] == []


def test_what_will_not_be_done_is_told_once_where_the_review_is(room: Room):
    mitigated(room, an_incident(room))
    propose(room)

    move(room, "decline", "the disk is replaced <!here>")
    move(room, "decline", "the disk is replaced <!here>")

    assert room.transcript(CHANNEL) == [
        (
            f"<@U0TOMAS> decided not to do action 1, {TEXT}. The reason:\n"
            "> the disk is replaced &lt;!here&gt;\n\n"
            "Said once, because a decision not to act is worth knowing too. `/review actions all` shows the rest."
        )
    ]


def test_during_the_fire_nothing_is_told(room: Room):
    an_incident(room)
    propose(room)

    move(room, "decline", "no")

    assert room.transcript() == []


def test_an_action_of_a_private_incident_is_not_there_for_others(room: Room):
    a_private_incident(room)
    assert "Action 1" in room.serve(following_up.show, by=MARA, number=1)

    with pytest.raises(refusal.NoSuchAction):
        room.serve(following_up.show, by=OUTSIDER, number=1)


def a_private_incident(room: Room, *, owner: UserId = MARA) -> None:
    an_incident(room, channel=SECRET.place.channel, private=room.now)
    room.change(lambda db: db.add(Membership(team_id=TEAM, channel_id=SECRET.place.channel, user_id=MARA)))
    propose(room, where=SECRET, owner=owner)


# Worded better, and weighed


def wording(text: str = "write it down", *, due: str | None = None, owner: UserId = TOMAS, **more) -> ActionWords:
    return ActionWords(owner, due, Horizon.quick, text, **more)


def history(room: Room) -> list[tuple[str, str | None, str | None]]:
    changes = room.change(lambda db: incidents.changes(db, 1, "action"))
    return [(change.what, change.before, change.after) for change in changes]


def test_the_owner_reshapes_a_proposal_and_only_what_changed_has_a_history(room: Room):
    an_incident(room)
    propose(room)

    answer = room.serve(
        following_up.reshape, by=TOMAS, number=1, wording=wording("write it down", due="2026-12-01", owner=PRIYA)
    )

    assert history(room) == [
        ("text", TEXT, "write it down"),
        ("due", "2026-11-25", "2026-12-01"),
        ("owner", TOMAS, PRIYA),
    ]
    assert answer.startswith(
        "Action 1 now reads:\n> write it down\n\n"
        "<@U0PRIYA> owns it, and it is due Tue 01 Dec 2026. It is still a proposal and waits until Fri 20 Nov 2026."
    )


def test_whoever_proposed_it_may_word_it_better_and_others_may_not(room: Room):
    an_incident(room, lead=JONAS)
    propose(room, by=PRIYA)

    move(room, "edit", "write it down", by=PRIYA)

    assert action(room).text == "write it down"
    for step, text in (("edit", "anything"), ("decline", "no")):
        with pytest.raises(refusal.NotYours):
            move(room, step, text, by=MARA if step == "edit" else PRIYA)


def test_a_day_that_has_passed_may_stand_while_the_wording_is_changed(room: Room):
    an_incident(room)
    propose(room)
    room.pass_time(days=14)

    room.serve(following_up.reshape, by=TOMAS, number=1, wording=wording("write it down", due="2026-11-25"))

    assert (action(room).text, action(room).due) == ("write it down", date(2026, 11, 25))
    with pytest.raises(refusal.DayInThePast):
        room.serve(following_up.reshape, by=TOMAS, number=1, wording=wording(due="2026-11-26"))


def test_what_is_settled_keeps_its_wording(room: Room):
    an_incident(room)
    propose(room)
    move(room, "decline", "no time")

    with pytest.raises(refusal.AnotherStep):
        move(room, "edit", "write it down")
    with pytest.raises(refusal.AnotherStep):
        room.serve(following_up.reshape, by=TOMAS, number=1, wording=wording())


def test_second_order_effects_are_asked_once_in_the_answer_or_in_the_form(room: Room):
    an_incident(room)

    typed, vague, in_the_form = (
        propose(room, **more) for more in ({}, {"text": "improve monitoring"}, {"second_order": ""})
    )

    assert [answer.count("what else could it change") for answer in (typed, vague, in_the_form)] == [1, 0, 0]
    assert [answer.count("One question") for answer in (typed, vague, in_the_form)] == [1, 1, 0]


def test_a_vague_wording_is_offered_to_be_edited(room: Room):
    an_incident(room)

    answer = room.answer(
        following_up.propose, where=HERE, by=MARA, wording=ActionWords(TOMAS, None, None, "be more careful")
    )

    assert answer
    assert "What could change in the system or the process" in answer.text
    assert [button["text"]["text"] for button in buttons(answer)] == ["Edit"]
    assert '"text": "1 edit"' in buttons(answer)[0]["value"]


def buttons(answer: Rendered) -> list[dict[str, Any]]:
    return [button for block in answer.blocks if block["type"] == "actions" for button in block["elements"]]


def test_before_it_is_promised_its_owner_looks_once_at_its_day_and_what_it_answers(room: Room):
    incident = an_incident(room)
    room.change(lambda db: found(db, incident, "retries without a limit"))
    propose(room, answers=(1,))
    room.pass_time(days=2)

    shown = room.answer(following_up.show, by=TOMAS, number=1)

    assert shown
    commit, reshape, decline = buttons(shown)
    assert commit["confirm"]["text"]["text"] == (
        "Is it worth it against your other work? It is due Wed 25 Nov 2026 and answers “retries without a limit”."
    )
    assert ["confirm" in each for each in (reshape, decline)] == [False, False]
    assert move(room, "commit").startswith("Action 1 is promised, due Wed 25 Nov 2026, and answers finding 1.")


def test_an_action_can_come_up_at_an_event(room: Room):
    incident = an_incident(room)
    room.serve(tagging.add_event, where=HERE, by=MARA, when=None, text="restarted the pods")

    propose(room, event=1)

    assert "It came up at event 1." in room.serve(following_up.show, by=MARA, number=1)
    with pytest.raises(refusal.NoSuchEvent):
        propose(room, event=9)
    assert incident


# The pause


def test_what_was_proposed_before_the_meeting_waits_two_working_days_after_it(room: Room):
    incident = an_incident(room)
    mitigated(room, incident)
    propose(room)
    room.change(lambda db: planned(db, incident, NOVEMBER_18 + timedelta(days=2)))
    room.pass_time(days=2)

    with pytest.raises(refusal.StillSoaking, match="waits until Tue 24 Nov 2026"):
        move(room, "commit")
    room.serve(facilitating.start, where=HERE, by=MARA)
    room.pass_time(hours=1)
    room.serve(facilitating.end, where=HERE, by=MARA)
    room.pass_time(days=3)
    with pytest.raises(refusal.StillSoaking, match="waits until Tue 24 Nov 2026"):
        move(room, "commit")
    room.pass_time(days=1)

    assert "is promised" in move(room, "commit")


def test_a_meeting_that_nobody_held_holds_up_no_promise(room: Room):
    incident = an_incident(room)
    mitigated(room, incident)
    propose(room)
    room.change(lambda db: planned(db, incident, NOVEMBER_18 + timedelta(days=1)))
    room.pass_time(days=2)

    assert "is promised" in move(room, "commit")


def test_of_several_meetings_the_first_that_could_speak_of_it_counts(room: Room):
    incident = an_incident(room)
    mitigated(room, incident)
    room.change(lambda db: planned(db, incident, NOVEMBER_18))
    a_meeting_is_held(room)
    room.pass_time(days=1)
    propose(room)
    a_meeting_is_held(room)
    room.pass_time(days=2)
    room.change(lambda db: planned(db, incident, room.now + timedelta(days=10)))

    with pytest.raises(refusal.StillSoaking, match="waits until Mon 23 Nov 2026"):
        move(room, "commit")
    room.pass_time(days=2)

    assert "is promised" in move(room, "commit")


def a_meeting_is_held(room: Room) -> None:
    room.serve(facilitating.start, where=HERE, by=MARA)
    room.pass_time(hours=1)
    room.serve(facilitating.end, where=HERE, by=MARA)


def planned(db: Session, incident: int, at: datetime) -> None:
    reviews.plan(db, incidents.get(db, incident), at=at, by=MARA, now=NOVEMBER_18)


def test_each_no_to_a_proposal_is_told_once(room: Room):
    mitigated(room, an_incident(room))
    propose(room)

    move(room, "decline", "no time")
    room.pass_time(days=1)
    move(room, "propose")
    move(room, "decline", "the disk is replaced")

    assert [text.splitlines()[1] for text in room.transcript(CHANNEL)] == ["> no time", "> the disk is replaced"]


# Parked until the meeting comes to its actions


@pytest.fixture
def parking(room: Room) -> Room:
    """A room where proposals are parked, with a meeting that is planned."""
    room.desk.house = replace(room.house, actions="parked")
    incident = an_incident(room)
    mitigated(room, incident)
    room.change(lambda db: planned(db, incident, NOVEMBER_18))
    return room


def go_to(room: Room, topic: str) -> str:
    room.serve(facilitating.go_to, where=HERE, by=MARA, words=topic)
    return next(text for text in reversed(room.transcript(CHANNEL)) if text.startswith("Review of "))


def test_where_proposals_are_parked_one_is_thanked_for_and_nothing_is_asked(parking: Room):
    answers = [propose(parking, text="improve monitoring")]
    parking.serve(facilitating.start, where=HERE, by=MARA)
    answers.append(propose(parking, text="improve monitoring"))

    assert answers[1] == (
        "Thank you. Action 2 is parked:\n> improve monitoring\n\n"
        "We come to it when the meeting is at its actions. Until then <@U0TOMAS> is down as its owner, due Wed 25 Nov "
        "2026."
    )
    assert [answer.count("?") for answer in answers] == [0, 0]


def test_what_was_parked_is_listed_when_the_topic_comes_and_asked_about_from_then_on(parking: Room):
    parking.serve(facilitating.start, where=HERE, by=MARA)
    propose(parking)

    before, now = go_to(parking, "findings"), go_to(parking, "actions")
    later = propose(parking, text="improve monitoring")
    parking.pass_time(minutes=2)
    go_to(parking, "timeline")
    back = propose(parking, text="better alerts")

    assert [TEXT in said for said in (before, now)] == [False, True]
    assert [answer.count("One question") for answer in (later, back)] == [1, 1]


def test_the_topic_shows_what_each_action_could_change_and_what_was_declined(parking: Room):
    parking.serve(facilitating.start, where=HERE, by=MARA)
    propose(parking, second_order="alerts may double")
    propose(parking, text="write it down")
    move(parking, "decline", "no time", number=2)

    shown = go_to(parking, "actions")

    assert f"1 · <@U0TOMAS> · {TEXT} · due Wed 25 Nov 2026 · could also change: alerts may double" in shown
    assert "2 · <@U0TOMAS> · write it down · declined: no time" in shown


def test_as_they_surface_nothing_is_parked(room: Room):
    incident = an_incident(room)
    mitigated(room, incident)
    room.change(lambda db: planned(db, incident, NOVEMBER_18))
    room.serve(facilitating.start, where=HERE, by=MARA)

    assert "is parked" not in propose(room)


def test_without_a_meeting_to_come_nothing_is_parked(parking: Room):
    parking.serve(facilitating.start, where=HERE, by=MARA)
    parking.serve(facilitating.end, where=HERE, by=MARA)

    assert "is parked" not in propose(parking)


def test_no_actions_is_said_to_be_a_good_outcome(parking: Room):
    parking.serve(facilitating.start, where=HERE, by=MARA)

    assert "No action was noted so far, and that can be the right outcome." in go_to(parking, "actions")


# Showing


def numbers(room: Room, which: str | None, *, by: UserId = MARA, where: Where | None = HERE) -> list[str]:
    said = room.serve(following_up.show_actions, where=where, by=by, which=which)
    return [line.split("*")[1] for line in said.splitlines() if line.startswith("*")]


def test_the_lists_show_what_they_say(room: Room):
    an_incident(room)
    propose(room, owner=MARA)
    propose(room, owner=TOMAS, due_words="2026-12-24")
    propose(room, owner=TOMAS)
    move(room, "decline", "no", number=3)
    an_incident(room, channel=ELSEWHERE.place.channel)
    propose(room, where=ELSEWHERE, owner=TOMAS, due_words="2026-12-25")
    room.pass_time(days=8)

    shown = {which: numbers(room, which) for which in ("mine", "open", "overdue", "all", None)}

    assert shown == {"mine": ["1"], "open": ["1", "2"], "overdue": ["1"], "all": ["1", "2", "3"], None: ["1", "2"]}
    assert numbers(room, "mine", by=TOMAS, where=None) == numbers(room, None, by=TOMAS, where=None) == ["2", "4"]
    assert numbers(room, "open", where=None) == ["1", "2", "4"]


def test_lists_never_show_what_is_private(room: Room):
    a_private_incident(room)

    assert numbers(room, "all", by=MARA, where=None) == ["1"]
    assert numbers(room, "all", by=OUTSIDER, where=None) == []


def test_an_unknown_list_or_step_names_those_there_are(room: Room):
    an_incident(room)
    propose(room)

    with pytest.raises(refusal.UnknownVerb, match="Did you mean `actions mine`, `actions open`"):
        numbers(room, "late")
    with pytest.raises(refusal.UnknownVerb, match="Did you mean `action 1 commit`"):
        move(room, "comit")


# The emoji that proposes


def react(room: Room, ts: str, *, by: UserId = TOMAS, name: str = "clipboard") -> None:
    reaction = Reaction(
        team_id=TEAM, channel_id=CHANNEL, ts=ts, user_id=by, name=name, changed_ts=f"{room.now.timestamp():.6f}"
    )
    room.change(lambda db: db.add(reaction))
    room.serve(following_up.propose_from_reaction, channel=CHANNEL, ts=ts)


def unreact(room: Room, ts: str) -> None:
    room.change(
        lambda db: [
            setattr(reaction, "removed_at", room.now) for reaction in actions.reactions_held(db, TEAM, CHANNEL, ts)
        ]
    )
    room.serve(following_up.propose_from_reaction, channel=CHANNEL, ts=ts)


def test_a_clipboard_proposes_an_action_from_the_message(room: Room):
    an_incident(room)
    ts = a_message(room, "alert at 80 %\nof the disk", by=MARA)

    react(room, ts, by=TOMAS, name="clipboard::skin-tone-2")
    react(room, ts, by=PRIYA)

    found = every_action(room)
    assert [(each.text, each.owner, each.state) for each in found] == [("alert at 80 % of the disk", TOMAS, "proposed")]


def test_other_emoji_and_those_of_programs_propose_nothing(room: Room):
    an_incident(room)
    ts = a_message(room, "alert at 80 % of the disk")

    react(room, ts, name="pushpin")
    react(room, ts, by=UserId("U0DEBRIEF"))

    assert every_action(room) == []


def test_a_proposal_goes_with_its_emoji_and_comes_back_under_its_number(room: Room):
    an_incident(room)
    ts = a_message(room, "alert at 80 % of the disk")
    react(room, ts)

    unreact(room, ts)
    gone = every_action(room)
    react(room, ts, by=PRIYA)

    assert gone == []
    assert action(room).owner == PRIYA


def test_a_message_from_before_the_incident_proposes_nothing(room: Room):
    an_incident(room)
    ts = a_message(room, "alert at 80 % of the disk", at=room.now - timedelta(minutes=1))

    react(room, ts)

    assert every_action(room) == []


def test_a_promise_outlives_its_emoji(room: Room):
    an_incident(room)
    ts = a_message(room, "alert at 80 % of the disk")
    react(room, ts)
    room.pass_time(days=2)
    move(room, "commit")

    unreact(room, ts)

    assert action(room).state == "committed"


def test_a_form_s_action_does_not_go_with_an_emoji(room: Room):
    an_incident(room)
    ts = a_message(room, "alert at 80 % of the disk")
    propose(room, channel=CHANNEL, ts=ts)
    react(room, ts)

    unreact(room, ts)

    assert action(room).withdrawn_at is None

"""The forms: what they ask, and what the answers come to."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bot import following_up, noting, revising, tracking
from bot.listeners import blocks, forms
from bot.listeners.deeds import Deed, Needs
from bot.listeners.edge import Gesture
from bot.listeners.forms import FORMS, Memory
from bot.review.findings import FindingKind
from bot.review.follow_up import ActionWords, Horizon
from bot.review.incident import Place
from bot.review.lifecycle import Role
from bot.review.refusal import NoSuchAction
from storage.models import Change, Membership
from tests.cast import CHANNEL, HERE, MARA, OUTSIDER, TEAM, TOMAS, Room, a_room, an_incident


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    room = a_room(tmp_path)
    yield room
    room.storage.close()


def fields(room: Room, memory: Memory) -> dict[str, Any]:
    """The fields of a form by their names."""
    view = room.desk.look(forms.build, gesture=Gesture(MARA, Place(CHANNEL)), memory=memory)
    return {block["block_id"]: block for block in view["blocks"] if block["type"] == "input"}


def filled(**answers: dict[str, Any]) -> dict[str, Any]:
    """A sent form's answers, as they are read."""
    return blocks.values({"state": {"values": {name: {name: state} for name, state in answers.items()}}})


def test_an_action_may_say_which_findings_it_answers(room: Room):
    memory = Memory(form="action", incident=an_incident(room), channel=CHANNEL)
    room.serve(noting.note_finding, where=HERE, by=MARA, kind=FindingKind.risk, text="one person knows the failover")
    chosen = {"type": "multi_static_select", "selected_options": [{"value": "1"}]}

    asked = fields(room, memory)["answers"]["element"]["options"]
    deed = FORMS["action"].deed(filled(text={"value": "Train a second person"}, answers=chosen), memory)

    assert [(option["value"], option["text"]["text"]) for option in asked] == [("1", "1 one person knows the failover")]
    wording = ActionWords(None, None, None, "Train a second person", second_order="", answers=(1,))
    assert deed == Deed(following_up.propose, {"wording": wording})


def test_where_nothing_was_found_yet_no_action_is_asked_what_it_answers(room: Room):
    asked = fields(room, Memory(form="action", incident=an_incident(room), channel=CHANNEL))

    assert {"second_order", "team"} < set(asked)
    assert "answers" not in asked


def test_three_sentences_are_asked_as_the_summary_says_them_and_become_its_lines(room: Room):
    memory = Memory(form="summary", incident=an_incident(room), channel=CHANNEL)
    room.serve(tracking.set_summary, where=HERE, by=MARA, text="It crawled.\nOrders failed.\nWe rolled back.")

    asked = {name: field["element"].get("initial_value") for name, field in fields(room, memory).items()}
    answers = filled(happened={"value": "It crawled for an hour."}, fixed={"value": "We rolled back."})

    assert asked == {"happened": "It crawled.", "felt": "Orders failed.", "fixed": "We rolled back."}
    assert FORMS["summary"].deed(answers, memory) == Deed(
        tracking.set_summary, {"text": "It crawled for an hour.\n\nWe rolled back."}
    )


@pytest.mark.parametrize("role", list(Role))
def test_a_part_that_somebody_leaves_is_given_in_a_form_to_whoever_presses_unless_they_choose_another(
    room: Room, role: Role
):
    memory = Memory(form="role", incident=an_incident(room), channel=CHANNEL, word=role.value)
    answers = filled(owner={"type": "users_select", "selected_user": TOMAS})

    asked = fields(room, memory)["owner"]
    deed = FORMS["role"].deed(answers, memory)

    assert forms.wanted(role.value, "form") == "role"
    assert (asked["label"]["text"], asked["element"]["initial_user"]) == (f"The {role} from now on", MARA)
    assert deed == Deed(tracking.take_role, {"role": role, "user": TOMAS})


def test_an_action_is_handed_over_in_a_form_from_anywhere(room: Room):
    an_incident(room)
    room.serve(following_up.propose, where=HERE, by=MARA, wording=ActionWords(MARA, None, None, "Train somebody"))
    memory = Memory(form="owner", number=1)
    answers = filled(owner={"type": "users_select", "selected_user": TOMAS})

    asked = fields(room, memory)
    deed = FORMS["owner"].deed(answers, memory)

    assert forms.wanted("action", "1 owner") == "owner"
    assert "owner" in forms.ANYWHERE
    assert list(asked) == ["owner"]
    assert deed == Deed(following_up.move, {"number": 1, "step": "owner", "text": TOMAS}, needs=Needs.nothing)


def test_one_thing_learned_is_a_learning_of_whoever_says_it(room: Room):
    memory = Memory(form="learning", incident=an_incident(room), channel=CHANNEL)
    answers = filled(
        text={"value": "pools are small"}, sort={"type": "static_select", "selected_option": {"value": "technical"}}
    )

    deed = FORMS["learning"].deed(answers, memory)

    assert deed == Deed(noting.note_finding, {"kind": FindingKind.learning, "text": "technical: pools are small"})
    assert set(fields(room, memory)) == {"text", "sort"}


def test_the_buttons_of_the_close_open_their_forms():
    assert [forms.wanted(verb, "form") for verb in ("summary", "learning")] == ["summary", "learning"]
    assert [forms.wanted(verb, "") for verb in ("question", "summary", "learning")] == ["finding", None, "finding"]


def test_an_action_proposed_from_a_finding_answers_it(room: Room):
    memory = Memory(form="action_for", incident=an_incident(room), channel=CHANNEL, number=2)
    for text in ("retries without a limit", "one person knows the failover"):
        room.serve(noting.note_finding, where=HERE, by=MARA, kind=FindingKind.risk, text=text)

    asked = fields(room, memory)["answers"]["element"]

    assert [option["value"] for option in asked["initial_options"]] == ["2"]


def test_an_action_proposed_at_a_stop_comes_from_its_event():
    memory = Memory(form="action_at", channel=CHANNEL, number=7)

    deed = FORMS["action_at"].deed(filled(text={"value": "Train a second person"}), memory)

    wording = ActionWords(None, None, None, "Train a second person", second_order="", event=7)
    assert deed == Deed(following_up.propose, {"wording": wording})


def test_reshaping_begins_with_the_action_as_it_is(room: Room):
    an_incident(room)
    wording = ActionWords(MARA, "2026-12-01", Horizon.long, "write it down", priority="high", team="Storage")
    room.serve(following_up.propose, where=HERE, by=MARA, wording=wording)

    asked = {name: field["element"] for name, field in fields(room, Memory(form="reshape", number=1)).items()}

    assert asked["text"]["initial_value"] == "write it down"
    assert asked["owner"]["initial_user"] == MARA
    assert asked["due"]["initial_date"] == "2026-12-01"
    assert [asked[name]["initial_option"]["value"] for name in ("horizon", "priority")] == ["long", "high"]


def test_what_is_said_in_a_reason_s_form_is_a_step_of_its_action():
    deed = FORMS["decline"].deed(filled(text={"value": "no time"}), Memory(form="decline", number=3))

    assert deed == Deed(following_up.move, {"number": 3, "step": "decline", "text": "no time"}, needs=Needs.nothing)


@pytest.mark.parametrize(
    ("typed", "form"),
    [
        ("", "action"),
        ("3 done", "evidence"),
        ("#3 edit", "reshape"),
        ("3 decline", "decline"),
        ("3 block", "block"),
        ("for 3", "action_for"),
        ("at 7", "action_at"),
        ("3", None),
        ("3 commit", None),
        ("3 decline no time", None),
        ("for 3 <@U0MARA> write it down", None),
    ],
)
def test_what_needs_more_than_a_word_opens_a_form(typed: str, form: str | None):
    assert forms.wanted("action", typed) == form


@pytest.mark.parametrize("form", ["reshape", "decline", "block", "evidence"])
def test_the_form_of_a_private_action_is_to_others_that_of_one_there_is_not(room: Room, form: str):
    an_incident(room, private=room.now)
    room.change(lambda db: db.add(Membership(team_id=TEAM, channel_id=CHANNEL, user_id=MARA)))
    wording = ActionWords(MARA, None, None, "write it down")
    room.serve(following_up.propose, where=HERE, by=MARA, wording=wording)
    opened = Gesture(OUTSIDER, Place(CHANNEL))
    refusals = []

    assert fields(room, Memory(form=form, number=1))
    for number in (1, 2):
        with pytest.raises(NoSuchAction) as refused:
            room.desk.look(forms.build, gesture=opened, memory=Memory(form=form, number=number))
        refusals.append(str(refused.value).replace(str(number), "N"))

    assert refusals[0] == refusals[1]


def test_the_form_of_a_finding_shows_what_stands_and_sent_as_it_is_changes_nothing(room: Room):
    memory = Memory(form="finding_edit", incident=an_incident(room), channel=CHANNEL, number=1)
    room.serve(noting.note_finding, where=HERE, by=MARA, kind=FindingKind.contributor, text="external: DNS was slow")

    asked = fields(room, memory)
    kind, sort = (asked[name]["element"]["initial_option"] for name in ("kind", "sort"))
    deed = FORMS["finding_edit"].deed({"kind": kind["value"], "sort": sort["value"], "text": "DNS was slow"}, memory)
    room.serve(deed.ability, where=HERE, by=MARA, **deed.what)

    assert asked["text"]["element"]["initial_value"] == "DNS was slow"
    assert room.ask(lambda db: db.query(Change).filter_by(subject="finding").count()) == 0


def test_a_finding_is_merged_with_those_that_were_ticked(room: Room):
    memory = Memory(form="finding_merge", incident=an_incident(room), channel=CHANNEL, number=2)
    for text in ("one person knows the failover", "only Ada knows it", "the runbook is old"):
        room.serve(noting.note_finding, where=HERE, by=MARA, kind=FindingKind.risk, text=text)

    options = [option["value"] for option in fields(room, memory)["others"]["element"]["options"]]
    deed = FORMS["finding_merge"].deed({"others": ["1"]}, memory)

    assert options == ["1", "3"]
    assert deed == Deed(revising.merge, {"number": 2, "others": [1]})


@pytest.mark.parametrize(
    ("rest", "form"),
    [("3 edit", "finding_edit"), ("3 merge", "finding_merge"), ("3", None), ("3 edit it was so", None)],
)
def test_a_finding_opens_a_form_where_words_are_missing(rest: str, form: str | None):
    assert forms.wanted("finding", rest) == form

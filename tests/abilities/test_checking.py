from datetime import UTC, datetime, timedelta

import pytest

from bot import checking, following_up, formats, reminding
from bot.desk import House
from bot.listeners.words import look_up
from bot.review.follow_up import ActionWords, Horizon
from bot.review.incident import ChannelId, Place, UserId
from bot.review.refusal import AnotherStep, NoSuchAction, NotYours, UnknownVerb
from storage import actions, incidents, reviews
from storage.incidents import Where
from storage.models import Action, Membership
from tests.cast import HERE, JONAS, MARA, OUTSIDER, PRIYA, TEAM, TOMAS, Room, an_incident

TEXT = "write the runbook for a full disk"
DONE = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
SECRET = Where(Place(ChannelId("C0SECRET")))


def done(room: Room, *, where: Where = HERE, owner: UserId = TOMAS) -> None:
    """Action 1 of Tomas, proposed, and done on a Monday."""
    room.serve(following_up.propose, where=where, by=MARA, wording=ActionWords(owner, None, Horizon.quick, TEXT))
    room.now = DONE
    room.serve(following_up.finish, by=owner, number=1, evidence={"deployed": "https://example.com/7"})


def answer(room: Room, words: str, *, by: UserId = TOMAS) -> str:
    return room.serve(checking.answer, by=by, number=1, words=words)


def asked(room: Room, *days: int) -> list[int]:
    """On which of these days after it was done, in the morning of Tomas, he is asked."""
    heard: list[int] = []
    for day in days:
        room.now = DONE + timedelta(days=day)
        before = len(room.transcript(TOMAS))
        room.serve(reminding.remind_due)
        heard += [day] * (len(room.transcript(TOMAS)) - before)
    return heard


def test_a_month_after_it_was_done_its_owner_is_asked_whether_it_worked(room: Room):
    an_incident(room)
    done(room)

    assert asked(room, 1, 28, 29, 30, 31, 37) == [30]
    assert room.transcript(TOMAS)[-1].split("\n\n")[:2] == [
        "One action needs a word from you.",
        f"*Action 1* was done a month ago: {TEXT}. Did it work?",
    ]


def test_on_a_weekend_nobody_is_asked(room: Room):
    an_incident(room)
    done(room)
    room.change(lambda db: setattr(first(db), "done_at", DONE - timedelta(days=2)))

    assert asked(room, 28 - 2, 29 - 2, 30 - 2) == [28]


def first(db):
    found = actions.by_number(db, TEAM, 1, MARA)
    assert found
    return found[0]


@pytest.mark.parametrize(("said", "days"), [("yes", [30]), ("no", [30]), ("unsure", [30, 91]), (None, [30, 91])])
def test_it_is_asked_again_after_three_months_where_nobody_knows(room: Room, said: str | None, days: list[int]):
    an_incident(room)
    done(room)
    heard = asked(room, 30)
    if said:
        answer(room, said)

    assert heard + asked(room, 60, 91, 92, 150) == days


def test_of_what_was_withdrawn_or_cancelled_since_nobody_is_asked(room: Room):
    incident = an_incident(room)
    done(room)
    room.change(lambda db: setattr(reviews.of(db, incidents.get(db, incident)), "cancelled_at", room.now))
    cancelled = asked(room, 30)
    room.change(lambda db: setattr(reviews.of(db, incidents.get(db, incident)), "cancelled_at", None))
    room.change(lambda db: setattr(db.get_one(Action, 1), "withdrawn_at", room.now))
    withdrawn = asked(room, 30)
    room.change(lambda db: setattr(db.get_one(Action, 1), "withdrawn_at", None))

    assert (cancelled, withdrawn, asked(room, 30)) == ([], [], [30])


def test_the_second_time_says_that_it_is_the_last(room: Room):
    an_incident(room)
    done(room)

    asked(room, 30, 91)

    assert "three months ago" in room.transcript(TOMAS)[-1]
    assert "I ask no more after this." in room.transcript(TOMAS)[-1]


def test_the_buttons_type_what_can_be_typed(room: Room):
    an_incident(room)
    done(room)
    asked(room, 30)

    verb, rest = look_up("action 1 worked no")
    deed = verb.deed(rest)
    said = room.serve(deed.ability, by=TOMAS, **deed.what)

    assert "it did not work as hoped" in said


def test_the_answer_is_kept_with_its_history_and_shown(room: Room):
    incident = an_incident(room)
    done(room)
    room.now = DONE + timedelta(days=30)

    answer(room, "no")
    answer(room, "no")
    answer(room, "yes", by=MARA)

    assert room.ask(said_of_it, incident) == [(None, "no", TOMAS), ("no", "yes", MARA)]
    assert "Did it work? Yes." in room.serve(following_up.show, by=PRIYA, number=1)
    assert room.ask(lambda db: (first(db).worked, first(db).worked_at)) == ("yes", room.now)


def said_of_it(db, incident: int) -> list[tuple[str | None, str | None, str | None]]:
    history = incidents.changes(db, incident, "action")
    return [(row.before, row.after, row.by) for row in history if row.what == "worked"]


def test_what_did_not_work_may_be_opened_again_for_a_new_day(room: Room):
    an_incident(room)
    done(room)
    room.now = DONE + timedelta(days=30)
    answer(room, "no")

    said = room.serve(following_up.move, by=TOMAS, number=1, step="begin")

    assert "Action 1 is in progress, due Wed 30 Dec 2026." in said
    assert room.ask(lambda db: first(db).worked) is None


def test_the_report_tells_whether_it_worked_until_it_is_opened_again(room: Room):
    incident = an_incident(room)
    done(room)
    answer(room, "no")
    told = room.ask(formats.markdown, TEAM, incident, House())

    room.serve(following_up.move, by=TOMAS, number=1, step="begin")

    assert ", done, quick fix, did it work: not really" in told
    assert "did it work" not in room.ask(formats.markdown, TEAM, incident, House())


def test_what_is_done_anew_is_asked_about_anew(room: Room):
    an_incident(room)
    done(room)
    heard = asked(room, 30)
    room.serve(following_up.move, by=TOMAS, number=1, step="begin")
    room.serve(following_up.finish, by=TOMAS, number=1, evidence={"deployed": "https://example.com/8"})

    assert heard + asked(room, 45, 60) == [30, 60]


def test_whether_it_worked_is_not_said_of_what_is_not_done(room: Room):
    an_incident(room)
    room.serve(following_up.propose, where=HERE, by=MARA, wording=ActionWords(TOMAS, None, Horizon.quick, TEXT))

    with pytest.raises(AnotherStep):
        answer(room, "yes")


def test_other_words_are_answered_with_those_that_are_known(room: Room):
    an_incident(room)
    done(room)

    with pytest.raises(UnknownVerb) as refused:
        answer(room, "perhaps")

    assert "`action 1 worked yes`, `action 1 worked no` or `action 1 worked unsure`" in refused.value.sentence()


def test_who_has_no_hand_in_it_does_not_say_it(room: Room):
    an_incident(room)
    done(room)

    with pytest.raises(NotYours):
        answer(room, "yes", by=JONAS)


def test_a_private_action_is_not_there_for_outsiders(room: Room):
    an_incident(room, channel=SECRET.place.channel, private=room.now)
    room.change(lambda db: db.add(Membership(team_id=TEAM, channel_id=SECRET.place.channel, user_id=MARA)))
    done(room, where=SECRET, owner=MARA)

    with pytest.raises(NoSuchAction):
        answer(room, "yes", by=OUTSIDER)


def test_who_was_taken_out_of_a_private_incident_is_not_asked(room: Room):
    an_incident(room, channel=SECRET.place.channel, private=room.now)
    inside = [Membership(team_id=TEAM, channel_id=SECRET.place.channel, user_id=user) for user in (MARA, TOMAS)]
    room.change(lambda db: db.add_all(inside))
    done(room, where=SECRET)
    room.change(lambda db: setattr(db.get_one(Membership, 2), "left_at", room.now))

    assert asked(room, 30, 91) == []

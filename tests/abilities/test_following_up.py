from datetime import UTC, date, datetime, timedelta

import pytest

from bot import following_up
from bot.review import refusal
from bot.review.incident import ChannelId, Place, UserId
from storage import actions, incidents, outbox, people, reviews
from storage.incidents import Where
from storage.models import Action, Membership, Reaction
from tests.cast import CHANNEL, HERE, JONAS, MARA, OUTSIDER, PRIYA, TEAM, TOMAS, Room, a_message, an_incident, mitigated

TEXT = "write the runbook for a full disk"
SECRET, ELSEWHERE = (Where(Place(ChannelId(channel))) for channel in ("C0SECRET", "C0OTHER"))
EVERYTHING = {"deployed": "https://deploys.example.com/7", "tested": "in staging", "documented": "in the wiki"}


def propose(room: Room, *, owner: UserId = TOMAS, text: str = TEXT, horizon: str | None = "quick", **more) -> str:
    facts = {"where": HERE, "by": MARA, "owner": owner, "text": text, "horizon": horizon} | more
    return room.serve(following_up.propose, **facts)


def every_action(room: Room) -> list[Action]:
    return room.change(lambda db: [each for each, _ in actions.seen_by(db, TEAM, MARA)])


def move(room: Room, step: str, text: str = "", *, by: UserId = TOMAS, number: int = 1) -> str:
    return room.serve(following_up.move, by=by, number=number, step=step, text=text)


def action(room: Room, number: int = 1) -> Action:
    found = room.change(lambda db: actions.by_number(db, TEAM, number, MARA))
    assert found
    return found[0]


def committed(room: Room) -> None:
    """Action 1, quick, of Tomas, promised once it has rested."""
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
        "<@U0TOMAS> owns it and it is due Wed 25 Nov 2026. It rests until Fri 20 Nov 2026, then I ask them to commit "
        "to it, reshape it or decline it."
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
        ({"text": "  "}, refusal.NeedsText),
        ({"due_words": "soonish"}, refusal.UnreadableDay),
        ({"due_words": "2026-11-17"}, refusal.InThePast),
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


def test_an_action_is_not_promised_before_it_has_rested(room: Room):
    an_incident(room)
    propose(room)
    room.pass_time(days=1)

    with pytest.raises(refusal.StillSoaking, match="from Fri 20 Nov 2026 on"):
        move(room, "commit")


def test_a_step_that_does_not_follow_is_refused(room: Room):
    an_incident(room)
    propose(room)

    with pytest.raises(refusal.AnotherStep):
        move(room, "begin")


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


# Reminding


def live_through(room: Room, *, until: datetime, hours: int = 1) -> list[tuple[str, str]]:
    """Let the clock ask every hour; each message with the moment it came."""
    said: list[tuple[str, str]] = []
    while room.now < until:
        before = len(room.transcript())
        room.serve(following_up.remind_due)
        said += [(f"{room.now:%a %d %H:%M}", text.split("\n\n")[1]) for text in room.transcript()[before:]]
        room.pass_time(hours=hours)
    return said


def test_a_month_of_reminders(room: Room):
    an_incident(room, lead=MARA)
    propose(room, owner=TOMAS)
    room.serve(following_up.remind_due)
    room.pass_time(days=2)
    move(room, "commit")

    said = live_through(room, until=datetime(2026, 12, 24, 0, 0, tzinfo=UTC))

    assert said == [
        ("Mon 23 09:00", f"*Action 1* is due Wed 25 Nov 2026: {TEXT}."),
        ("Wed 25 09:00", f"*Action 1* is due today: {TEXT}."),
        (
            "Wed 02 09:00",
            (
                f"*Action 1* was due Wed 25 Nov 2026, 7 days ago: {TEXT}.\n"
                "What is in the way: unclear requirements, competing priorities, or too few hands? `/review action 1 "
                "block REASON` says so, `/review action 1 due DATE` plans it again."
            ),
        ),
        (
            "Wed 09 08:00",
            (
                f"*Action 1* of <@U0TOMAS> is 14 days late: {TEXT}. A word with them may show whether to clarify, plan "
                "again or get help."
            ),
        ),
        ("Wed 09 09:00", f"*Action 1* was due Wed 25 Nov 2026, 14 days ago: {TEXT}."),
        ("Wed 16 09:00", f"*Action 1* was due Wed 25 Nov 2026, 21 days ago: {TEXT}."),
        ("Wed 23 09:00", f"*Action 1* was due Wed 25 Nov 2026, 28 days ago: {TEXT}."),
    ]


def test_a_reminder_says_why_it_came_and_how_to_stop_it(room: Room):
    an_incident(room)
    committed(room)

    live_through(room, until=datetime(2026, 11, 24, tzinfo=UTC))

    assert room.transcript(TOMAS)[0].splitlines()[-1] == (
        "You get this because these actions are yours; one message a morning at most. It stops once an action is done "
        "(`/review action N done`), declined (`decline REASON`) or moved to another day (`due DATE`)."
    )


def test_a_persons_reminders_of_a_day_come_in_one_message(room: Room):
    an_incident(room)
    for _ in range(3):
        propose(room)
    room.now = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)

    for _ in range(3):
        room.serve(following_up.remind_due)

    assert [text.count("has rested") for text in room.transcript(TOMAS)] == [3]


def test_a_proposal_that_has_rested_is_asked_about_twice_at_most(room: Room):
    an_incident(room)
    propose(room, horizon="long")

    said = live_through(room, until=datetime(2026, 12, 31, tzinfo=UTC))

    assert [when for when, _ in said] == ["Fri 20 09:00", "Fri 27 09:00"]


def test_after_days_of_silence_one_message_comes(room: Room):
    an_incident(room)
    committed(room)

    room.now = datetime(2026, 12, 8, 9, 0, tzinfo=UTC)
    said = live_through(room, until=datetime(2026, 12, 9, 8, tzinfo=UTC))

    assert [when for when, _ in said] == ["Tue 08 09:00"]


def test_a_new_day_starts_a_new_ladder(room: Room):
    an_incident(room)
    committed(room)
    live_through(room, until=datetime(2026, 11, 26, tzinfo=UTC))

    move(room, "due", "2026-12-04")
    said = live_through(room, until=datetime(2026, 12, 7, tzinfo=UTC))

    assert [text for _, text in said] == [
        f"*Action 1* is due Fri 04 Dec 2026: {TEXT}.",
        f"*Action 1* is due today: {TEXT}.",
    ]


def test_who_is_given_an_action_hears_of_it_the_next_morning(room: Room):
    an_incident(room)
    propose(room, owner=TOMAS, horizon="long")
    move(room, "owner", f"<@{PRIYA}|priya>")

    said = live_through(room, until=datetime(2026, 11, 20, tzinfo=UTC))

    assert said == [("Thu 19 04:00", f"*Action 1* is with you now: {TEXT}. It is due Fri 18 Dec 2026.")]


@pytest.mark.parametrize("end", ["decline", "done", "cancel", "withdraw"])
def test_what_is_settled_says_nothing(room: Room, end: str):
    incident = an_incident(room)
    committed(room)

    if end == "decline":
        move(room, "decline", "no")
    elif end == "done":
        move(room, "done", "https://deploys.example.com/7")
    elif end == "cancel":
        room.change(lambda db: cancel(db, incident, room.now))
    else:
        room.change(lambda db: [setattr(each, "withdrawn_at", room.now) for each in actions.of_incident(db, incident)])

    assert live_through(room, until=datetime(2026, 12, 1, tzinfo=UTC)) == []


def cancel(db, incident: int, now: datetime) -> None:
    reviews.of(db, incidents.get(db, incident)).cancelled_at = now


def test_the_lead_hears_of_an_owner_who_has_left(room: Room):
    an_incident(room, lead=MARA)
    committed(room)
    gone = {"name": "Tomas", "zone": "Europe/London", "email": None, "bot": None, "gone": room.now, "now": room.now}
    room.change(lambda db: people.know(db, TEAM, TOMAS, **gone))

    live_through(room, until=datetime(2026, 11, 27, tzinfo=UTC))

    assert room.transcript(TOMAS) == []
    assert [text.count("has an owner I cannot reach, <@U0TOMAS>") for text in room.transcript(MARA)] == [1]


def test_nobody_is_reminded_of_a_private_incident_they_are_not_part_of(room: Room):
    a_private_incident(room, owner=OUTSIDER)
    propose(room, where=SECRET, owner=MARA)

    live_through(room, until=datetime(2026, 11, 27, tzinfo=UTC))

    assert room.transcript(OUTSIDER) == []
    assert [text.count("*Action 2* has rested") for text in room.transcript(MARA)] == [0, 1]


def test_who_was_told_something_today_is_left_in_peace(room: Room):
    an_incident(room)
    propose(room, owner=MARA)
    room.now = datetime(2026, 11, 20, 7, 0, tzinfo=UTC)
    told = outbox.Words(key="proposal:1", channel=MARA, text="When shall we meet?", at=room.now)
    room.change(lambda db: outbox.say_once(db, TEAM, told))

    said = live_through(room, until=room.now + timedelta(days=4))

    assert [when for when, _ in said] == ["Mon 23 08:00"]


def test_two_replicas_that_ask_at_once_say_it_once(room: Room):
    an_incident(room)
    propose(room)
    room.now = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
    asked_about = action(room)
    taken = room.change(lambda db: [actions.climb(db, asked_about, "soak:1", now=room.now) for _ in range(2)])

    room.serve(following_up.remind_due)

    assert (taken, room.transcript()) == ([True, False], [])

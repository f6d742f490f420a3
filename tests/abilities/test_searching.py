from datetime import date, timedelta

import pytest
from sqlalchemy.orm import Session

from bot import reporting, searching
from bot.desk import Turn
from bot.render import Renderer
from bot.review import refusal
from bot.review.incident import ChannelId, Place, UserId
from bot.review.lifecycle import Role
from storage import actions, attending, incidents, reviews
from storage.actions import Proposal
from storage.incidents import Where
from storage.models import Membership
from tests.cast import MARA, OUTSIDER, TEAM, TOMAS, Room, a_message, an_incident

SECRET = ChannelId("C0SECRET")


def search(room: Room, words: str, *, by: UserId = TOMAS, **more: int) -> str:
    return room.serve(searching.find, by=by, words=words, **more)


def test_search_names_the_review_links_the_message_and_marks_what_was_found(room: Room):
    an_incident(room, title="Disk <b>full</b>")
    ts = a_message(room, "the disk, <@U0MARA>: is full & slow")

    answer = search(room, "disk")

    link = f"https://sandbox.example.com/archives/C0INC/p{ts.replace('.', '')}"
    assert answer == (
        "2 places with “disk”:\n\n"
        "*Disk &lt;b&gt;full&lt;/b&gt;* · title\n\n"
        f"*Disk &lt;b&gt;full&lt;/b&gt;* · <{link}|message>: the *disk*, @Mara: is full &amp; slow"
    )


@pytest.mark.parametrize("text", ["a*disk*b", "`disk`", "_disk_", "~disk"])
def test_what_was_found_among_signs_of_markup_is_not_marked(room: Room, text: str):
    an_incident(room)
    a_message(room, f"it is {text} here")

    assert search(room, "disk").endswith(f"message>: it is {text} here")


@pytest.mark.parametrize("text", ["<!channel>disk", "disk>&", "<https://evil.example.com|disk>", "disk\n# disk"])
def test_what_was_found_is_escaped_as_all_else_is(room: Room, text: str):
    an_incident(room)
    a_message(room, text)

    shown = search(room, "disk").partition("message>: ")[2]

    escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("\n", " ")
    assert shown.replace("*", "") == escaped


def test_search_without_words_asks_for_some(room: Room):
    with pytest.raises(refusal.NeedsText):
        search(room, " ")


def test_a_button_shows_the_next_page_and_the_last_has_none(room: Room):
    an_incident(room)
    for number in range(15):
        a_message(room, f"disk {number}", at=room.now + timedelta(seconds=number))

    first = room.answer(searching.find, by=TOMAS, words="disk")
    assert first
    second = room.answer(searching.find, by=TOMAS, words="disk", page=2)
    assert second

    (button,) = [each for block in first.blocks if block["type"] == "actions" for each in block["elements"]]
    assert '"text": "page:2 disk"' in button["value"]
    assert first.text.startswith("The first 10 places")
    assert second.text.startswith("More places")
    assert not [block for block in second.blocks if block["type"] == "actions"]
    assert search(room, "disk", page=9) == "There are no more places with “disk”."


# The Home tab ----------------------------------------------------------------------------------


def home(room: Room, by: UserId) -> str:
    with room.storage.read() as db:
        return Renderer(command="/review").render("home", searching.home(Turn(db, room.now, TEAM, room.house), by)).text


def an_action(room: Room, incident: int, *, owner: UserId = TOMAS) -> None:
    words = Proposal(text="alert on slow queries", owner=owner, due=date(2026, 11, 25), horizon="quick")
    room.change(lambda db: actions.propose(db, incidents.get(db, incident), words, by=MARA, now=room.now))


def a_plan(room: Room, incident: int, *invited: UserId) -> None:
    """A meeting tomorrow at this hour."""

    def plan(db: Session) -> None:
        at = room.now + timedelta(days=1)
        meeting = reviews.add_meeting(db, reviews.of(db, incidents.get(db, incident)), minutes=60)
        meeting.scheduled_at, meeting.meets_at = room.now, at
        for user in invited:
            attending.invite(db, meeting, user, core=at, now=at)

    room.change(plan)


def published(room: Room, incident: int) -> None:
    room.change(lambda db: setattr(reviews.of(db, incidents.get(db, incident)), "published_at", room.now))


def test_home_shows_my_actions_my_reviews_and_recent_reports(room: Room):
    incident = an_incident(room)
    an_action(room, incident)
    a_plan(room, incident, TOMAS)
    published(room, incident)

    assert home(room, TOMAS) == (
        "My open actions\n\n"
        "*1* alert on slow queries · <@U0TOMAS> · proposed, due Wed 25 Nov 2026\n\n"
        "Reviews to come\n\n"
        "Checkout is slow · <!date^1795096800^{date_short_pretty} at {time}|Thu 19 Nov, 14:00 UTC>, 60 min\n\n"
        "Recent reports\n\n"
        "Checkout is slow · published <!date^1795010400^{date_short_pretty} at {time}|Wed 18 Nov, 14:00 UTC>"
    )


def test_home_is_calm_where_there_is_nothing(room: Room):
    assert home(room, TOMAS) == (
        "My open actions\n\nYou have no open actions.\n\n"
        "Reviews to come\n\nNothing is planned with you.\n\n"
        "Recent reports\n\nNo report has been published yet."
    )


def test_home_shows_the_review_that_somebody_is_to_lead_though_not_invited(room: Room):
    incident = an_incident(room)
    a_plan(room, incident)
    before = home(room, TOMAS)

    room.change(
        lambda db: incidents.give_role(db, incidents.get(db, incident), Role.facilitator, TOMAS, by=MARA, now=room.now)
    )

    assert "Checkout is slow" not in before
    assert "Checkout is slow" in home(room, TOMAS)


def test_what_is_private_is_on_no_outsiders_page(room: Room):
    incident = an_incident(room, title="Leaked key", channel=SECRET, private=room.now)
    for member in (MARA, TOMAS):
        room.change(lambda db, member=member: db.add(Membership(team_id=TEAM, channel_id=SECRET, user_id=member)))
    an_action(room, incident, owner=OUTSIDER)
    a_plan(room, incident, TOMAS, OUTSIDER)
    published(room, incident)
    assert "Leaked key" in home(room, TOMAS)
    assert "Leaked key" in search(room, "leaked")

    room.change(lambda db: db.query(Membership).filter_by(user_id=TOMAS).update({"left_at": room.now}))

    for outsider in (TOMAS, OUTSIDER):
        assert "Leaked key" not in home(room, outsider)
        assert "I found nothing" in search(room, "leaked", by=outsider)
        with pytest.raises(refusal.NoIncidentHere):
            room.serve(reporting.report, where=Where(Place(SECRET)), by=outsider)

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy.orm import Session

from bot.review.findings import FindingKind
from bot.review.heard import read_person
from bot.review.incident import ChannelFacts, ChannelId
from storage import channels, findings, incidents, likewise, reviews
from tests.cast import CHANNEL, MARA, PRIYA, TEAM, TOMAS, Room, a_room, an_incident, mitigated

OTHERS = (
    ("Search is slow", "The index was rebuilt in the morning.", "the rebuild had no limit of memory"),
    ("Mails arrive late", "The queue of outgoing mail was full.", "nobody watched the length of the queue"),
    ("Login fails in Asia", "A certificate expired at midnight.", "renewal depended on one person"),
    ("Wrong prices in the shop", "An import wrote cents as euros.", "the importer had no test of rounding"),
    ("Images are missing", "The bucket was made private by a script.", "the script ran with too many rights"),
    ("Reports come twice", "Two workers took the same job.", "the lock lived in memory alone"),
    ("The app crashes at start", "A flag was read before it was there.", "old phones were not tested"),
    ("Payments are refused", "The bank changed its address.", "the address was written into the code"),
    ("Deploys hang", "The registry ran out of disk.", "old images were never deleted"),
)
ALIKE = (
    "Checkout times out",
    "Connections of the payments database ran out after a deploy; a restart of the pool helped.",
    "the pool of connections has no alert",
)


@pytest.fixture
def room(database_url: str, tmp_path: Path) -> Iterator[Room]:
    room = a_room(tmp_path, database_url)
    yield room
    room.storage.close()


def reviewed(room: Room, number: int, said: tuple[str, str, str], *, channel: str = "", **facts: object) -> int:
    title, summary, finding = said
    place = ChannelId(channel or f"C0OLD{number}")
    incident = an_incident(room, title=title, channel=place, **facts)  # type: ignore[arg-type]

    def fill(db: Session) -> None:
        its = incidents.get(db, incident)
        its.summary = summary
        findings.add(db, its, kind=FindingKind.contributor, sort=None, text=finding, by=MARA, event=None, now=room.now)
        reviews.of(db, its).published_at = room.now

    room.change(fill)
    return incident


def now_burning(room: Room) -> int:
    incident = an_incident(room, title="Checkout is slow")
    words = "The database of payments had no connections left; the pool was restarted."
    room.change(lambda db: setattr(incidents.get(db, incident), "summary", words))
    inside = ChannelFacts(channel=CHANNEL, name="inc", members=(MARA, TOMAS))
    room.change(lambda db: channels.enter(db, TEAM, inside, now=room.now))
    return incident


def earlier(room: Room, incident: int) -> list[tuple[str, str]]:
    found = room.ask(lambda db: likewise.earlier(db, incidents.get(db, incident), CHANNEL))
    return [(one.title, one.why) for one in found]


def test_the_one_that_speaks_of_the_same_is_named_with_the_words_they_share(room: Room):
    for number, said in enumerate((*OTHERS, ALIKE)):
        reviewed(room, number, said)
    incident = now_burning(room)
    mitigated(room, incident)

    ((title, why),) = earlier(room, incident)

    assert title == "Checkout times out"
    assert why.startswith("both speak of ")
    assert {"connections", "pool"} <= set(why.removeprefix("both speak of ").split(", "))


def test_nothing_is_named_while_it_burns_nor_among_fewer_than_ten(room: Room):
    for number, said in enumerate((*OTHERS[1:], ALIKE)):
        reviewed(room, number, said)
    incident = now_burning(room)
    mitigated(room, incident)
    among_nine = earlier(room, incident)
    reviewed(room, 10, OTHERS[0])

    room.change(
        lambda db: incidents.set_moment(
            db, incidents.get(db, incident), "mitigated", None, by=MARA, how="set", now=room.now
        )
    )

    assert (among_nine, earlier(room, incident)) == ([], [])


def test_three_are_named_at_most_and_none_that_was_given_up(room: Room):
    for number, said in enumerate(OTHERS):
        reviewed(room, number, said)
    alike = [reviewed(room, 10 + number, (f"Checkout {number}", *ALIKE[1:])) for number in range(5)]
    room.change(lambda db: setattr(reviews.of(db, incidents.get(db, alike[4])), "cancelled_at", room.now))
    room.change(lambda db: setattr(reviews.of(db, incidents.get(db, alike[3])), "skipped_at", room.now))
    incident = now_burning(room)
    mitigated(room, incident)
    titles = {title for title, _ in earlier(room, incident)}

    reviewed(room, 20, ("Checkout once more", *ALIKE[1:]))

    assert titles == {"Checkout 0", "Checkout 1", "Checkout 2"}
    assert len(earlier(room, incident)) == 3


def test_what_one_reader_may_not_see_is_named_to_none(room: Room):
    for number, said in enumerate((*OTHERS, ALIKE)):
        reviewed(room, number, said)
    incident = now_burning(room)
    mitigated(room, incident)
    before = earlier(room, incident)

    guest = read_person({"id": "U0GUEST", "team_id": TEAM, "is_restricted": True})
    assert guest
    room.change(lambda db: channels.keep_person(db, TEAM, guest, now=room.now))
    came = ChannelFacts(channel=CHANNEL, name="inc", members=(MARA, guest.user_id))  # type: ignore[arg-type]
    room.change(lambda db: channels.enter(db, TEAM, came, now=room.now))

    assert (len(before), earlier(room, incident)) == (1, [])


def test_a_private_one_is_named_only_where_everybody_is_in_it_and_nobody_can_walk_in(room: Room):
    for number, said in enumerate(OTHERS):
        reviewed(room, number, said)
    reviewed(room, 9, ALIKE, channel=CHANNEL, private=room.now)
    room.change(lambda db: incidents.stop_listening(db, 10, now=room.now))
    incident = now_burning(room)
    mitigated(room, incident)
    in_a_public_channel = earlier(room, incident)

    room.change(lambda db: channels.make_private(db, TEAM, CHANNEL, at=room.now))
    among_its_own = earlier(room, incident)
    other = ChannelFacts(channel=ChannelId("C0OTHER"), name="other", members=(MARA, PRIYA))
    room.change(lambda db: channels.enter(db, TEAM, other, now=room.now))
    with_others = room.ask(lambda db: likewise.earlier(db, incidents.get(db, incident), CHANNEL, "C0OTHER"))

    assert in_a_public_channel == []
    assert [title for title, _ in among_its_own] == ["Checkout times out"]
    assert with_others == ()

"""Whatever happens to a message, and in whatever order and number we hear of it: what is kept is what Slack shows."""

import itertools
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from bot.keeper import keep_facts
from bot.review.heard import Fact, MessageFact, read_event, read_message, read_reactions
from bot.review.incident import TeamId
from storage import messages, reactions
from storage.models import Incident, Source
from storage.session import Storage

TEAM, CHANNEL = TeamId("T0SANDBOX"), "C0INC"
SECOND = 1_763_474_400
LONGEST_LIFE_S = 100
NOW = datetime(2026, 11, 18, 15, tzinfo=UTC)
WORDS = ["checkout is slow", "checkout is down", "search is down", ""]
PREVIEW = {"from_url": "https://a.example", "id": 1}

Happening = tuple[str, ...]
Keep = Callable[[Session, Sequence[Fact]], None]


# What Slack does ---------------------------------------------------------------------------


@dataclass
class Slack:
    """One message as Slack holds it, every event that Slack sends of it, and pages of history taken on the way."""

    kind: str
    second: int
    told: list[list[Fact]] = field(default_factory=list[list[Fact]])
    texts: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    """Every wording with the time of its edit."""
    emoji: set[tuple[str, str]] = field(default_factory=set[tuple[str, str]])
    now: int = 0

    def __post_init__(self) -> None:
        self.message: dict[str, Any] | None = {"type": "message", "user": "U0TOMAS", "text": WORDS[0], "ts": self.ts}
        if self.kind in {"reply", "broadcast"}:
            self.message["thread_ts"] = f"{SECOND - 60}.000100"
        if self.kind == "broadcast":
            self.message["subtype"] = "thread_broadcast"
        self.texts.append((WORDS[0], ""))
        self._tell(self.message | {"event_ts": self.ts})
        if self.kind == "mention":
            self._tell(self.message | {"event_ts": self.ts, "type": "app_mention"})

    @property
    def ts(self) -> str:
        return f"{self.second}.000100"

    def happens(self, happening: Happening) -> None:
        self.now += 1
        what, *more = happening
        if self.message is None and what != "page":
            return
        getattr(self, f"_{what}")(*more)

    def _edit(self, text: str) -> None:
        assert self.message
        before = self.message
        self.message = before | {"text": text, "edited": {"user": "U0TOMAS", "ts": self._at}}
        self.texts.append((text, self._at))
        self._tell_change(before)

    def _unfurl(self) -> None:
        assert self.message
        before = self.message
        self.message = before | {"attachments": [*before.get("attachments", ()), PREVIEW]}
        self._tell_change(before)

    def _react(self, user: str, name: str) -> None:
        self.emoji.add((name, user))
        self._tell_emoji("reaction_added", user, name)

    def _unreact(self, user: str, name: str) -> None:
        if (name, user) in self.emoji:
            self.emoji.remove((name, user))
            self._tell_emoji("reaction_removed", user, name)

    def _delete(self) -> None:
        before, self.message = self.message, None
        if self.kind == "parent":
            stone = {"user": "USLACKBOT", "subtype": "tombstone", "text": "This message was deleted.", "ts": self.ts}
            self._tell_hidden("message_changed", message=stone, previous_message=before)
        else:
            self._tell_hidden("message_deleted", deleted_ts=self.ts, previous_message=before)

    def _page(self) -> None:
        """History as it is now; a thread's deleted parent is in it as a tombstone, anything else is just not there."""
        shown = self.message
        if shown is None and self.kind == "parent":
            shown = {"type": "message", "subtype": "tombstone", "user": "USLACKBOT", "ts": self.ts, "text": "Deleted."}
        if shown:
            names = sorted({name for name, _ in self.emoji} if self.message else ())
            held = [{"name": n, "users": [user for name, user in self.emoji if name == n]} for n in names]
            said = read_message(shown | {"reactions": held}, CHANNEL)
            self.told.append([*([said] if said else []), *read_reactions(shown | {"reactions": held}, CHANNEL)])

    @property
    def _at(self) -> str:
        return f"{self.second + self.now}.000000"

    def _tell(self, said: dict[str, Any]) -> None:
        self.told.append(read_event({"channel": CHANNEL} | said))

    def _tell_change(self, before: dict[str, Any]) -> None:
        self._tell_hidden("message_changed", message=self.message, previous_message=before)

    def _tell_hidden(self, subtype: str, **more: Any) -> None:
        self._tell({"type": "message", "subtype": subtype, "ts": self._at, "event_ts": self._at} | more)

    def _tell_emoji(self, kind: str, user: str, name: str) -> None:
        item = {"type": "message", "channel": CHANNEL, "ts": self.ts}
        self._tell({"type": kind, "user": user, "reaction": name, "item": item, "event_ts": self._at})

    def shows(self) -> dict[str, Any]:
        """What is to be kept of it in the end."""
        if self.message is None:
            return {"text": "", "previews": 0, "earlier": [], "deleted": True}
        texts = [text for text, _ in self.texts]
        return {
            "text": texts[-1],
            "edited_ts": self.texts[-1][1] or None,
            "previews": len(self.message.get("attachments", ())),
            "thread_ts": self.message.get("thread_ts"),
            "subtype": self.message.get("subtype"),
            "earlier": [text for text, following in itertools.pairwise(texts) if text != following],
            "emoji": self.emoji,
            "deleted": False,
        }


HAPPENINGS = st.one_of(
    st.tuples(st.just("edit"), st.sampled_from(WORDS)),
    st.tuples(st.sampled_from(["react", "unreact"]), st.sampled_from(["U0MARA", "U0JONAS"]), st.sampled_from(["eyes"])),
    st.sampled_from([("unfurl",), ("page",), ("page",), ("delete",)]),
)
KINDS = st.sampled_from(["post", "mention", "parent", "reply", "broadcast"])
seconds = itertools.count(SECOND, LONGEST_LIFE_S)


@dataclass
class Hearing:
    """How we hear of it: the order, what comes again, and how many come together."""

    chance: random.Random

    def of(self, told: list[list[Fact]]) -> Iterator[list[Fact]]:
        heard = told + [again for again in told if self.chance.random() < 0.4]
        self.chance.shuffle(heard)
        while heard:
            together = self.chance.randint(1, 4)
            yield list(itertools.chain(*heard[:together]))
            del heard[:together]


HEARINGS = st.randoms(use_true_random=False).map(Hearing)


# What is kept ------------------------------------------------------------------------------


def kept_as_we_do(db: Session, facts: Sequence[Fact]) -> None:
    keep_facts(db, TEAM, facts, now=NOW)


def kept_by_arrival(db: Session, facts: Sequence[Fact]) -> None:
    """The protection removed: whatever comes last is taken for what Slack shows."""
    for fact in facts:
        if isinstance(fact, MessageFact):
            row = messages.find(db, TEAM, fact.channel, fact.ts)
            if row is None:
                messages.keep(db, TEAM, fact)
            elif fact.content:
                row.text, row.deleted_at = fact.content.text, None
            else:
                row.text, row.deleted_at = "", fact.deleted_at


def check_that_slack_is_kept(
    storage: Storage, kind: str, *, life: list[Happening], hearing: Hearing, keep: Keep = kept_as_we_do
) -> None:
    slack = Slack(kind, next(seconds))
    for happening in life:
        slack.happens(happening)

    for facts in hearing.of(slack.told):
        with storage.keep() as db:
            keep(db, facts)

    expected = slack.shows()
    kept = held(storage, slack.ts)
    assert {name: kept[name] for name in expected} == expected


def held(storage: Storage, ts: str) -> dict[str, Any]:
    with storage.read() as db:
        row = messages.find(db, TEAM, CHANNEL, ts)
        assert row
        emoji = reactions.of(db, [row]).get(row.id, {})
        return {
            "text": row.text,
            "edited_ts": row.edited_ts,
            "previews": len(row.attachments or ()),
            "thread_ts": row.thread_ts,
            "subtype": row.subtype,
            "earlier": [version.text for version in messages.versions_of(db, [row]).get(row.id, [])],
            "emoji": {(name, user) for name, users in emoji.items() for user in users},
            "deleted": row.deleted_at is not None,
        }


@pytest.fixture
def sqlite(sqlite_url: str) -> Iterator[Storage]:
    storage = Storage(sqlite_url)
    listen(storage)
    yield storage
    storage.close()


@pytest.fixture
def postgresql(postgresql_url: str) -> Iterator[Storage]:
    storage = Storage(postgresql_url)
    listen(storage)
    yield storage
    storage.close()


def listen(storage: Storage) -> None:
    with storage.write() as db:
        incident = Incident(team_id=TEAM, title="Checkout", opened_at=NOW)
        db.add(incident)
        db.flush()
        from_at = datetime.fromtimestamp(SECOND, UTC)
        db.add(Source(team_id=TEAM, incident_id=incident.id, channel_id=CHANNEL, from_at=from_at))


QUICK = settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
LIVES = {"kind": KINDS, "life": st.lists(HAPPENINGS, max_size=8), "hearing": HEARINGS}


@settings(QUICK, max_examples=300)
@given(**LIVES)
def test_what_is_heard_in_any_order_and_number_ends_as_slack_shows_it(
    sqlite: Storage, kind: str, life: list[Happening], hearing: Hearing
):
    check_that_slack_is_kept(sqlite, kind, life=life, hearing=hearing)


@pytest.mark.torture
@pytest.mark.timeout(3_600)
@settings(QUICK, max_examples=10_000)
@given(**LIVES)
def test_ten_thousand_lives_of_messages_end_as_slack_shows_them(
    sqlite: Storage, kind: str, life: list[Happening], hearing: Hearing
):
    check_that_slack_is_kept(sqlite, kind, life=life, hearing=hearing)


@pytest.mark.postgres
@settings(QUICK, max_examples=40)
@given(**LIVES)
def test_what_is_heard_in_any_order_and_number_ends_as_slack_shows_it_on_postgresql(
    postgresql: Storage, kind: str, life: list[Happening], hearing: Hearing
):
    check_that_slack_is_kept(postgresql, kind, life=life, hearing=hearing)


def test_whoever_keeps_what_comes_last_is_refuted(sqlite: Storage):
    @settings(QUICK, max_examples=300, database=None, phases=[Phase.generate])
    @given(**LIVES)
    def by_arrival(kind: str, life: list[Happening], hearing: Hearing) -> None:
        life = [happening for happening in life if happening[0] in {"edit", "delete"}]
        check_that_slack_is_kept(sqlite, kind, life=life, hearing=hearing, keep=kept_by_arrival)

    with pytest.raises(AssertionError, match="text"):
        by_arrival()

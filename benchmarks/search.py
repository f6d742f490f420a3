"""Search over 1,000,000 messages of 250 incidents: the first page of rare, common and phrase queries, beside the newest
twenty messages with one word from the same index. The words follow Zipf's law; a tenth of the incidents is private.

`--postgres URL` takes an empty PostgreSQL instead of SQLite; `--messages N` builds fewer.
"""

import argparse
import random
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import accumulate
from pathlib import Path
from typing import Any

from sqlalchemy import (
    ColumnElement,
    String,
    TextClause,
    bindparam,
    column,
    func,
    insert,
    inspect,
    select,
    table,
    text,
)
from sqlalchemy.orm import Session

from bot.review.incident import TeamId, UserId
from storage import messages, people, search
from storage.incidents import visible_to
from storage.models import Action, Channel, Finding, Incident, Membership, Message, Source, TimelineEvent
from storage.session import Storage, upgrade

MESSAGES, INCIDENTS, VOCABULARY = 1_000_000, 250, 30_000
TEAM, SOMEBODY = TeamId("T0BENCH"), UserId("U0SOMEBODY")
BEGAN = datetime(2026, 1, 5, 9, tzinfo=UTC)
A_BATCH = 10_000
WORDS_A_MESSAGE = 30
OF_EACH = {Finding: 15, Action: 10, TimelineEvent: 40}
TIMES = 5
"""So often each query is asked; the first time its pages may be cold."""
QUERIES_A_SORT = 20


def measure() -> None:
    asked = _arguments()
    with tempfile.TemporaryDirectory() as folder:
        url = asked.postgres or f"sqlite:///{Path(folder) / 'debrief.db'}"
        storage, words = Storage(_empty(url)), Words(random.Random(7))
        began = time.monotonic()
        _build(storage, words, asked.messages)
        print(f"built {asked.messages:,} messages in {time.monotonic() - began:.0f} s")
        _compare(storage, words)
        storage.close()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("--postgres")
    parser.add_argument("--messages", type=int, default=MESSAGES)
    return parser.parse_args()


def _empty(url: str) -> str:
    upgrade(url)
    return url


# The messages ------------------------------------------------------------------------------


class Words:
    """A vocabulary of which the first word is said 30,000 times as often as the last."""

    def __init__(self, dice: random.Random) -> None:
        self._dice = dice
        syllables = [a + b for a in "bdfgklmnprstvz" for b in "aeiou"]
        self.all = list(
            dict.fromkeys("".join(dice.choices(syllables, k=dice.choice((2, 3, 4)))) for _ in range(99_000))
        )
        self.all = self.all[:VOCABULARY]
        self._weights = list(accumulate(1 / rank for rank in range(1, VOCABULARY + 1)))

    def sentence(self) -> str:
        return " ".join(self._dice.choices(self.all, cum_weights=self._weights, k=self._dice.randint(10, 50)))

    def of_ranks(self, first: int, last: int, number: int) -> list[str]:
        return self._dice.sample(self.all[first:last], number)


def _build(storage: Storage, words: Words, number: int) -> None:
    with storage.write() as db:
        people.know_workspace(db, TEAM, name="", url="https://x.slack.com/", bot_user="U0BOT", bot_id="B", mark_key="k")
        people.know(db, TEAM, SOMEBODY, name="One", zone="UTC", email=None, bot=None, gone=None, now=BEGAN)
        for incident in range(INCIDENTS):
            _begin(db, incident, words)
    for start in range(0, number, A_BATCH):
        with storage.write() as db:
            db.execute(insert(Message), list(_messages(start, min(start + A_BATCH, number), number, words)))
    with storage.engine.connect() as connection:
        connection.execution_options(isolation_level="AUTOCOMMIT").execute(text("ANALYZE"))


def _begin(db: Session, number: int, words: Words) -> None:
    at, channel = BEGAN + timedelta(days=number), f"C{number:04}"
    is_private = BEGAN if number % 10 == 0 else None
    db.add(Channel(team_id=TEAM, channel_id=channel, name=f"inc-{number}", private_since=is_private))
    incident = Incident(team_id=TEAM, title=words.sentence()[:60], opened_at=at, private_since=is_private)
    incident.summary = words.sentence()
    db.add(incident)
    db.flush()
    db.add(Source(team_id=TEAM, incident_id=incident.id, channel_id=channel, from_at=at))
    if number % 25 == 1:
        db.add(Membership(team_id=TEAM, channel_id=channel, user_id=SOMEBODY))
    of = {"team_id": TEAM, "incident_id": incident.id}
    for each in range(1, 41):
        db.add(
            TimelineEvent(
                **of, number=each, kind="note", occurred_at=at, recorded_at=at, text=words.sentence(), source="typed"
            )
        )
        if each <= 15:
            db.add(Finding(**of, number=each, kind="contributor", text=words.sentence(), by=SOMEBODY, at=at))
        if each <= 10:
            db.add(Action(**of, number=number * 10 + each, text=words.sentence(), owner=SOMEBODY, proposed_at=at))


def _messages(start: int, end: int, number: int, words: Words) -> Iterator[dict[str, Any]]:
    for each in range(start, end):
        incident, place = divmod(each, number // INCIDENTS or 1)
        at = BEGAN + timedelta(days=incident, seconds=place)
        said = words.sentence()
        yield {
            "team_id": TEAM,
            "channel_id": f"C{incident:04}",
            "ts": f"{at.timestamp():.6f}",
            "posted_at": at,
            "user_id": SOMEBODY,
            "text": said,
            "plain": said,
        }


# Asking --------------------------------------------------------------------------------------


def _compare(storage: Storage, words: Words) -> None:
    common, middle, rare = words.of_ranks(0, 20, 20), words.of_ranks(200, 2_000, 20), words.of_ranks(9_000, 30_000, 20)
    sorts = {
        "common": common,
        "middle": middle,
        "rare": rare,
        "phrase": [f'"{" ".join(words.sentence().split()[:2])}"' for _ in range(20)],
        "two common": [f"{one} {other}" for one, other in zip(common, common[1:] + common[:1], strict=True)],
        "several": [f"{one} {other}" for one, other in zip(middle, rare, strict=True)],
    }
    for query in common:  # What is prepared once for each process is not counted, on either side.
        _times(storage, _look_up, [query])
        _times(storage, _page, [query])
    base = _times(storage, _look_up, common + middle + rare)
    print(f"one word looked up: {_told(base)}")
    every: list[float] = []
    for name, queries in sorts.items():
        took = _times(storage, _page, queries)
        every += took
        print(f"{name:<11} {_told(took)}")
    print(f"all of them {_told(every)}: p95 is {_p95(every) / _p95(base):.1f} x that of one word")


def _times(storage: Storage, ask: Callable[[Session, str], Any], queries: Sequence[str]) -> list[float]:
    """Milliseconds of each, in a session of its own; a round before is not counted."""
    took: list[float] = []
    for query in list(queries) * (1 + TIMES):
        with storage.read() as db:
            began = time.perf_counter()
            ask(db, query)
            took.append(1_000 * (time.perf_counter() - began))
    return took[len(queries) :]


def _page(db: Session, words: str) -> Any:
    """What `/review search` shows first."""
    return search.find(db, TEAM, SOMEBODY, words)


def _look_up(db: Session, word: str) -> Any:
    """The newest twenty messages with one word that this person may see: no ranking, no snippets, nothing else."""
    return db.execute(_one_word(db.get_bind().dialect.name), {"word": word}).all()


@cache
def _one_word(dialect: str) -> TextClause:
    """Put into words once, as the search is."""
    index, word = table("message_words", column("rowid"), column("message_words")), bindparam("word", type_=String())
    here = select(Message.id, Message.plain, Message.posted_at, Incident.title)
    if dialect == "sqlite":
        here = here.select_from(index).join(Message, Message.id == text("+message_words.rowid"))
        here = here.where(index.c.message_words.op("MATCH")(word)).order_by(index.c.rowid.desc())
    else:
        words: ColumnElement[Any] = column("words", _selectable=inspect(Message).local_table)
        here = here.where(words.op("@@")(func.to_tsquery(text("'simple'"), word))).order_by(Message.id.desc())
    mine = here.join(Source, messages.in_source()).join(Incident, Incident.id == Source.incident_id)
    query = mine.where(visible_to(SOMEBODY, team=TEAM)).limit(20)
    compiled = query.compile(dialect=search.INDEXES[dialect].dialect(paramstyle="named"))
    given = {name: value for name, value in compiled.params.items() if value is not None}
    return text(str(compiled)).bindparams(**given)


def _p95(took: Sequence[float]) -> float:
    return statistics.quantiles(took, n=20)[-1]


def _told(took: Sequence[float]) -> str:
    return f"median {statistics.median(took):.2f} ms, p95 {_p95(took):.2f} ms"


if __name__ == "__main__":
    measure()

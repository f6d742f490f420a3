"""What an incident of 100,000 messages and forty people took of them, and who is proposed for its meeting: CPU time."""

import statistics
import tempfile
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlalchemy.orm import Session

from benchmarks.big_incident import BEGAN, MESSAGES, TEAM, ingest
from bot import costing
from bot.desk import House
from bot.review.incident import MomentName
from bot.review.user_group import GroupFact
from storage import groups, incidents, participants, people
from storage.models import Incident
from storage.session import Storage

PEOPLE = [f"U0{number:02}" for number in range(40)]
ZONES = ("Europe/Berlin", "America/Los_Angeles", "Australia/Sydney")
TEAMS = 8
TIMES = 5
ENDED = BEGAN + timedelta(seconds=MESSAGES)


def measure() -> None:
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{Path(folder) / 'debrief.db'}"
        print(ingest(url))
        storage, house = Storage(url), House()
        with storage.write() as db:
            _make_known(db)
        _tell("hours of everybody", _taken(storage, lambda db, incident: costing.effort(db, incident, house)))
        _tell("who is proposed", _taken(storage, participants.proposed))
        storage.close()


def _make_known(db: Session) -> None:
    """Who they are, in three zones and eight teams, and when it was felt."""
    for number, user in enumerate(PEOPLE):
        zone = ZONES[number % len(ZONES)]
        people.know(db, TEAM, user, name=user, zone=zone, email=None, bot=None, gone=None, now=ENDED)
    teams = [
        GroupFact(f"S0{team}", f"team-{team}", f"Team {team}", tuple(PEOPLE[team::TEAMS])) for team in range(TEAMS)
    ]
    groups.keep(db, TEAM, teams, now=ENDED)
    for name, at in ((MomentName.began, BEGAN), (MomentName.mitigated, ENDED)):
        incidents.set_moment(db, db.get_one(Incident, 1), name, at, by=PEOPLE[0], how="said", now=ENDED)


def _taken(storage: Storage, ask: Callable[[Session, Incident], Any]) -> list[float]:
    """CPU seconds of each time, with everything read from the database."""
    found: list[float] = []
    for _ in range(TIMES):
        with storage.read() as db:
            incident = db.get_one(Incident, 1)
            began = time.process_time()
            ask(db, incident)
            found.append(time.process_time() - began)
    return found


def _tell(what: str, taken: list[float]) -> None:
    print(f"{what}: {statistics.median(taken):.2f} s ({min(taken):.2f} to {max(taken):.2f})")


if __name__ == "__main__":
    measure()

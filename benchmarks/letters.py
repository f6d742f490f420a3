"""Invitations by letter through a real mail server, on which every third try has an accident.

    .venv/bin/python -m benchmarks.letters

Each of the people is invited, the meeting moves twice, and every second person is let off. The server refuses for now,
hangs up before it has taken a letter, or takes it and hangs up; each person's calendar takes in whatever arrived, in
the order in which it came, read by two programs that know nothing of ours.
"""

import asyncio
import logging
import random
import tempfile
import time
from collections import Counter, defaultdict
from datetime import timedelta
from pathlib import Path

from storage import people
from storage.session import Storage, upgrade
from tests.cast import TEAM
from tests.mailboxes import CalendarOfSomebody, PostOffice, enclosed, post_office
from tests.test_letters import Office, know

PEOPLE = 200
AT_RCPT = ("reset_at_rcpt", "451 4.7.1 Greylisted", *["none"] * 10)
AT_DATA = ("reset_after_data", "452 4.2.2 Full", "421 4.3.2 Shutting down", *["none"] * 12)
ROUNDS = ((0, "REQUEST"), (1, "REQUEST"), (2, "REQUEST"))
CHANCE = random.Random(20261122)


def main() -> None:
    logging.getLogger("debrief").setLevel(logging.CRITICAL)
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(_take(Path(folder)))


async def _take(folder: Path) -> None:
    async with post_office() as mail:
        office = Office(_a_storage(folder), mail)
        users = [f"U0P{number:03}" for number in range(PEOPLE)]
        for user in users:
            know(office.storage, user, f"{user.lower()}@sandbox.example")
        begun = time.process_time()
        for sequence, method in ROUNDS:
            await _send(office, users, sequence, method)
        await _send(office, users[::2], len(ROUNDS), "CANCEL")
        _tell(office, mail, users, time.process_time() - begun)
        office.storage.close()


def _a_storage(folder: Path) -> Storage:
    url = f"sqlite:///{folder}/debrief.db"
    upgrade(url)
    storage = Storage(url)
    with storage.write() as db:
        people.know_workspace(db, TEAM, name="", url="", bot_user="U0DEBRIEF", bot_id="B0", mark_key="key")
    return storage


async def _send(office: Office, users: list[str], sequence: int, method: str) -> None:
    """Write to each, and let the hours pass until nothing waits."""
    office.mail.at_rcpt.extend(CHANCE.choice(AT_RCPT) for _ in range(4 * len(users)))
    office.mail.at_data.extend(CHANCE.choice(AT_DATA) for _ in range(4 * len(users)))
    for user in users:
        office.write(to=user, sequence=sequence, method=method)
    courier = office.courier()
    for _ in range(24):
        await office.settle(courier)
        office.now += timedelta(minutes=15)


def _tell(office: Office, mail: PostOffice, users: list[str], cpu_s: float) -> None:
    calendars: defaultdict[str, CalendarOfSomebody] = defaultdict(CalendarOfSomebody)
    for letter in mail.letters:
        calendars[letter["To"].addresses[0].addr_spec].take_in(enclosed(letter))
    arrived = Counter(letter["Message-ID"] for letter in mail.letters)
    wanted = {f"{user.lower()}@sandbox.example": number % 2 for number, user in enumerate(users)}
    wrong = [to for to, count in wanted.items() if len(calendars[to].shown) != count]
    unsent = [user for user in users if office.state(user)[0] != "sent"]
    print(f"letters written {len(arrived)}, tries {mail.tried}, arrived {len(mail.letters)}")
    print(f"arrived more than once, as the same letter: {sum(count > 1 for count in arrived.values())}")
    print(f"calendars that show something else than they should: {len(wrong)} of {len(wanted)}; unsent {len(unsent)}")
    print(f"CPU for each letter, both ends: {1000 * cpu_s / len(mail.letters):.1f} ms")


if __name__ == "__main__":
    main()

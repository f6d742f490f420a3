"""The bot as it really runs, beside a local Slack: with an open incident, every listener, every protection."""

import asyncio
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from slack_bolt.async_app import AsyncApp

from benchmarks.slack_requests import CHANNEL, SECRET, SOMEBODY, TEAM
from bot.app import Debrief
from bot.sandbox.demo import free_port
from bot.sandbox.troupe import bot_running, environment
from bot.settings import Settings
from storage import people
from storage.models import Incident, Source
from storage.session import Storage, upgrade


@contextmanager
def a_folder() -> Generator[Path]:
    """A folder for a bot's database, with one open incident in it."""
    # A thread may still be at work when the bot has stopped.
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        _open_incident(Path(name))
        yield Path(name)


def _open_incident(folder: Path) -> None:
    url = f"sqlite:///{folder / 'debrief.db'}"
    upgrade(url)
    storage, now = Storage(url), datetime.now(UTC)
    with storage.write() as db:
        incident = Incident(team_id=TEAM, title="Bench", opened_at=now)
        db.add(incident)
        db.flush()
        source = Source(team_id=TEAM, incident_id=incident.id, channel_id=CHANNEL, from_at=now - timedelta(days=1))
        source.fetched_at = source.read_at = now
        db.add(source)
        people.know(db, TEAM, SOMEBODY, name="One", zone="Europe/Berlin", email=None, bot=None, gone=None, now=now)
    storage.close()


@asynccontextmanager
async def bot_in_process(api_url: str, folder: Path, *, app_token: str = "") -> AsyncGenerator[AsyncApp]:
    """The running bot's Bolt app, over a folder that has a database; with an app token in Socket Mode."""
    port = free_port()
    bot = Debrief(_settings(api_url, folder, port=port, app_token=app_token))
    running = asyncio.ensure_future(bot.run())
    while not await asyncio.to_thread(_answers, port) or bot.app is None:
        await asyncio.sleep(0.05)
        if running.done():
            running.result()
    try:
        yield bot.app
    finally:
        bot.stop()
        await running


def _settings(api_url: str, folder: Path, *, port: int, app_token: str) -> Settings:
    given = {
        "SLACK_BOT_TOKEN": "xoxb-sandbox",
        "SLACK_SIGNING_SECRET": SECRET,
        "SLACK_APP_TOKEN": app_token or None,
        "SLACK_API_URL": api_url,
        "DEBRIEF_DATA_DIR": str(folder),
        "DEBRIEF_PORT": port,
    }
    return Settings.model_validate(given)


def _answers(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=2) as answer:
            return answer.status == 200
    except OSError:
        return False


@contextmanager
def bot_over_http(api_url: str) -> Generator[int]:
    """`debrief run` in a process and a folder of its own; its port."""
    with a_folder() as folder:
        port = free_port()
        env = environment(api_url, folder, port, http=True) | {"DEBRIEF_CLOCK": "system"}
        with bot_running(env, folder / "log"):
            yield port


@contextmanager
def bare_over_http(api_url: str) -> Generator[int]:
    """The bare app on Bolt's own server, in a process of its own; its port."""
    port = free_port()
    server = subprocess.Popen([sys.executable, "-m", "benchmarks.bare", api_url, str(port)])
    try:
        while not _listens(port):
            if server.poll() is not None:
                raise SystemExit("the bare app did not come up")
        yield port
    finally:
        server.terminate()
        server.wait()


def _listens(port: int) -> bool:
    try:
        urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=1).close()
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False
    return True

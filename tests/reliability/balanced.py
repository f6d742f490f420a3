"""Several real bots on one PostgreSQL beside a sandbox: over HTTP behind a balancer, or each with its own sockets."""

import asyncio
import json
import os
import signal
import threading
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

from aiohttp import ClientError, ClientSession, web

from bot import formats
from bot.manifest import manifest
from bot.sandbox.demo import free_port
from bot.sandbox.driver import Driver, words_of
from bot.sandbox.over_http import signature
from bot.sandbox.server import in_thread
from bot.sandbox.troupe import bot_running, environment
from storage.session import Storage
from tests.cast import TEAM
from tests.reliability.town import EVENING

Json = dict[str, Any]
HANDS = 8
"""So many people do something at once."""
PASSED_ON = ("Content-Type", "X-Slack-Request-Timestamp", "X-Slack-Signature", "X-Slack-Retry-Num")


# The balancer ---------------------------------------------------------------------------------------


@dataclass
class Balancer:
    """Gives each request to the next bot in turn, and tries none again: that is for Slack to do."""

    ports: Sequence[int]
    served: Counter[int] = field(default_factory=Counter)
    turns: Iterator[int] = field(default_factory=count)

    async def pass_on(self, request: web.Request) -> web.Response:
        port = self.ports[next(self.turns) % len(self.ports)]
        headers = {name: request.headers[name] for name in PASSED_ON if name in request.headers}
        url, body = f"http://127.0.0.1:{port}/slack/events", await request.read()
        try:
            async with ClientSession() as session, session.post(url, data=body, headers=headers) as answer:
                self.served[port] += 1
                content = {"Content-Type": answer.headers.get("Content-Type", "text/plain")}
                return web.Response(status=answer.status, body=await answer.read(), headers=content)
        except ClientError:
            return web.Response(status=502)


async def _stand(
    balancer: Balancer, port: int, opened: Future[asyncio.AbstractEventLoop], closing: asyncio.Event
) -> None:
    application = web.Application()
    application.router.add_post("/slack/events", balancer.pass_on)
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.5)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    opened.set_result(asyncio.get_running_loop())
    await closing.wait()
    await runner.cleanup()


@contextmanager
def balanced(balancer: Balancer) -> Iterator[str]:
    """Where the balancer stands."""
    port, opened, closing = free_port(), Future[asyncio.AbstractEventLoop](), asyncio.Event()
    thread = threading.Thread(target=lambda: asyncio.run(_stand(balancer, port, opened, closing)))
    thread.start()
    loop = opened.result(10)
    try:
        yield f"http://127.0.0.1:{port}/slack/events"
    finally:
        loop.call_soon_threadsafe(closing.set)
        thread.join()


# The bots -------------------------------------------------------------------------------------------


@dataclass
class Bot:
    """One replica, which may be killed and started anew, in another version of the program, too."""

    env: dict[str, str]
    log: Path
    run: Callable[[dict[str, str], Path], AbstractContextManager[Any]] = bot_running
    process: Any = None
    _running: Any = None

    def start(self) -> None:
        self._running = self.run(self.env, self.log)
        self.process = self._running.__enter__()

    def kill(self) -> None:
        os.kill(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self.stop()

    def is_ready(self) -> tuple[int, str]:
        """What `/readyz` answers."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.env['DEBRIEF_PORT']}/readyz", timeout=60) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()

    def stop(self) -> None:
        if self._running:
            self._running.__exit__(None, None, None)
            self._running = None


@dataclass
class Street:
    """Everybody in the sandbox, and the bots that serve them together."""

    driver: Driver
    way: str
    bots: list[Bot]
    balancer: Balancer
    hands: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(HANDS))

    def start(self) -> None:
        """All at the same moment."""
        self.at_once(*(bot.start for bot in self.bots))
        if self.way == "socket":
            self.wait_for_connections(2 * len(self.bots))

    def wait_for_connections(self, number: int) -> None:
        self.driver.wait_for(lambda: self.driver.get("state")["connections"] == number, f"{number} connections")

    def at_once(self, *deeds: Callable[[], Any]) -> list[Any]:
        """What comes of deeds that many people do at the same time."""
        return [future.result() for future in [self.hands.submit(deed) for deed in deeds]]

    def played_again(self, body: bytes) -> list[int]:
        """The statuses of one signed request that reaches every bot, at the same moment."""
        stamp = str(int(self.driver.now.timestamp()))
        return self.at_once(*(lambda bot=bot: _request(int(bot.env["DEBRIEF_PORT"]), body, stamp) for bot in self.bots))

    def review(self, incident: int = 1) -> Json:
        """The JSON of a review, as the command line exports it."""
        with closing(Storage(self.bots[0].env["DEBRIEF_DATABASE_URL"])) as storage, storage.read() as db:
            return json.loads("".join(formats.json_text(db, TEAM, incident)))

    def heard(self, channel: str) -> Counter[str]:
        """What the bots said in a channel, each with how often."""
        said = (message for message in self.driver.messages(channel) if message.get("bot_id"))
        return Counter(map(words_of, said))

    def logs(self) -> str:
        return "".join(bot.log.read_text() for bot in self.bots)


def _request(port: int, body: bytes, stamp: str) -> int:
    signed = {"X-Slack-Request-Timestamp": stamp, "X-Slack-Signature": signature(stamp, body)}
    form = signed | {"Content-Type": "application/x-www-form-urlencoded"}
    ask = urllib.request.Request(f"http://127.0.0.1:{port}/slack/events", body, form)
    try:
        with urllib.request.urlopen(ask, timeout=60) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        error.close()
        return error.code


@contextmanager
def street(folder: Path, url: str, way: str, *, bots: int = 2) -> Iterator[Street]:
    """So many bots, not started yet."""
    ports = [free_port() for _ in range(bots)]
    balancer = Balancer(ports)
    with balanced(balancer) as door:
        over = {"http_url": door} if way == "http" else {}
        with in_thread(port=0, manifest=manifest(), now=EVENING, **over) as slack:
            shared = {"DEBRIEF_DATABASE_URL": url}
            envs = [environment(slack.api_url, folder, port, http=way == "http") | shared for port in ports]
            replicas = [Bot(env, folder / f"bot{number}.log") for number, env in enumerate(envs)]
            here = Street(Driver(slack.url), way, replicas, balancer)
            here.driver.do("fault", rate_limits="off")
            try:
                yield here
            finally:
                here.hands.shutdown()
                for bot in replicas:
                    bot.stop()

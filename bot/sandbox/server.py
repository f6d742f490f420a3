"""Starts a sandbox: in this event loop, in a thread, or for good from the command line."""

from __future__ import annotations

import asyncio
import concurrent.futures
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from aiohttp import web

from bot.sandbox.clock import VirtualClock
from bot.sandbox.deliveries import Attempt, Deliveries, Transport
from bot.sandbox.faults import Faults
from bot.sandbox.house import Sandbox
from bot.sandbox.journal import Journal, Stream
from bot.sandbox.limits import RateLimits
from bot.sandbox.manifest import Manifest, everything, from_json, read_manifest
from bot.sandbox.over_http import OverHttp
from bot.sandbox.over_socket import OverSocket
from bot.sandbox.routes import application
from bot.sandbox.seed import BadSeed, fill, move_files_to
from bot.sandbox.tickets import ResponseUrls, Triggers
from bot.sandbox.workspace import VERIFICATION_TOKEN, Workspace

GRACE_S = 0.5
START_WITHIN_S = 10.0


@dataclass(frozen=True)
class SandboxSettings:
    """`http_url` is the bot's address for signed HTTP; without one it comes by Socket Mode. Port 0: any free one."""

    port: int = 0
    host: str = "127.0.0.1"
    http_url: str | None = None
    seed: Path | None = None
    manifest: Path | dict[str, Any] | None = None
    now: datetime | None = None


@dataclass(frozen=True)
class Running:
    """A sandbox that answers at `url`; `api_url` is what SLACK_API_URL wants."""

    url: str
    sandbox: Sandbox = field(repr=False)
    _runner: web.AppRunner = field(repr=False)

    @property
    def api_url(self) -> str:
        return self.url + "/api/"

    async def stop(self) -> None:
        await self.sandbox.close()
        await self._runner.cleanup()


async def serve(settings: SandboxSettings) -> Running:
    """Start in this event loop; raises OSError when the port is taken, BadSeed when the seed cannot be read."""
    sandbox = _assembled(settings)
    runner = web.AppRunner(application(sandbox), shutdown_timeout=GRACE_S, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, settings.host, settings.port)
    await site.start()
    port = runner.addresses[0][1]
    sandbox.url = f"http://{settings.host}:{port}"
    move_files_to(sandbox.workspace, sandbox.url)
    if settings.http_url:
        sandbox.later(0, lambda: _introduce(sandbox))
    return Running(sandbox.url, sandbox, runner)


@asynccontextmanager
async def sandbox(**settings: Any) -> AsyncIterator[Running]:
    """One for the length of an `async with` block, which names it `slack`."""
    running = await serve(SandboxSettings(**settings))
    try:
        yield running
    finally:
        await running.stop()


@contextmanager
def in_thread(**settings: Any) -> Iterator[Running]:
    """The same for code without an event loop: the sandbox runs in a thread of its own."""
    started: concurrent.futures.Future[Running] = concurrent.futures.Future()
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=_run, args=(loop, SandboxSettings(**settings), started), daemon=True)
    thread.start()
    running = started.result(START_WITHIN_S)
    try:
        yield running
    finally:
        asyncio.run_coroutine_threadsafe(running.stop(), loop).result(START_WITHIN_S)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(START_WITHIN_S)


def _run(
    loop: asyncio.AbstractEventLoop, settings: SandboxSettings, started: concurrent.futures.Future[Running]
) -> None:
    asyncio.set_event_loop(loop)
    try:
        started.set_result(loop.run_until_complete(serve(settings)))
    except BaseException as error:  # noqa: BLE001 - whatever it is, the caller's thread must hear of it
        started.set_exception(error)
        return
    loop.run_forever()
    loop.close()


def _assembled(settings: SandboxSettings) -> Sandbox:
    clock = VirtualClock(settings.now)
    manifest = _manifest(settings)
    workspace = Workspace(clock)
    fill(workspace, settings.seed, bot_name=manifest.name)
    journal, faults, sockets = Journal(clock), Faults(), OverSocket()
    transport: Transport = OverHttp(settings.http_url, clock) if settings.http_url else sockets
    return Sandbox(
        clock=clock,
        workspace=workspace,
        manifest=manifest,
        journal=journal,
        stream=Stream(),
        faults=faults,
        limits=RateLimits(clock),
        triggers=Triggers(),
        response_urls=ResponseUrls(clock),
        sockets=sockets,
        deliveries=Deliveries(clock, journal, faults, transport),
    )


def _manifest(settings: SandboxSettings) -> Manifest:
    if settings.manifest is None:
        return everything()
    if isinstance(settings.manifest, dict):
        return from_json(settings.manifest)
    try:
        return read_manifest(settings.manifest)
    except (ValueError, KeyError, AttributeError, OSError) as problem:
        raise BadSeed(f"{settings.manifest} is no app manifest in JSON: {problem}") from problem


def _introduce(sandbox: Sandbox) -> None:
    """url_verification, which Slack sends when the address is entered; whether it is answered is only noted."""
    challenge = {"type": "url_verification", "token": VERIFICATION_TOKEN, "challenge": sandbox.workspace.new_hex(20)}
    sandbox.deliveries.send_once("events_api", challenge, Attempt())

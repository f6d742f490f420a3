"""`python -m bot.sandbox`: the sandbox alone."""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys
from pathlib import Path

from bot.sandbox.clock import parse_moment
from bot.sandbox.seed import BadSeed
from bot.sandbox.server import Running, SandboxSettings, serve
from bot.sandbox.workspace import APP_TOKEN, BOT_TOKEN, SIGNING_SECRET

BAD_INPUT = 2


def main() -> int:
    settings = _settings()
    try:
        asyncio.run(run_until_stopped(settings))
    except BadSeed as problem:
        sys.stderr.write(f"{problem}\n")
        return BAD_INPUT
    except OSError as problem:
        sys.stderr.write(f"Port {settings.port} cannot be used ({problem.strerror}). Choose another with --port.\n")
        return BAD_INPUT
    return 0


async def run_until_stopped(settings: SandboxSettings) -> None:
    """Serve until SIGINT or SIGTERM; raises as `serve` does."""
    running = await serve(settings)
    stopped = asyncio.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(name, stopped.set)
    sys.stdout.write(_welcome(running, settings))
    sys.stdout.flush()
    await stopped.wait()
    await running.stop()


def _welcome(running: Running, settings: SandboxSettings) -> str:
    """Where the page is, the bot's environment for this way of delivery, and how to stop."""
    way = f"SLACK_SIGNING_SECRET={SIGNING_SECRET}" if settings.http_url else f"SLACK_APP_TOKEN={APP_TOKEN}"
    return (
        f"The sandbox workspace is at {running.url}\n"
        "Point the bot at it with\n"
        f"    SLACK_API_URL={running.api_url}\n"
        f"    SLACK_BOT_TOKEN={BOT_TOKEN}\n"
        f"    {way}\n"
        "These tokens are open to everybody and good for this sandbox alone. Press Ctrl+C to stop.\n"
    )


def _settings() -> SandboxSettings:
    parser = argparse.ArgumentParser(prog="python -m bot.sandbox", description=__doc__)
    parser.add_argument("--port", type=int, default=4040)
    way = parser.add_mutually_exclusive_group()
    way.add_argument("--socket", action="store_true", help="deliver over Socket Mode (the default)")
    way.add_argument("--http", metavar="URL", help="deliver as signed HTTP to this address of the bot")
    parser.add_argument("--seed", type=Path, help="a seed JSON, or a Slack export (folder or zip)")
    parser.add_argument("--manifest", type=Path, help="the app's manifest; without one nothing is refused for scopes")
    parser.add_argument("--now", type=parse_moment, help="where the virtual clock starts, such as 2026-11-20T09:00:00Z")
    given = parser.parse_args()
    return SandboxSettings(
        port=given.port, http_url=given.http, seed=given.seed, manifest=given.manifest, now=given.now
    )


if __name__ == "__main__":
    sys.exit(main())

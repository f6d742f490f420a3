"""A sandbox for each test, its people and a client."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from bot.sandbox.server import Running, sandbox
from tests.sandbox.cast import Bot, People, client_of, over_http, over_socket, visiting


@pytest.fixture
async def slack() -> AsyncIterator[Running]:
    """A sandbox that nobody is connected to."""
    async with sandbox() as running:
        yield running


@pytest.fixture
def client(slack: Running) -> Any:
    return client_of(slack)


@pytest.fixture
async def people(slack: Running) -> AsyncIterator[People]:
    async with visiting(slack.url) as who:
        yield who


@pytest.fixture(params=["socket", "http"])
async def connected(request: pytest.FixtureRequest) -> AsyncIterator[tuple[People, Bot]]:
    """People and a bot that hears them; the test runs once over Socket Mode and once over HTTP."""
    way = over_socket if request.param == "socket" else over_http
    async with way() as (running, bot), visiting(running.url) as who:
        yield who, bot

import pytest
from slack_sdk.web.async_client import AsyncWebClient

from bot.historian import Historian
from bot.listeners.edge import Edge
from bot.paging import History
from bot.slack import Slack
from tests.cast import MARA, Room


@pytest.fixture
def edge(room: Room) -> Edge:
    """Nobody is at the other end of its client: what is tried here needs nobody there."""
    client = AsyncWebClient(base_url="http://127.0.0.1:1/api/", retry_handlers=[])
    slack = Slack(client)
    historian = Historian(room.desk, slack, History(client, lambda: room.now))
    return Edge(room.desk, client, slack, historian=historian, bot_user=MARA)

"""What everything is measured against: a bare AsyncApp whose message listener does nothing."""

import sys

from aiohttp import web
from slack_bolt.app.async_server import AsyncSlackAppServer
from slack_bolt.async_app import AsyncApp
from slack_bolt.context.ack.async_ack import AsyncAck
from slack_sdk.web.async_client import AsyncWebClient

from benchmarks.slack_requests import SECRET


def bare_app(api_url: str) -> AsyncApp:
    app = AsyncApp(client=AsyncWebClient(token="xoxb-sandbox", base_url=api_url), signing_secret=SECRET)

    @app.event("message")
    async def message() -> None:
        pass

    @app.command("/review")
    async def command(ack: AsyncAck) -> None:
        await ack("Here I am.")

    return app


def main() -> None:
    """Serve it with Bolt's own server: API_URL PORT."""
    server = AsyncSlackAppServer(int(sys.argv[2]), "/slack/events", bare_app(sys.argv[1]))
    web.run_app(server.web_app, host="127.0.0.1", port=int(sys.argv[2]), print=None, access_log=None)


if __name__ == "__main__":
    main()

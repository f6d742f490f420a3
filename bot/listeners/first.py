"""What comes before any listener: facts are kept, and gestures get the mark by which a replay is known."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from slack_bolt.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_bolt.error import BoltUnhandledRequestError
from slack_bolt.listener.async_listener_completion_handler import AsyncListenerCompletionHandler
from slack_bolt.listener.async_listener_start_handler import AsyncListenerStartHandler
from slack_bolt.middleware.async_middleware import AsyncMiddleware
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_bolt.response import BoltResponse
from slack_sdk.web.async_client import AsyncWebClient

from bot.shapes import SHAPES, is_only_said
from bot.web import Keep, answer_failure, mark_of, mark_of_payload

log = logging.getLogger("debrief.listeners")


def an_app(keep: Keep, *, client: AsyncWebClient, authorize: Callable[[], Awaitable[AuthorizeResult]]) -> AsyncApp:
    """Bolt without listeners yet; the signature was checked on raw bytes, by the clock that we were given."""
    app = AsyncApp(
        client=client,
        authorize=authorize,
        logger=logging.getLogger("slack_bolt"),
        request_verification_enabled=False,
        before_authorize=KeepFirst(keep),
        raise_error_for_unhandled_request=True,
    )
    app.error(_answer)
    return app


async def _answer(error: Exception, response: BoltResponse | None) -> BoltResponse | None:
    """What nobody listens to is acknowledged: sent again, it would be heard by nobody either."""
    if isinstance(error, BoltUnhandledRequestError):
        kind = error.body.get("type")
        # A name that is none of Slack's may be anybody's words.
        log.warning(
            "nobody listens to a request of Slack's",
            extra={"type": kind if isinstance(kind, str) and kind in SHAPES else "another"},
        )
        return BoltResponse(status=200)
    return await answer_failure(error, response)


class KeepFirst(AsyncMiddleware):
    """Facts are on disk before Slack is told anything; `keep` answers itself where Slack is to send again.

    What is said in channels ends here: whatever follows from it is asked of the database. To authorize it and to look
    for a listener would cost more than to keep it.
    """

    def __init__(self, keep: Keep) -> None:
        self._keep = keep

    async def async_process(
        self,
        *,
        req: AsyncBoltRequest,
        resp: BoltResponse,  # noqa: ARG002
        next: Callable[[], Awaitable[BoltResponse]],  # noqa: A002
    ) -> BoltResponse:
        answer = await self._keep(req.body)
        if answer is not None:
            return answer
        if is_only_said(req.body):
            return BoltResponse(status=200)
        return await next()


class RememberMark(AsyncMiddleware):
    """What a gesture is remembered by: one that comes again has no second effect, whichever replica it finds."""

    async def async_process(
        self,
        *,
        req: AsyncBoltRequest,
        resp: BoltResponse,  # noqa: ARG002
        next: Callable[[], Awaitable[BoltResponse]],  # noqa: A002
    ) -> BoltResponse:
        stamp = (req.headers.get("x-slack-request-timestamp") or [""])[0]
        attempt = (req.headers.get("x-slack-retry-num") or [""])[0]
        over_a_socket = mark_of_payload(req.body, attempt=attempt)
        req.context["mark"] = mark_of(req.raw_body, stamp) if stamp else over_a_socket
        return await next()


class AtWork:
    """The listeners of an app that are at work: some go on after Slack was answered; whoever stops waits for them."""

    def __init__(self, app: AsyncApp) -> None:
        self._working = 0
        self._idle = asyncio.Event()
        self._idle.set()
        app.listener_runner.listener_start_handler = _Told(self._begin)
        app.listener_runner.listener_completion_handler = _Told(self._end)

    async def end(self) -> None:
        """Return when none is at work."""
        await self._idle.wait()

    def _begin(self) -> None:
        self._working += 1
        self._idle.clear()

    def _end(self) -> None:
        self._working -= 1
        if not self._working:
            self._idle.set()


class _Told(AsyncListenerStartHandler, AsyncListenerCompletionHandler):
    """Tells of each listener that begins, or that ends."""

    def __init__(self, tell: Callable[[], None]) -> None:
        self._tell = tell

    async def handle(self, request: AsyncBoltRequest, response: BoltResponse | None) -> None:  # noqa: ARG002
        self._tell()

"""What comes before any listener: facts are kept, and gestures get the mark by which a replay is known."""

from collections.abc import Awaitable, Callable

from slack_bolt.middleware.async_middleware import AsyncMiddleware
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_bolt.response import BoltResponse

from bot.shapes import is_only_said
from bot.web import Keep, mark_of


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
    """What a signed request is remembered by, so that a replay has no second effect; Socket Mode has no replays."""

    async def async_process(
        self,
        *,
        req: AsyncBoltRequest,
        resp: BoltResponse,  # noqa: ARG002
        next: Callable[[], Awaitable[BoltResponse]],  # noqa: A002
    ) -> BoltResponse:
        stamp = (req.headers.get("x-slack-request-timestamp") or [""])[0]
        req.context["mark"] = mark_of(req.raw_body, stamp) if stamp else None
        return await next()

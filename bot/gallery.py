"""Hangs pictures and pages in Slack for the courier: uploads one, lets it be seen in a place, takes it down again.

A file that was uploaded is nowhere to be seen until it is shown, so its number is written down in between: after a
crash it can be taken down, and a page's place searched for it.
"""

import asyncio
from dataclasses import dataclass

from aiohttp import ClientError, ClientSession, ClientTimeout, DummyCookieJar
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot import outcomes
from bot.outcomes import yes
from bot.review.shared_file import allowed
from bot.sheets import ALT_LIMIT, Sheet

TIMES = ClientTimeout(total=30, connect=10)
LOOKED_AT_AFTER_S = (0.0, 0.3, 0.7, 1.5, 3.0, 6.0)
"""Seconds between looking whether Slack is done with an upload."""
NOT_TOLD = {"missing_scope", "no_permission"}
GONE = {"file_not_found", "file_deleted"}
"""Slack's words for a file that is not there any more."""


class NotUploaded(ClientError):
    """Slack's file host did not take the bytes, or is not where Slack's files are."""


@dataclass(frozen=True, slots=True)
class Hung:
    """A file in Slack, of which drawing it is, and whether it is known to have been shown."""

    file: str
    drawn: str
    shown: bool = False


class Gallery:
    """Calls Slack; what goes wrong is raised as one of the FAILURES of outcomes."""

    def __init__(self, client: AsyncWebClient) -> None:
        self._client = client

    async def upload(self, sheet: Sheet, content: bytes) -> str:
        """Give Slack the bytes; the file's number. Nobody sees it yet."""
        alt = sheet.alt[:ALT_LIMIT] or None
        answer = await yes(
            self._client.files_getUploadURLExternal(filename=sheet.name, length=len(content), alt_txt=alt)
        )
        await self._send(str(answer.get("upload_url") or ""), content, sheet.mimetype)
        return str(answer.get("file_id"))

    async def _send(self, url: str, content: bytes, mimetype: str) -> None:
        address = allowed(url, self._client.base_url)
        if address is None:
            raise NotUploaded("elsewhere")
        proxy = self._client.proxy if address.startswith("https:") else None
        headers = {"Content-Type": mimetype}
        async with (
            ClientSession(timeout=TIMES, cookie_jar=DummyCookieJar()) as session,
            session.post(
                address,
                data=content,
                headers=headers,
                proxy=proxy,
                allow_redirects=False,
                ssl=self._client.ssl or True,
            ) as taken,
        ):
            if taken.status != 200:
                raise NotUploaded(str(taken.status))

    async def complete(self, file: str, title: str) -> None:
        """Tell Slack that the bytes are there, and wait until it knows that they are a picture. Nobody sees it yet.

        It looks at them after it has answered, and refuses blocks with the file until then.
        """
        await yes(self._client.files_completeUploadExternal(files=[{"id": file, "title": title}]))
        for wait_s in LOOKED_AT_AFTER_S:
            await asyncio.sleep(wait_s)
            if await self._is_known(file):
                return
        raise NotUploaded("not ready")

    async def _is_known(self, file: str) -> bool:
        """Where Slack does not tell us about files, it is tried as it is."""
        try:
            answer = await yes(self._client.files_info(file=file))
        except SlackApiError as refused:
            return outcomes.of(refused).word in NOT_TOLD
        return bool((answer.get("file") or {}).get("mimetype"))

    async def show(self, file: str, title: str, *, channel: str, thread: str, words: str) -> None:
        """Let an uploaded file be seen in a channel or a thread of it, with words above."""
        where = {"channel_id": channel, "thread_ts": thread or None, "initial_comment": words}
        await yes(self._client.files_completeUploadExternal(files=[{"id": file, "title": title}], **where))

    async def take_down(self, file: str) -> None:
        """Delete a file; one that is not there is as good as deleted."""
        try:
            await yes(self._client.files_delete(file=file))
        except SlackApiError as refused:
            if outcomes.of(refused).word not in GONE:
                raise

"""Hangs pictures in Slack for the courier: uploads one, lets it be seen in a place, and takes it down again.

A file that was uploaded is nowhere to be seen until it is shown, so its number is written down in between: after a
crash the place can be searched for it.
"""

import hashlib
from dataclasses import dataclass

from aiohttp import ClientError, ClientSession, ClientTimeout, DummyCookieJar
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.drawing import Picture
from bot.review.shared_file import allowed

NAME = "timeline.png"
TITLE = "Timeline"
ALT_LIMIT = 1_000
"""Characters of what is read to who cannot see it."""
TIMES = ClientTimeout(total=30, connect=10)
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


def mark(picture: Picture) -> str:
    """By which the same drawing is known again."""
    return hashlib.sha256(f"{picture.about}\n{picture.svg}".encode()).hexdigest()


class Gallery:
    """Calls Slack; what Slack refuses is raised as SlackApiError, what never arrived as ClientError."""

    def __init__(self, client: AsyncWebClient) -> None:
        self._client = client

    async def upload(self, pixels: bytes, *, alt: str) -> str:
        """Give Slack the bytes; the file's number. Nobody sees it yet."""
        answer = await self._client.files_getUploadURLExternal(
            filename=NAME, length=len(pixels), alt_txt=alt[:ALT_LIMIT]
        )
        await self._send(str(answer.get("upload_url") or ""), pixels)
        return str(answer.get("file_id"))

    async def _send(self, url: str, pixels: bytes) -> None:
        address = allowed(url, self._client.base_url)
        if address is None:
            raise NotUploaded("elsewhere")
        proxy = self._client.proxy if address.startswith("https:") else None
        headers = {"Content-Type": "image/png"}
        async with (
            ClientSession(timeout=TIMES, cookie_jar=DummyCookieJar()) as session,
            session.post(
                address,
                data=pixels,
                headers=headers,
                proxy=proxy,
                allow_redirects=False,
                ssl=self._client.ssl or True,
            ) as taken,
        ):
            if taken.status != 200:
                raise NotUploaded(str(taken.status))

    async def show(self, file: str, *, channel: str, thread: str, words: str) -> None:
        """Let an uploaded file be seen in a channel or a thread of it, with words above."""
        await self._client.files_completeUploadExternal(
            files=[{"id": file, "title": TITLE}],
            channel_id=channel,
            thread_ts=thread or None,
            initial_comment=words,
        )

    async def take_down(self, file: str) -> None:
        """Delete a file; one that is not there is as good as deleted."""
        try:
            await self._client.files_delete(file=file)
        except SlackApiError as error:
            if error.response.get("error") not in GONE:
                raise

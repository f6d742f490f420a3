"""How a note becomes a call to Slack, by its kind: the only module that posts, together with the gallery.

A letter goes elsewhere, with its mark as its Message-ID.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot import looking_up, outcomes
from bot.calendars import Guest
from bot.gallery import Gallery, Hung
from bot.mailing import Mail, Outgoing
from bot.outcomes import UNTIL_MENDED_S, Known, NoAnswer, Outcome, yes
from bot.sheets import Sheet, in_block

CALL_TIMEOUT = timedelta(seconds=15)
PICTURE_TIMEOUT = timedelta(seconds=45)
"""Several calls, and the bytes."""
LETTER_TIMEOUT = timedelta(seconds=60)
"""Some servers look at a letter for long before they take it."""


@dataclass(frozen=True, slots=True)
class Parcel:
    """A note as it leaves the database: what to say, where, in which version."""

    id: int
    key: str
    mark: str
    kind: str
    channel: str
    thread: str
    user: str | None
    text: str
    blocks: list[Any] | None
    version: int
    posted: tuple[str, str] | None
    attempt: int
    attempted_at: datetime
    is_doubted: bool = False
    """Written after a backup was put back: under its key something else may have been said before."""
    incident: int | None = None
    files: tuple[Hung, ...] = ()
    address: tuple[str, str] | None = None
    """Of a letter: where it goes, and the name of who lives there."""
    letter: Mapping[str, Any] | None = None

    @property
    def tries(self) -> int:
        """How often this letter, and no earlier version of it, has been tried."""
        return self.attempt - int((self.letter or {}).get("tried_before", 0))


@dataclass(frozen=True, slots=True)
class Said:
    """Where it stands now; without a ts it is nothing that stands anywhere by itself."""

    channel: str
    ts: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """Carries parcels to Slack, each by one call that counts.

    `ready` is asked right before it and raises where the parcel must not go; `drawn` and `mark_files` are the side of
    the database for what is hung: what is to be seen now, and which files of ours may be in Slack.
    """

    client: AsyncWebClient
    gallery: Gallery
    ready: Callable[[Parcel], Awaitable[None]]
    drawn: Callable[[Parcel], Awaitable[Sheet | None]]
    mark_files: Callable[[Parcel, Sequence[Hung]], Awaitable[None]]
    mail: Mail | None = None

    async def carry(self, parcel: Parcel) -> Said:
        """Say it in time; raises FAILURES of outcomes, and what `ready`, `drawn` and `mark_files` raise."""
        patience = PATIENCE.get(parcel.kind, CALL_TIMEOUT)
        return await asyncio.wait_for(CARRIERS[parcel.kind](self, parcel), patience.total_seconds())


async def _say(post: Post, parcel: Parcel) -> Said:
    return await (_change(post, parcel) if parcel.posted else _say_new(post, parcel))


async def _say_new(post: Post, parcel: Parcel) -> Said:
    await post.ready(parcel)
    metadata = looking_up.metadata(parcel.mark)
    where = await yes(
        post.client.chat_postMessage(metadata=metadata, unfurl_links=False, unfurl_media=False, **_words(parcel))
    )
    if not where.get("channel") or not where.get("ts"):
        raise NoAnswer
    return Said(str(where["channel"]), str(where["ts"]))


async def _change(post: Post, parcel: Parcel) -> Said:
    channel, ts = parcel.posted or ("", "")
    await post.ready(parcel)
    await yes(
        post.client.chat_update(
            channel=channel, ts=ts, text=parcel.text, blocks=parcel.blocks, parse="none", link_names=False
        )
    )
    return Said(channel, ts)


async def _whisper(post: Post, parcel: Parcel) -> Said:
    await post.ready(parcel)
    answer = await yes(post.client.chat_postEphemeral(user=parcel.user or "", **_words(parcel)))
    return Said(parcel.channel, str(answer.get("message_ts") or ""))


def _words(parcel: Parcel) -> dict[str, Any]:
    words: dict[str, Any] = {"channel": parcel.channel, "text": parcel.text, "blocks": parcel.blocks}
    if parcel.thread:
        words["thread_ts"] = parcel.thread
    return words | {"parse": "none", "link_names": False}


async def _react(post: Post, parcel: Parcel) -> Said:
    message = {"channel": parcel.channel, "timestamp": parcel.thread, "name": parcel.text.removeprefix("-")}
    await post.ready(parcel)
    if parcel.text.startswith("-"):
        await yes(post.client.reactions_remove(**message))
    else:
        await yes(post.client.reactions_add(**message))
    return Said(parcel.channel)


async def _hang(post: Post, parcel: Parcel) -> Said:
    """Let the picture, or the page, be seen as it is now, and no other.

    1. It is drawn from what is known now; the one that is there stays where it is the same.
    2. What is there goes first. It is drawn anew because of what was erased, or may be, and that must not stay to be
       seen because an upload fails; until the new one is there, its place says in words what it showed.
    3. The file's number is written down before it is shown, so that it can be looked up and taken down.
    4. A picture is a block of a message that carries our mark, posted once and then updated in its place.
    """
    sheet = await post.drawn(parcel)
    drawn = sheet.mark if sheet else ""
    if [(hung.drawn, hung.shown) for hung in parcel.files] == [(drawn, True)]:
        return _where(parcel)
    await _take_down(post, parcel)
    if sheet is None:
        return await _change(post, replace(parcel, blocks=[])) if parcel.posted else _where(parcel)
    return await (_show_in_block if sheet.is_picture else _share)(post, parcel, sheet)


def _where(parcel: Parcel) -> Said:
    return Said(*parcel.posted) if parcel.posted else Said(parcel.channel)


async def _take_down(post: Post, parcel: Parcel) -> None:
    if parcel.files:
        await post.mark_files(parcel, [replace(hung, shown=False) for hung in parcel.files])
        for hung in parcel.files:
            await post.gallery.take_down(hung.file)
        await post.mark_files(parcel, [])


async def _show_in_block(post: Post, parcel: Parcel, sheet: Sheet) -> Said:
    hung = Hung(await post.gallery.upload(sheet, await asyncio.to_thread(sheet.made)), sheet.mark)
    await post.mark_files(parcel, [hung])
    await post.gallery.complete(hung.file, sheet.title)
    try:
        said = await _say(post, replace(parcel, blocks=in_block(hung.file, sheet, words=parcel.text)))
    except SlackApiError as refused:
        if outcomes.of(refused).kind == "never":  # Nobody will ever see it there.
            await _take_down(post, replace(parcel, files=(hung,)))
        raise
    await post.mark_files(parcel, [replace(hung, shown=True)])
    return said


async def _share(post: Post, parcel: Parcel, sheet: Sheet) -> Said:
    """A page is no picture, which alone can be in a block; so Slack writes the message, and the file is the mark.

    The address of an unshared file in a message of ours might share it, too; whether it does, for whom, and whether
    history tells it is nowhere documented, and a page that its reader cannot open is worse than one without our mark.
    """
    channel = await looking_up.conversation(post.client, parcel.channel)
    file = await post.gallery.upload(sheet, await asyncio.to_thread(sheet.made))
    await post.mark_files(parcel, [Hung(file, sheet.mark)])
    await post.ready(parcel)
    await post.gallery.show(file, sheet.title, channel=channel, thread=parcel.thread, words=parcel.text)
    await post.mark_files(parcel, [Hung(file, sheet.mark, shown=True)])
    return Said(parcel.channel)


async def _mail(post: Post, parcel: Parcel) -> Said:
    """A version of its own is a letter of its own; sent again, it is the same one."""
    if post.mail is None:
        raise Known(Outcome("later", "no_server", timedelta(seconds=UNTIL_MENDED_S)))
    to = Guest(*parcel.address) if parcel.address else None
    mark = f"{parcel.mark}.{parcel.version}"
    await post.mail.send(Outgoing(to, mark, parcel.text, parcel.letter or {}, attempt=parcel.tries))
    return Said(parcel.channel)


CARRIERS: Mapping[str, Callable[[Post, Parcel], Awaitable[Said]]] = {
    "once": _say,
    "live": _say,
    "whisper": _whisper,
    "mark": _react,
    "picture": _hang,
    "letter": _mail,
}
PATIENCE = {"picture": PICTURE_TIMEOUT, "letter": LETTER_TIMEOUT}
"""How long the carrier of a kind may take, where that is longer than a call."""

"""Opening an incident from a gesture: what Slack says of the channel goes along, and its history is fetched after."""

import asyncio
import logging
import re
from dataclasses import replace

from slack_sdk.errors import SlackApiError

from bot import listening, opening
from bot.listeners.edge import Edge, Gesture
from bot.render import Rendered
from bot.review.incident import ChannelFacts, ChannelId, Place, UserId
from bot.review.refusal import Refused

log = logging.getLogger("debrief.listeners")


async def open_here(
    edge: Edge, gesture: Gesture, *, severity: str | None, title: str | None, since: str | None = None
) -> Rendered | None:
    """Open an incident in the gesture's place, from the moment that the words of `since` name."""
    channel = _with(gesture.by, await edge.slack.channel_facts(gesture.place.channel))
    now = await asyncio.to_thread(edge.desk.now)
    from_at = opening.since_of(since, channel, now=now) if since else None
    asks = from_at is None and not gesture.place.thread and opening.is_old(channel, now=now)
    sizes = await _sizes(edge, channel) if asks else None
    said = await edge.serve(
        opening.open_incident,
        where=gesture.where,
        by=gesture.by,
        mark=gesture.mark,
        severity=severity,
        title=title,
        channel=channel,
        since=from_at,
        sizes=sizes,
    )
    edge.in_background(edge.historian.start_due())
    return said


async def include_here(edge: Edge, gesture: Gesture, *, place: Place, since: str | None = None) -> Rendered | None:
    """Take a further place into the incident of the gesture's place, from the moment that the words name."""
    channel = await edge.slack.channel_facts(place.channel)
    now = await asyncio.to_thread(edge.desk.now)
    said = await edge.serve(
        listening.include,
        where=gesture.where,
        by=gesture.by,
        mark=gesture.mark,
        place=place,
        channel=channel,
        since=opening.since_of(since, channel, now=now) if since else None,
    )
    edge.in_background(edge.historian.start_due())
    return said


def _with(user: UserId, channel: ChannelFacts) -> ChannelFacts:
    """Where Slack does not say who is in a channel, whoever speaks in it certainly is."""
    return channel if channel.members else replace(channel, members=(user,))


async def catch_up(edge: Edge) -> None:
    """Ask the channels that a crash left unasked, and read the histories that are wanted."""
    for channel in await edge.look(opening.unasked):
        await maybe_open(edge, ChannelId(channel))
    await edge.historian.start_due()


async def maybe_open(edge: Edge, channel: ChannelId) -> None:
    """A channel whose name says that it is an incident's becomes one; asked once, whatever comes of it."""
    try:
        await _open_by_itself(edge, channel)
    except (Refused, SlackApiError) as why_not:
        # A channel that opens by itself and cannot: nobody asked, so nobody is told.
        log.info("a channel was not opened", extra={"channel": channel, "why": type(why_not).__name__})
    await edge.serve(opening.was_asked, channel_id=channel)


async def _open_by_itself(edge: Edge, channel_id: ChannelId) -> None:
    """A public channel is joined for that."""
    channel = await edge.slack.channel_facts(channel_id)
    if not re.search(edge.desk.house.channel_pattern, channel.name):
        return
    if not channel.bot_is_member and not channel.private:
        await edge.client.conversations_join(channel=channel_id)
        channel = await edge.slack.channel_facts(channel_id)
    await edge.serve(opening.open_by_itself, channel_id=channel_id, channel=channel)
    await edge.historian.start_due()


async def _sizes(edge: Edge, channel: ChannelFacts) -> dict[str, opening.Size]:
    """Messages and members that each choice would take in."""
    now = await asyncio.to_thread(edge.desk.now)
    since = {words: opening.since_of(words, channel, now=now) or now for words in opening.FROM}
    counts = await edge.slack.counts_since(channel.channel, list(since.values()))
    return {
        words: opening.Size(count.messages, len(channel.members), is_all=count.is_all)
        for words, count in zip(since, counts, strict=True)
    }

"""What every gesture shares: who did it and where, how it is served, how its answer gets back."""

import asyncio
import json
import logging
import re
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from aiohttp import ClientError
from slack_bolt.context.ack.async_ack import AsyncAck
from slack_bolt.context.respond.async_respond import AsyncRespond
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.desk import Desk, Notes, Replayed, Turn, Whisper
from bot.historian import Historian, remember_people
from bot.render import Mrkdwn, Rendered, escape
from bot.review.incident import ChannelId, Place, UserId
from bot.review.refusal import Refused
from bot.slack import Slack
from storage import incidents, people
from storage.health import trouble
from storage.incidents import Where
from storage.types import clean

log = logging.getLogger("debrief.listeners")

PATIENCE_S = 2.0
"""After so long a gesture is told that we are working; Slack gives up after three seconds."""
FORM_PATIENCE_S = 1.0
"""After so long a form that is still being built is announced by one that says so."""
MOST_MET = 10
FRESH = timedelta(hours=24)
"""How long we trust what we know of a person."""


WAITING: dict[str, Any] = {
    "type": "modal",
    "title": {"type": "plain_text", "text": "One moment"},
    "close": {"type": "plain_text", "text": "Not now"},
    "blocks": [
        {
            "type": "section",
            "text": {"type": "plain_text", "text": "There is much to read; the form opens here by itself."},
        }
    ],
}


@dataclass(frozen=True, slots=True)
class Gesture:
    """Somebody did something somewhere."""

    by: UserId
    place: Place
    trigger: str = ""
    mark: str | None = None
    incident: int | None = None
    pressed: bool = False
    """A button was pressed, whose own confirmation was given."""

    @property
    def where(self) -> Where:
        return Where(self.place, self.incident)


class Edge:
    """The desk and the Slack we read, as listeners use them."""

    def __init__(
        self, desk: Desk, client: AsyncWebClient, slack: Slack, *, historian: Historian, bot_user: UserId
    ) -> None:
        self.desk = desk
        self.client = client
        self.slack = slack
        self.historian = historian
        self.bot_user = bot_user
        self.background: set[asyncio.Task[None]] = set()

    async def serve(self, ability: Callable[..., Notes | None], **what: Any) -> Rendered | None:
        """Serve an ability in a worker thread."""
        return await asyncio.to_thread(self.desk.serve, ability, **what)

    async def look(self, question: Callable[..., Any], **what: Any) -> Any:
        """Ask a question in a worker thread."""
        return await asyncio.to_thread(self.desk.look, question, **what)

    async def meet(self, *users: str) -> None:
        """Know names and zones of whoever speaks and is spoken of; what Slack does not tell in time stays unknown."""
        await asyncio.gather(*(self._meet(UserId(user)) for user in dict.fromkeys(users[:MOST_MET])))

    async def _meet(self, user: UserId) -> None:
        if await self.look(_is_known, user=user):
            return
        try:
            person = await asyncio.wait_for(self.slack.person(user), 1.0)
        except (Refused, SlackApiError, ClientError, OSError, TimeoutError) as error:
            log.warning("could not read a person", extra={"user": user, "error": type(error).__name__})
            return
        if person:
            await self.serve(remember_people, found=[person])

    async def open_form(self, trigger: str, form: Awaitable[dict[str, Any]]) -> None:
        """Open a form from here and not by the courier, for the trigger is good for three seconds.

        What takes longer to build takes the place of a form that says so.
        """
        task = asyncio.ensure_future(form)
        if await _is_known_in_time(task, FORM_PATIENCE_S):
            await self.client.views_open(trigger_id=trigger, view=await task)
            return
        opened = await self.client.views_open(trigger_id=trigger, view=WAITING)
        if waiting := (opened.get("view") or {}).get("id"):
            await self.client.views_update(view_id=waiting, view=await task)

    async def whisper(self, said: Rendered, gesture: "Gesture") -> None:
        """Give somebody an answer that no open request can carry."""
        place = gesture.place if gesture.place.channel else Place(ChannelId(gesture.by))
        key = gesture.mark or gesture.trigger or secrets.token_hex(8)
        await asyncio.to_thread(self.desk.whisper, said, gesture.by, Whisper(place, key))

    def in_background(self, work: Awaitable[None]) -> None:
        """Let something go on after the answer."""
        task = asyncio.ensure_future(work)
        self.background.add(task)
        task.add_done_callback(self._finished)

    def _finished(self, task: asyncio.Task[None]) -> None:
        self.background.discard(task)
        error = None if task.cancelled() else task.exception()
        if error:
            log.error("something in the background failed", exc_info=error)

    def said(self, template: str, **facts: Any) -> Rendered:
        """A note that changes nothing and is nobody's ability."""
        return self.desk.renderer.render(template, facts)

    def refused(self, refused: Refused) -> Rendered:
        """The sentence of a refusal."""
        sentence = refused.sentence(self.desk.house.command, escape=escape)
        return self.said("refused", sentence=Mrkdwn(sentence))

    def sorry(self, error: BaseException) -> Rendered:
        """One apology, with a number by which the log line is found."""
        reference = secrets.token_hex(3)
        why = trouble(error) or (error.response.get("error") if isinstance(error, SlackApiError) else None)
        # What the database and Slack say of themselves is enough; of anything else we want to know where.
        log.error("a gesture failed", exc_info=None if why else error, extra={"reference": reference, "why": why})
        return self.said("sorry", reference=reference)


def _is_known(turn: Turn, *, user: UserId) -> bool:
    person = people.find(turn.db, turn.team, user)
    return person is not None and person.read_at is not None and turn.now - person.read_at < FRESH


def incident_meant(turn: Turn, *, gesture: Gesture) -> int:
    """The number of the incident a gesture is about; raises NoIncidentHere."""
    return incidents.at(turn.db, turn.team, gesture.where, gesture.by).id


# Getting an answer back -----------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a gesture: what is said to whoever made it, and where it failed why, in plain words for a form."""

    said: Rendered | None
    in_the_way: str | None = None
    field: str = ""
    """The field of the form that is meant, where one is."""


async def answer(edge: Edge, ack: AsyncAck, respond: AsyncRespond, work: Awaitable[Rendered | None]) -> None:
    """Acknowledge with the answer once it is committed; past two seconds, say so and answer afterwards."""
    task = asyncio.ensure_future(work)
    if await _is_known_in_time(task):
        said = await outcome(edge, task)
        await ack(**in_band(said)) if said else await ack()
    else:
        await ack(**in_band(edge.said("working")))
        said = await outcome(edge, task)
        if said:
            await _respond(respond, said, replaces="nothing")


async def answer_press(
    edge: Edge, ack: AsyncAck, respond: AsyncRespond, work: Awaitable[Rendered | None], *, replaces: str
) -> None:
    """Acknowledge a press once it is committed, then answer; the answer takes the place of a whisper it came from."""
    task = asyncio.ensure_future(work)
    await _is_known_in_time(task)
    await ack()
    said = await outcome(edge, task)
    if said:
        await _respond(respond, said, replaces=replaces)


async def _respond(respond: AsyncRespond, said: Rendered, *, replaces: str) -> None:
    """Answer at the gesture's own address, which is good for half an hour and belongs into no log."""
    try:
        await respond(**in_band(said), replace_original=replaces == "whisper")
    except (SlackApiError, ClientError, OSError, TimeoutError, ValueError, TypeError) as error:
        log.warning("an answer could not be given", extra={"error": type(error).__name__})


async def answer_form(
    edge: Edge,
    ack: AsyncAck,
    gesture: Gesture,
    work: Awaitable[Rendered | None],
    *,
    beside: str,
    then: Callable[[], Awaitable[dict[str, Any] | None]] | None = None,
) -> None:
    """Close a form once it is committed, or say beside a field what is in the way; what takes longer is whispered.

    Where there is a next form, it takes the place of the one that was sent.
    """
    task = asyncio.ensure_future(work)
    in_time = await _is_known_in_time(task)
    if not in_time:
        await ack()
    found = await _settled(edge, task)
    if in_time and found.in_the_way:
        words = await edge.look(in_plain_words, words=found.in_the_way, by=gesture.by)
        await ack(response_action="errors", errors={found.field or beside: words})
        return
    if in_time:
        following = await then() if then else None
        await (ack(response_action="update", view=following) if following else ack())
    if found.said:
        await edge.whisper(found.said, gesture)


IN_CODE = re.compile(r"`([^`\n]+)`")
PERSON = re.compile(r"<@([A-Z0-9]+)(?:\|[^>]*)?>")
CHANNEL = re.compile(r"<#([A-Z0-9]+)(?:\|[^>]*)?>")


def in_plain_words(turn: Turn, *, words: str, by: UserId) -> str:
    """For the foot of a form's field, where Slack reads no markup: names in place of ids, quotes in place of code."""
    names = people.names(turn.db, turn.team, set(PERSON.findall(words)))
    named = PERSON.sub(lambda found: f"@{names[found[1]]}" if found[1] in names else "that person", clean(words))
    return IN_CODE.sub(r"“\1”", CHANNEL.sub(lambda found: _channel_in_words(turn, found, by), named))


def _channel_in_words(turn: Turn, found: re.Match[str], by: UserId) -> str:
    """A private channel has a name for its members alone."""
    row = people.channel(turn.db, turn.team, found[1])
    if row and row.name and (row.private_since is None or by in people.members(turn.db, turn.team, found[1])):
        return f"#{row.name}"
    return "that channel" if found.start() else "That channel"


async def outcome(edge: Edge, work: Awaitable[Rendered | None]) -> Rendered | None:
    """The answer, or the sentence of a refusal, or the apology."""
    return (await _settled(edge, work)).said


async def _is_known_in_time(task: "asyncio.Future[Any]", patience_s: float | None = None) -> bool:
    done, _ = await asyncio.wait({task}, timeout=PATIENCE_S if patience_s is None else patience_s)
    return bool(done)


async def _settled(edge: Edge, work: Awaitable[Rendered | None]) -> Outcome:
    """The one place where a gesture's failure is caught: unanswered, Slack would only say that it had trouble."""
    try:
        return Outcome(await work)
    except Refused as refused:
        return Outcome(edge.refused(refused), refused.sentence(edge.desk.house.command), refused.field)
    except Replayed:
        return Outcome(None)
    except Exception as error:  # noqa: BLE001
        sorry = edge.sorry(error)
        return Outcome(sorry, sorry.text)


def in_band(said: Rendered) -> dict[str, Any]:
    return {"text": said.text, "blocks": said.blocks, "response_type": "ephemeral"}


# Reading what Slack sends ---------------------------------------------------------------


def of_command(body: dict[str, Any], mark: str | None) -> Gesture:
    return Gesture(UserId(body["user_id"]), Place(ChannelId(body["channel_id"])), body.get("trigger_id", ""), mark)


def of_mention(event: dict[str, Any]) -> Gesture:
    place = Place(ChannelId(event["channel"]), event.get("thread_ts") or "")
    return Gesture(UserId(event["user"]), place, mark=f"mention:{event['channel']}:{event['ts']}")


def of_press(body: dict[str, Any], mark: str | None) -> tuple[Gesture, str]:
    """The gesture of a pressed button, and what it types."""
    action = body["actions"][0]
    verb = action["action_id"].split(":")[1]
    value = _value(action)
    gesture = Gesture(UserId(body["user"]["id"]), place_of(body), body.get("trigger_id", ""), mark, pressed=True)
    return replace(gesture, incident=value.get("incident")), f"{verb} {value.get('text') or ''}".strip()


def _value(action: dict[str, Any]) -> dict[str, Any]:
    if action.get("type") == "plain_text_input":
        return {"text": action.get("value")}
    chosen = action.get("value") or (action.get("selected_option") or {}).get("value") or "{}"
    try:
        value = json.loads(chosen)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def place_of(body: dict[str, Any]) -> Place:
    """Where an interaction happened; in the Home tab or a form there is no channel.

    A message that others replied to names its own thread, and stands in the channel all the same.
    """
    channel = (body.get("channel") or {}).get("id") or (body.get("container") or {}).get("channel_id") or ""
    message = body.get("message") or {}
    thread = message.get("thread_ts") or (body.get("container") or {}).get("thread_ts") or ""
    return Place(ChannelId(channel), "" if thread == message.get("ts") else thread)


def is_whisper(body: dict[str, Any]) -> bool:
    return bool((body.get("container") or {}).get("is_ephemeral"))

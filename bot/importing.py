"""An incident from before: one channel of an export, taken in page by page."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bot import archiving
from bot.desk import Notes, Turn
from bot.review.heard import ChannelFact, MessageFact, PersonFact, moment_of, read_message, read_reactions
from bot.review.incident import read_severity
from bot.review.lifecycle import Role
from storage import channels, incidents, people, reactions, reviews, timeline
from storage import messages as archive
from storage.models import Incident


@dataclass(frozen=True)
class Imported:
    """What of a channel is here by import."""

    incident: int
    title: str
    messages: int
    events: int


def import_export(
    turn: Turn,
    *,
    channel: Mapping[str, Any],
    persons: Sequence[Mapping[str, Any]],
    messages: Sequence[Mapping[str, Any]],
    title: str | None = None,
    severity: str | None = None,
) -> Notes:
    """Take in a page of an exported channel, oldest page first; taking it in again adds nothing.

    1. The first page opens the incident at its first message's time; moments stay unset.
    2. Its source ends with the last message, so that the same channel can be followed live.
    3. The first person to write leads it.
    """
    _remember(turn, persons)
    times = [moment_of(fact.ts) for fact in (read_message(one, channel["id"]) for one in messages) if fact]
    if not times:
        return []
    incident = channels.imported(turn.db, turn.team, channel["id"]) or _open(
        turn, channel, min(times), title=title, severity=severity
    )
    source = incidents.sources(turn.db, incident.id)[0]
    source.from_at, source.until_at = min(source.from_at, *times), max(source.until_at or times[0], *times)
    turn.db.flush()
    facts = _keep(turn, incident, channel["id"], messages)
    _let_first_lead(turn, incident, facts)
    _warn_nobody(turn, facts)
    return []


def _warn_nobody(turn: Turn, facts: Sequence[MessageFact]) -> None:
    """Of secrets in an export nobody is told, however young it is: who imports it has it anyway."""
    for fact in facts:
        row = archive.find(turn.db, turn.team, fact.channel, fact.ts) if fact.hidden else None
        if row:
            row.warned_at = row.warned_at or turn.now


def imported(turn: Turn, *, channel_id: str) -> Imported | None:
    """What was taken in of a channel; None where nothing was."""
    incident = channels.imported(turn.db, turn.team, channel_id)
    if incident is None:
        return None
    events = len(timeline.told(turn.db, incident.id))
    return Imported(incident.id, incident.title, archive.count_of_incident(turn.db, incident.id), events)


def _keep(turn: Turn, incident: Incident, channel: str, messages: Sequence[Mapping[str, Any]]) -> list[MessageFact]:
    facts = [fact for fact in (read_message(message, channel) for message in messages) if fact]
    emoji = [fact for message in messages for fact in read_reactions(message, channel)]
    archive.keep(turn.db, turn.team, *facts)
    reactions.keep(turn.db, turn.team, *emoji)
    archiving.follow(turn, incident, emoji, came="import")
    archiving.mark_drawn(turn, emoji)
    return facts


def _open(turn: Turn, channel: Mapping[str, Any], at: datetime, *, title: str | None, severity: str | None) -> Incident:
    incident = incidents.begin(
        turn.db,
        turn.team,
        (title or "").strip() or channel["name"],
        severity=read_severity(severity).value if severity else None,
        by=None,
        private=bool(channel.get("private")),
        now=at,
    )
    channels.mark_imported(turn.db, incident, channel["id"], channel["name"], at=at, now=turn.now)
    reviews.begin(turn.db, incident)
    _know_channel(turn, channel, at)
    return incident


def _know_channel(turn: Turn, channel: Mapping[str, Any], at: datetime) -> None:
    """What the export says of it, where Slack itself has said nothing yet."""
    channel_id = channel["id"]
    if people.channel(turn.db, turn.team, channel_id) is None:
        created = channel.get("created")
        fact = ChannelFact(channel=channel_id, at=at, name=channel["name"], created_at=created, how="renamed")
        channels.keep_channel(turn.db, turn.team, fact)
        channels.know_members(turn.db, turn.team, channel_id, channel.get("members") or (), now=turn.now)
    if channel.get("private"):
        channels.make_private(turn.db, turn.team, channel_id, at=at)


def _remember(turn: Turn, exported: Sequence[Mapping[str, Any]]) -> None:
    """People whom Slack itself has described are left as they are."""
    for person in exported:
        if people.find(turn.db, turn.team, person["user_id"]) is None:
            fact = PersonFact(
                user_id=person["user_id"],
                name=person.get("real_name") or person.get("name") or "",
                zone=person.get("tz") or "",
                email=person.get("email"),
                is_bot=bool(person.get("is_bot")),
                deleted=bool(person.get("deleted")),
                restricted=bool(person.get("guest")),
                teams=tuple(filter(None, [person.get("team")])),
            )
            channels.keep_person(turn.db, turn.team, fact, now=turn.now)


def _let_first_lead(turn: Turn, incident: Incident, facts: Sequence[MessageFact]) -> None:
    if incidents.roles(turn.db, incident.id).lead:
        return
    programs = people.bots(turn.db, turn.team)
    for fact in sorted(facts, key=lambda one: moment_of(one.ts)):
        spoke = fact.subtype not in archive.OF_THE_CHANNEL
        if spoke and fact.user and not fact.bot_id and fact.user not in programs:
            incidents.give_role(turn.db, incident, Role.lead, fact.user, by=None, now=moment_of(fact.ts))
            return

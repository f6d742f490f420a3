"""Deeds: an ability with what it is given, and how what it needs besides the words is found for it."""

from collections.abc import Callable, Mapping
from dataclasses import KW_ONLY, dataclass
from enum import StrEnum
from typing import Any

from bot import discussing, facilitating, leading_through, meeting_apart, reporting
from bot.desk import Notes
from bot.listeners.edge import Edge, Gesture
from bot.listeners.opening import include_here, open_here
from bot.render import Rendered
from bot.review.incident import ChannelId
from bot.review.refusal import NoIncidentHere, NotInMeeting

What = dict[str, Any]
Ability = Callable[..., Notes]


class Needs(StrEnum):
    """What an ability is given besides what somebody typed or filled in."""

    nothing = "nothing"
    """What it is about is named."""
    place = "place"
    """Where it was asked: the incident is the one that is spoken of there."""
    channel = "channel"
    """The place, and what Slack says of its channel: nothing is tracked there yet."""
    seen = "seen"
    """The place, and what Slack says of its channel now."""
    further = "further"
    """The place, and what Slack says of the channel of another place."""
    compared = "compared"
    """The place, and the channels of its incident that Slack did not let us compare with the archive just now."""
    audience = "audience"
    """The place, and who reads the channel that `to` names."""


@dataclass(frozen=True, slots=True)
class Deed:
    """What a gesture comes to: the ability, what it is given, and what else it needs."""

    ability: Ability
    what: What
    _: KW_ONLY
    needs: Needs = Needs.place
    touches_agenda: bool = False
    """Changes what the agenda of an open meeting shows."""


async def do(edge: Edge, gesture: Gesture, deed: Deed) -> Rendered | None:
    """Serve a deed and give its answer; the agenda follows in its own time, for what was done stands already."""
    if deed.needs is Needs.channel:
        return await open_here(edge, gesture, **deed.what)
    if deed.needs is Needs.further:
        return await include_here(edge, gesture, **deed.what)
    more = await _found(edge, gesture, deed)
    said = await edge.serve(deed.ability, by=gesture.by, mark=gesture.mark, **deed.what, **more)
    if deed.touches_agenda:
        edge.in_background(_refresh_agenda(edge, gesture))
    return said


async def _found(edge: Edge, gesture: Gesture, deed: Deed) -> Mapping[str, Any]:
    match deed.needs:
        case Needs.nothing:
            return {}
        case Needs.seen:
            return {"where": gesture.where, "channel": await edge.slack.channel_facts(gesture.place.channel)}
        case Needs.compared:
            incident = await edge.look(reporting.to_draft, where=gesture.where, by=gesture.by)
            return {"where": gesture.where, "uncompared": await edge.historian.compare(incident)}
        case Needs.audience:
            to = deed.what["to"]
            readers = await edge.slack.channel_facts(ChannelId(to)) if to else None
            return {"where": gesture.where, "audience": readers}
        case _:
            return {"where": gesture.where}


SHOWN: tuple[Ability, ...] = (
    facilitating.refresh,
    leading_through.refresh,
    discussing.refresh,
    meeting_apart.refresh,
)


async def _refresh_agenda(edge: Edge, gesture: Gesture) -> None:
    """Let whatever shows a review under way show what was just noted; without one there is nothing to do."""
    try:
        for ability in SHOWN:
            await edge.serve(ability, where=gesture.where, by=gesture.by)
    except (NoIncidentHere, NotInMeeting):
        return

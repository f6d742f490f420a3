"""What Slack's client makes of what a person types: entities, links, mentions, and rich text beside it."""

from __future__ import annotations

import re
from typing import Any

from bot.sandbox.workspace import NotThere, Workspace

Json = dict[str, Any]

ALREADY = re.compile(r"(<(?:[@#!][^<>\s]+|(?:https?|mailto):[^<>]+)>)")
LINK = re.compile(r"(https?://[^\s<>|]*[^\s<>|.,;:!?)'\"])")
MENTION = re.compile(r"(?<![\w/])([@#])([\w.-]*\w)")
BARE_AMPERSAND = re.compile(r"&(?!(?:amp|lt|gt);)")
TOKEN = re.compile(
    r"<@(?P<user>[UW]\w+)(?:\|[^>]*)?>"
    r"|<#(?P<channel>[CG]\w+)(?:\|[^>]*)?>"
    r"|<(?P<url>https?:[^>|]+)(?:\|(?P<label>[^>]*))?>"
)


def typed(workspace: Workspace, text: str, *, named: bool = False) -> str:
    """The text as Slack keeps it; what is in Slack's own form already stays. `named` writes <@U…|name>."""
    parts = ALREADY.split(text)
    return "".join(part if place % 2 else _with_links(workspace, part, named=named) for place, part in enumerate(parts))


def rich_text(workspace: Workspace, text: str) -> list[Json]:
    """The block Slack's client adds to what a person types."""
    elements: list[Json] = []
    position = 0
    for match in TOKEN.finditer(text):
        elements += _text_element(text[position : match.start()])
        elements.append(_element(match))
        position = match.end()
    elements += _text_element(text[position:])
    section = {"type": "rich_text_section", "elements": elements}
    return [{"type": "rich_text", "block_id": workspace.new_hex(5), "elements": [section]}]


def _with_links(workspace: Workspace, text: str, *, named: bool) -> str:
    parts = LINK.split(text)
    return "".join(
        f"<{_escaped(part)}>" if place % 2 else _with_mentions(workspace, _escaped(part), named=named)
        for place, part in enumerate(parts)
    )


def _escaped(text: str) -> str:
    return BARE_AMPERSAND.sub("&amp;", text).replace("<", "&lt;").replace(">", "&gt;")


def _with_mentions(workspace: Workspace, text: str, *, named: bool) -> str:
    def replace(match: re.Match[str]) -> str:
        sign, name = match.groups()
        group = next((g for g in workspace.usergroups.values() if g["handle"] == name), None)
        if sign == "@" and group:
            return f"<!subteam^{group['id']}>"
        try:
            thing = workspace.user(name) if sign == "@" else workspace.channel(name)
        except NotThere:
            return match.group(0)
        return f"<{sign}{thing.id}|{thing.name}>" if named else f"<{sign}{thing.id}>"

    return MENTION.sub(replace, text)


def _text_element(text: str) -> list[Json]:
    unescaped = text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
    return [{"type": "text", "text": unescaped}] if text else []


def _element(match: re.Match[str]) -> Json:
    if match["user"]:
        return {"type": "user", "user_id": match["user"]}
    if match["channel"]:
        return {"type": "channel", "channel_id": match["channel"]}
    link = {"type": "link", "url": match["url"].replace("&amp;", "&")}
    return link | ({"text": match["label"]} if match["label"] else {})

"""Slack's user groups, which stand for teams, as Slack describes them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, cast

ID = re.compile(r"[A-Za-z0-9_-]{1,80}")
LONGEST_HANDLE = 80


@dataclass(frozen=True, slots=True)
class GroupFact:
    """A user group and who is in it; `is_gone` where it was disabled."""

    group_id: str
    handle: str
    name: str
    members: tuple[str, ...] = ()
    is_gone: bool = False


def read_groups(said: object) -> list[GroupFact]:
    """The groups of an answer, each once; what is not shaped as one is passed over.

    Those that Slack keeps by itself, of its owners and admins, are no teams and are passed over, too.
    """
    found = (_read(group) for group in _list(said))
    return list({group.group_id: group for group in found if group}.values())


def _read(group: object) -> GroupFact | None:
    said = cast("Mapping[str, Any]", group if isinstance(group, Mapping) else {})
    group_id = said.get("id")
    if not _is_id(group_id) or said.get("auto_type"):
        return None
    return GroupFact(
        group_id=str(group_id),
        handle=_word(said, "handle").removeprefix("@")[:LONGEST_HANDLE],
        name=_word(said, "name"),
        members=tuple(dict.fromkeys(str(user) for user in _list(said.get("users")) if _is_id(user))),
        is_gone=bool(said.get("date_delete")),
    )


def _list(value: object) -> Iterator[object]:
    yield from cast("list[object]", value) if isinstance(value, list) else ()


def _is_id(value: object) -> bool:
    return isinstance(value, str) and ID.fullmatch(value) is not None


def _word(said: Mapping[str, Any], name: str) -> str:
    value = said.get(name)
    return value.strip() if isinstance(value, str) else ""

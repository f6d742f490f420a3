"""Whose turn it is to take a role: who took it longest ago, or never (S2: rotate fairly)."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import UTC, datetime

from bot.review.incident import UserId

NEVER = datetime.min.replace(tzinfo=UTC)


def propose(
    pool: Collection[str], last_held: Mapping[str, datetime], *, never: Collection[str | None]
) -> UserId | None:
    """The person of the pool who took the role longest ago; None where all of them are left out."""
    free = sorted(set(pool) - set(never), key=lambda user: (last_held.get(user, NEVER), user))
    return UserId(free[0]) if free else None

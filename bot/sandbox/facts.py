"""What each Web API method asks and answers, from the public method reference (`facts.json`, 2026-08-20)."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

# Errors that any method may answer, whatever its own list says (from the reference's general page).
COMMON_ERRORS = frozenset(
    {
        "not_authed",
        "invalid_auth",
        "token_revoked",
        "account_inactive",
        "not_allowed_token_type",
        "missing_scope",
        "invalid_arguments",
        "invalid_json",
        "json_not_object",
        "method_not_allowed",
        "ratelimited",
        "unknown_method",
        "internal_error",
        "fatal_error",
        "service_unavailable",
    }
)
CALLS_A_MINUTE = {1: 1, 2: 20, 3: 50, 4: 100}

# Conversation methods ask the scope of the kind of conversation they are used on.
SCOPE_PREFIX = {"channel": "channels:", "group": "groups:", "im": "im:", "mpim": "mpim:"}


@dataclass(frozen=True)
class Method:
    """One row: `tier` 0 has no limit of its own; any one of `scopes` is enough."""

    name: str
    verb: str
    tier: int
    json: bool
    required: tuple[str, ...]
    optional: tuple[str, ...]
    scopes: tuple[str, ...]
    errors: frozenset[str]

    def may_answer(self, error: str) -> bool:
        return error in self.errors or error in COMMON_ERRORS

    def missing_argument_error(self) -> str:
        for error in ("missing_argument", "missing_args"):
            if error in self.errors:
                return error
        return "invalid_arguments"


@cache
def methods() -> dict[str, Method]:
    return {name: _method(name, row) for name, row in _data()["methods"].items()}


@cache
def event_scopes() -> dict[str, tuple[str, ...]]:
    """Event name, with the kind of conversation for messages (`message.im`), to the scopes of which one is needed."""
    return {name: tuple(scopes) for name, scopes in _data()["events"].items()}


@cache
def all_bot_scopes() -> frozenset[str]:
    """Every scope there is but chat:write.public, so that posting where the bot is no member is refused."""
    of_methods = {scope for method in methods().values() for scope in method.scopes}
    of_events = {scope for scopes in event_scopes().values() for scope in scopes}
    return frozenset(of_methods | of_events | {"commands", "chat:write.customize"})


def _method(name: str, row: dict) -> Method:
    return Method(
        name=name,
        verb=row["verb"],
        tier=row["tier"],
        json=row["json"],
        required=tuple(row["required"]),
        optional=tuple(row["optional"]),
        scopes=tuple(row["scopes"]),
        errors=frozenset(row["errors"]),
    )


@cache
def _data() -> dict:
    return json.loads(files("bot.sandbox").joinpath("facts.json").read_text())

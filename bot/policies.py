"""Reads the review policy, one TOML file; whatever cannot be used in it is a sentence that names line and key."""

import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Literal, Self, cast

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from bot.review.incident import ChannelId, Severity, UserId
from bot.review.policy import DEFAULT, Asked, Depth, Policy, Pool, Rates, Sharing

LARGEST = 32 * 1024
"""Bytes; a policy has some fifty lines."""
MOST = 200
"""Names in one list."""
MOST_HOURS = 720


class BadPolicy(Exception):
    """One sentence for whoever wrote the file."""


def read(path: Path) -> Policy:
    """The policy of this file, with the defaults for whatever it leaves out; raises BadPolicy."""
    text = _text(path)
    table = _table(text, path.name)
    try:
        written = _Written.model_validate(table)
    except ValidationError as error:
        raise BadPolicy(_sentence(error, text, path.name)) from None
    return written.policy(frozenset(_leaves(table)))


def _text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            kept = file.read(LARGEST + 1)
    except OSError as error:
        raise BadPolicy(f"{path} cannot be read ({error.strerror}): name a TOML file") from None
    if len(kept) > LARGEST:
        raise BadPolicy(f"{path.name} is larger than {LARGEST // 1024} kB: name a TOML file that holds a policy")
    try:
        return kept.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = kept[: error.start].count(b"\n") + 1
        raise BadPolicy(f"line {line} of {path.name} is not UTF-8: save the file as UTF-8") from None


def _table(text: str, name: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        where = re.search(r" \(at line (\d+), column (\d+)\)$", str(error))
        line = int(where[1]) if where else text.count("\n") + 1
        why = str(error)[: where.start()] if where else str(error).removesuffix(" (at end of document)")
        raise BadPolicy(f"line {line} of {name} is not TOML: {why[0].lower()}{why[1:]}") from None
    except RecursionError:
        raise BadPolicy(f"{name} is nested too deeply: a policy has tables and keys") from None


def _leaves(table: Mapping[str, Any], above: str = "") -> list[str]:
    """Every key that has a value, with the names of its tables: `severities.sev1.minutes`."""
    found: list[str] = []
    for key, value in table.items():
        name = f"{above}{key}"
        found += _leaves(value, f"{name}.") if isinstance(value, dict) else [name]
    return found


# What may stand in it ---------------------------------------------------------------------

Person = Annotated[str, Field(pattern=r"^[UW][A-Z0-9]{2,}$", max_length=40)]
Channel = Annotated[str, Field(pattern=r"^[CG][A-Z0-9]{2,}$", max_length=40)]
Group = Annotated[str, Field(pattern=r"^@?[\w.\-]+$", max_length=80)]
People = Annotated[list[Person], Field(max_length=MOST)]
Amount = Annotated[float, Field(gt=0, le=1e9, allow_inf_nan=False)]
Hours = Annotated[int, Field(ge=1, le=MOST_HOURS)]


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class _Asked(_Table):
    review: Literal["full", "light", "async", "none"] | None = None
    minutes: Annotated[int, Field(ge=15, le=240)] | None = None
    briefing: bool | None = None
    private_question: bool | None = None

    def over(self, default: Asked) -> Asked:
        given = self.model_dump(exclude_none=True, exclude={"review"})
        return replace(default, depth=Depth(self.review) if self.review else default.depth, **given)


class _Severities(_Table):
    sev1: _Asked = _Asked()
    sev2: _Asked = _Asked()
    sev3: _Asked = _Asked()
    sev4: _Asked = _Asked()
    unknown: _Asked = _Asked()


class _Sharing(_Table):
    people: People = []
    managers: People = []
    channels: Annotated[list[Channel], Field(max_length=MOST)] = []


class _Pool(_Table):
    groups: Annotated[list[Group], Field(max_length=MOST)] = []
    people: People = []

    def pool(self) -> Pool:
        return Pool(groups=_once(group.removeprefix("@") for group in self.groups), people=_users(self.people))


class _Rates(_Table):
    hour: Amount | None = None
    revenue_per_minute: Amount | None = None
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")] = DEFAULT.rates.currency


class _Window(_Table):
    """After mitigation, in elapsed hours."""

    opens: Hours = int(DEFAULT.window[0] / timedelta(hours=1))
    closes: Hours = int(DEFAULT.window[1] / timedelta(hours=1))

    @model_validator(mode="after")
    def _is_a_day_long(self) -> Self:
        """Anything shorter can lie wholly at night, in every week of the year."""
        if self.closes - self.opens < 24:
            raise ValueError("let it close at least 24 hours after it opens, such as opens = 48 and closes = 72")
        return self


class _Written(_Table):
    pre_read_hours: Annotated[int, Field(ge=1, le=168)] = int(DEFAULT.pre_read_lead / timedelta(hours=1))
    async_hours: Annotated[int, Field(ge=4, le=336)] = int(DEFAULT.async_deadline / timedelta(hours=1))
    soak_days: Annotated[int, Field(ge=0, le=30)] = DEFAULT.soak_days
    escalation: People = []
    window_hours: _Window = _Window()
    severities: _Severities = _Severities()
    sharing: _Sharing = _Sharing()
    leaders: _Pool = _Pool()
    facilitators: _Pool = _Pool()
    scribes: _Pool = _Pool()
    business: dict[Annotated[str, Field(min_length=1, max_length=80)], People] = {}
    rates: _Rates = _Rates()

    def policy(self, given: frozenset[str]) -> Policy:
        severities: Mapping[str, _Asked] = {name: getattr(self.severities, name) for name in Severity}
        return Policy(
            severities={Severity(name): asked.over(DEFAULT.asked_for(name)) for name, asked in severities.items()},
            unknown=self.severities.unknown.over(DEFAULT.unknown),
            window=(timedelta(hours=self.window_hours.opens), timedelta(hours=self.window_hours.closes)),
            pre_read_lead=timedelta(hours=self.pre_read_hours),
            async_deadline=timedelta(hours=self.async_hours),
            soak_days=self.soak_days,
            sharing=Sharing(
                people=_users(self.sharing.people),
                managers=_users(self.sharing.managers),
                channels=tuple(ChannelId(channel) for channel in _once(self.sharing.channels)),
            ),
            escalation=_users(self.escalation),
            leaders=self.leaders.pool(),
            facilitators=self.facilitators.pool(),
            scribes=self.scribes.pool(),
            business=self.functions(),
            rates=Rates(**self.rates.model_dump()),
            given=given,
        )

    def functions(self) -> Mapping[str, tuple[UserId, ...]]:
        """Those that differ in case alone are one."""
        known: dict[str, tuple[UserId, ...]] = {}
        for written, users in self.business.items():
            function = " ".join(written.lower().split())
            known[function] = _users([*known.get(function, ()), *users])
        return known


def keys(table: type[BaseModel] = _Written, above: str = "") -> list[str]:
    """Every key that may stand in a policy, as `Policy.given` names it; of `business` the table alone."""
    found: list[str] = []
    for name, field in table.model_fields.items():
        kind = field.annotation
        inner = isinstance(kind, type) and issubclass(kind, BaseModel)
        found += keys(cast("type[BaseModel]", kind), f"{above}{name}.") if inner else [f"{above}{name}"]
    return found


def _users(users: Sequence[str]) -> tuple[UserId, ...]:
    return tuple(UserId(user) for user in _once(users))


def _once(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(names))


# What is said of it -------------------------------------------------------------------------

PEOPLE = 'give a list of Slack\'s ids of people, such as ["U024BE7LH"]'
MENDS: Mapping[str, str] = {
    "review": 'give "full", "light", "async" or "none"',
    "minutes": "give minutes from 15 to 240, such as 60",
    "briefing": "give true or false",
    "private_question": "give true or false",
    "opens": f"give hours from 1 to {MOST_HOURS}, such as 48",
    "closes": f"give hours from 1 to {MOST_HOURS}, such as 72",
    "pre_read_hours": "give hours from 1 to 168, such as 24",
    "async_hours": "give hours from 4 to 336, such as 48",
    "soak_days": "give working days from 0 to 30, such as 2",
    "people": PEOPLE,
    "managers": PEOPLE,
    "escalation": PEOPLE,
    "channels": 'give a list of Slack\'s ids of channels, such as ["C024BE91L"]',
    "groups": 'give a list of user groups by handle or id, such as ["sre"]',
    "hour": "give an amount above 0, such as 85, or leave it out",
    "revenue_per_minute": "give an amount above 0, such as 1200, or leave it out",
    "currency": 'give three capital letters, such as "EUR"',
}
TABLES = {"window_hours", "severities", "sharing", "leaders", "facilitators", "scribes", "business", "rates"}


def _sentence(error: ValidationError, text: str, name: str) -> str:
    """The first thing in the way: its line, its key, and how to mend it."""
    found = {_path(wrong["loc"]): wrong for wrong in reversed(error.errors())}
    lines = _lines(text, found)
    path = min(found, key=lambda path: (lines.get(path, 1), path))
    mend = _mend(found[path]["type"], path, found[path]["msg"])
    return f"line {lines.get(path, 1)} of {name}, {'.'.join(path)}: {mend}"


def _path(where: Sequence[int | str]) -> tuple[str, ...]:
    return tuple(part for part in where if isinstance(part, str) and part != "[key]")


def _mend(kind: str, path: Sequence[str], message: str) -> str:
    if kind == "extra_forbidden":
        return _unknown(path)
    if kind == "value_error":
        return message.removeprefix("Value error, ")
    if path[0] == "business" and len(path) > 1:
        return PEOPLE
    return MENDS.get(path[-1], f"give a table, begun by [{'.'.join(path)}]")


def _unknown(path: Sequence[str]) -> str:
    table = _Written
    for part in path[:-1]:
        table = cast("type[_Written]", table.model_fields[part].annotation)
    known = list(table.model_fields)
    nearest = get_close_matches(path[-1], known, n=1, cutoff=0.6)
    offered = f"the nearest is {nearest[0]}" if nearest else f"those I know are {', '.join(known)}"
    return f"there is no such key here; {offered}"


def _lines(text: str, paths: Iterable[tuple[str, ...]]) -> dict[tuple[str, ...], int]:
    """Where the statement begins that first writes each of these keys.

    The file is read line by line: as soon as a beginning of it is TOML and holds the key, it is found.
    """
    lines, begins, found, wanted = text.split("\n"), 1, dict[tuple[str, ...], int](), set(paths)
    for number in range(1, len(lines) + 1):
        try:
            known = tomllib.loads("\n".join(lines[:number]))
        except tomllib.TOMLDecodeError:
            continue
        found |= {path: begins for path in wanted - found.keys() if _holds(known, path)}
        if len(found) == len(wanted):
            break
        begins = number + 1
    return found


def _holds(known: Any, path: Sequence[str]) -> bool:
    for part in path:
        if not isinstance(known, dict) or part not in known:
            return False
        known = known[part]
    return True

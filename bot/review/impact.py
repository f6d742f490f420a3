"""What was felt, and by whom (S2)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

LISTS = ("regions", "services", "teams", "functions")


@dataclass(frozen=True, kw_only=True)
class Impact:
    """As people reported it; what nobody filled in is empty, and `inquiries` is None where nobody counted."""

    customers: str = ""
    regions: tuple[str, ...] = ()
    services: tuple[str, ...] = ()
    teams: tuple[str, ...] = ()
    functions: tuple[str, ...] = ()
    inquiries: int | None = None
    text: str = ""

    @property
    def is_known(self) -> bool:
        """Whether anybody has said anything about it."""
        return self != Impact()

    def to_json(self) -> dict[str, Any]:
        """Plain JSON; an empty object where nothing is known."""
        if not self.is_known:
            return {}
        return asdict(self) | {name: list(getattr(self, name)) for name in LISTS}

    @classmethod
    def from_json(cls, kept: Mapping[str, Any] | None) -> Impact:
        """The impact that `to_json` kept; what it does not know is left out."""
        known = {field.name for field in fields(cls)}
        facts = {name: fact for name, fact in (kept or {}).items() if name in known}
        lists: dict[str, Any] = {name: tuple(facts.get(name, ())) for name in LISTS}
        return cls(**facts | lists)

    def lines(self) -> list[tuple[str, str]]:
        """Label and words of everything that is known, in the order of the form."""
        said = (
            ("Customers", self.customers),
            ("Regions", ", ".join(self.regions)),
            ("Services", ", ".join(self.services)),
            ("Teams", ", ".join(self.teams)),
            ("Business functions", ", ".join(self.functions)),
            ("Inquiries", "" if self.inquiries is None else str(self.inquiries)),
            ("In words", self.text),
        )
        return [(label, words) for label, words in said if words]


def read_list(words: str) -> tuple[str, ...]:
    """`checkout, search; mail` as three names, each once."""
    names = (name.strip() for name in re.split(r"[,;\n]", words))
    return tuple(dict.fromkeys(name for name in names if name))

"""What was felt, and by whom (S2)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from datetime import timedelta
from typing import Any

from bot.review.policy import Rates

LISTS = ("regions", "services", "teams", "functions")
RARE = {"displaced", "lost"}
"""Left out where nobody filled them in: what reads an impact knew them later than the rest."""


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
    displaced: str = ""
    """What other work it displaced (S2)."""
    lost: float | None = None
    """Revenue that was lost, where somebody counted it."""

    @property
    def is_known(self) -> bool:
        """Whether anybody has said anything about it."""
        return self != Impact()

    def to_json(self) -> dict[str, Any]:
        """Plain JSON; an empty object where nothing is known."""
        if not self.is_known:
            return {}
        kept = asdict(self) | {name: list(getattr(self, name)) for name in LISTS}
        return {name: fact for name, fact in kept.items() if name not in RARE or fact not in {None, ""}}

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
            ("Other work it displaced", self.displaced),
        )
        return [(label, words) for label, words in said if words]


# What it cost -----------------------------------------------------------------------------


@dataclass(frozen=True)
class Cost:
    """An amount of money in words, and how it comes about."""

    label: str
    amount: str
    formula: str

    @property
    def words(self) -> str:
        """`EUR 252,000 (revenue lost = …)`."""
        return f"{self.amount} ({self.formula})"


def costs(rates: Rates, impact: Impact, *, lasted: timedelta | None, together: timedelta | None) -> list[Cost]:
    """What can be told of the money (S2): nothing without a rate, and nothing of what is not known.

    `lasted` is the time the impact was felt, `together` what all people worked on it.
    """
    return [cost for cost in (_revenue(rates, impact, lasted), _response(rates, together)) if cost]


def _revenue(rates: Rates, impact: Impact, lasted: timedelta | None) -> Cost | None:
    if rates.revenue_per_minute is None:
        return None
    if impact.lost is not None:
        return Cost("Revenue lost", money(impact.lost, rates), "as people counted it")
    if lasted is None:
        return None
    minutes = int(lasted / timedelta(minutes=1))
    rate = money(rates.revenue_per_minute, rates)
    formula = f"revenue lost = impact minutes × revenue per minute = {minutes:,} × {rate}"
    return Cost("Revenue lost", money(minutes * rates.revenue_per_minute, rates), formula)


def _response(rates: Rates, together: timedelta | None) -> Cost | None:
    if rates.hour is None or together is None:
        return None
    hours = round(together / timedelta(hours=1), 1)
    formula = f"response cost = hours of all people × hourly rate = {hours:,} × {money(rates.hour, rates)}"
    return Cost("Response cost", money(hours * rates.hour, rates), formula)


def money(amount: float, rates: Rates) -> str:
    """`EUR 252,000`, and `EUR 8.50` where cents matter."""
    return f"{rates.currency} {amount:,.0f}" if amount >= CENTS_MATTER_BELOW else f"{rates.currency} {amount:,.2f}"


CENTS_MATTER_BELOW = 100


def read_amount(words: str) -> float | None:
    """`90000`, `90,000` or `90 000.50`; None for what is no amount."""
    bare = re.sub(r"[\s,'’_]", "", words)
    return float(bare) if re.fullmatch(r"[0-9]{1,12}(\.[0-9]{1,2})?", bare) else None


def read_list(words: str) -> tuple[str, ...]:
    """`checkout, search; mail` as three names, each once."""
    names = (name.strip() for name in re.split(r"[,;\n]", words))
    return tuple(dict.fromkeys(name for name in names if name))

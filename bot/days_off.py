"""Weekends and public holidays of the country that a person's time zone belongs to."""

import re
from collections.abc import Iterable, Mapping
from datetime import date
from functools import cache
from importlib.resources import files
from types import ModuleType

from bot.review.meeting_time import DaysOff

AROUND = 1
"""Years before and after the one that is asked about; nothing we plan reaches further."""
ZONES = files("tzdata") / "zoneinfo"


def days_off(zone: str, around: date) -> DaysOff:
    """The days off of whoever lives in that time zone; Saturdays and Sundays alone where its country is not known."""
    country = country_of(zone)
    return _of_country(country, around.year) if country else DaysOff()


def country_of(zone: str) -> str | None:
    """The one country (ISO 3166) that a time zone is named for; None for a zone of several, or of none such as UTC.

    1. A zone that tzdata lists for a country is that country's.
    2. An older name is read as the zone it stands for now, where that is used in one country alone.
    """
    listed = _countries_by_zone("zone.tab").get(zone)
    if listed is None and "/" in zone:  # `CET` and `EST` stand for a city, too, and belong to nobody.
        listed = _countries_by_zone("zone1970.tab").get(_now_called().get(zone, zone))
    return listed[0] if listed and len(listed) == 1 else None


@cache
def _countries_by_zone(table: str) -> Mapping[str, list[str]]:
    rows = (line.split("\t") for line in _lines(table) if not line.startswith("#"))
    return {row[2]: row[0].split(",") for row in rows}


@cache
def _now_called() -> Mapping[str, str]:
    """Older names of zones, and what each stands for now."""
    links = (re.fullmatch(r"L (\S+) (\S+)", line) for line in _lines("tzdata.zi"))
    return {link[2]: link[1] for link in links if link}


def _lines(name: str) -> list[str]:
    return (ZONES / name).read_text("utf-8").splitlines()


@cache
def _of_country(country: str, year: int) -> DaysOff:
    library = _library()
    try:
        known = library.country_holidays(country, years=range(year - AROUND, year + AROUND + 1))
    except NotImplementedError:  # Its way of saying that it does not know the country.
        return DaysOff()
    return DaysOff(weekends=frozenset(known.weekend), holidays=_dates(known))


def _dates(days: Iterable[date]) -> frozenset[date]:
    return frozenset(date(day.year, day.month, day.day) for day in days)


def _library() -> ModuleType:
    """Imported when it is first asked: it would make every start slower."""
    import holidays

    return holidays

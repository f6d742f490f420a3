import subprocess
import sys
from datetime import date

import pytest

from bot.days_off import country_of, days_off
from bot.review.meeting_time import DaysOff

AROUND = date(2026, 11, 18)


@pytest.mark.parametrize(
    ("zone", "country"),
    [
        ("Europe/Berlin", "DE"),
        ("America/New_York", "US"),
        ("US/Pacific", "US"),
        ("Asia/Calcutta", "IN"),
        ("Pacific/Auckland", "NZ"),
    ],
)
def test_a_zone_belongs_to_the_country_it_is_named_for(zone: str, country: str):
    assert country_of(zone) == country


@pytest.mark.parametrize(
    "zone", ["UTC", "Etc/GMT+3", "CET", "EST", "America/Coral_Harbour", "Europe/Belfast", "nowhere"]
)
def test_a_zone_of_several_countries_or_of_none_has_weekends_alone(zone: str):
    assert days_off(zone, AROUND) == DaysOff()


def test_a_country_has_its_own_holidays_a_year_before_and_after():
    found = days_off("Europe/Berlin", AROUND).holidays

    assert {date(2025, 10, 3), date(2026, 12, 25), date(2027, 1, 1)} <= found
    assert date(2026, 11, 26) not in found
    assert date(2026, 11, 26) in days_off("America/New_York", AROUND).holidays


def test_a_holiday_of_one_region_counts_for_nobody():
    epiphany = date(2027, 1, 6)

    assert epiphany not in days_off("Europe/Berlin", AROUND).holidays


@pytest.mark.parametrize(
    ("zone", "weekend"),
    [("Asia/Jerusalem", {4, 5}), ("Asia/Riyadh", {4, 5}), ("Asia/Dubai", {5, 6}), ("Asia/Kathmandu", {5, 6})],
)
def test_a_country_has_its_own_weekend(zone: str, weekend: set[int]):
    assert days_off(zone, AROUND).weekends == weekend


def test_the_calendars_are_read_when_they_are_first_asked_for():
    asked = "import bot.settings, sys; print('holidays' in sys.modules)"

    said = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True)

    assert said.stdout.strip() == "False"

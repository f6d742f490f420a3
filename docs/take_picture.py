"""Takes docs/sandbox.png, the picture of the README: `.venv/bin/python -m docs.take_picture`."""
# ruff: noqa: INP001 - pages are no package

import json
import shutil
import sys
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from playwright.sync_api import Page, sync_playwright

from bot.sandbox.demo import CHANNEL, LEAD, stage
from bot.sandbox.driver import Driver

PICTURE = Path(__file__).parent / "sandbox.png"
FACILITATOR = "mirela"
VIEWER = "yusuf"
MEETING = datetime(2026, 11, 23, 9, 0, tzinfo=ZoneInfo("Europe/Berlin"))
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
STOP = 3


def main() -> None:
    """Walk the sample incident into its meeting, and look at it as somebody in it does."""
    with stage(0) as running, sync_playwright() as started:
        walk_to_the_meeting(running.driver)
        browser = started.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        page = browser.new_page(viewport={"width": 1400, "height": 900}, color_scheme="light")
        look(page, running.driver)
        page.screenshot(path=PICTURE)
        browser.close()
    sys.stdout.write(f"{PICTURE}: {PICTURE.stat().st_size // 1024} KB\n")


def walk_to_the_meeting(driver: Driver) -> None:
    for words in ("severity sev1", "began 13:56", "detected 14:08", "mitigated 17:27", "schedule 2026-11-23 09:00"):
        driver.type(LEAD, CHANNEL, words)
    ids = {user["name"]: user["id"] for user in driver.get("state")["users"]}
    driver.type(LEAD, CHANNEL, f"facilitator <@{ids[FACILITATOR]}>")
    driver.wait_for_words(CHANNEL, "is the facilitator")
    driver.move_clock_to(MEETING)
    driver.type(FACILITATOR, CHANNEL, "start")
    driver.press(FACILITATOR, CHANNEL, "^Yes, start$")
    driver.wait_for_words(CHANNEL, "1 of 6")
    driver.type(FACILITATOR, CHANNEL, "go timeline")
    for _ in range(STOP - 1):
        driver.pass_time(120)
        driver.type(FACILITATOR, CHANNEL, "next")
    driver.type("sinead", CHANNEL, "contributor technical: four times the connections per pod")
    driver.type(VIEWER, CHANNEL, "risk only one of us knows the migration tool")
    driver.wait_for_words(CHANNEL, "risk 2")


def look(page: Page, driver: Driver) -> None:
    """As the viewer, with the guide put away and the newest message in sight."""
    ids = {user["name"]: user["id"] for user in driver.get("state")["users"]}
    kept = {
        "debrief.viewer": ids[VIEWER],
        "debrief.guide": {"since": "0", "pins": 0, "meets": 0, "done": [], "shut": True},
    }
    for name, value in kept.items():
        page.add_init_script(f"sessionStorage.setItem({json.dumps(name)}, {json.dumps(json.dumps(value))})")
    page.goto(driver.url)
    page.wait_for_selector("body[data-ready]")
    page.wait_for_timeout(1500)


if __name__ == "__main__":
    main()

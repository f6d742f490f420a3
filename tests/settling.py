"""Waiting until a bot has asked all that is due, and has said it."""

import re
import urllib.request

from bot.sandbox.driver import Driver

TICKS = re.compile(r"^debrief_clock_ticks_total (\S+)$", re.MULTILINE)
WAITING = re.compile(r'^debrief_outbox_notes\{why="(?:due|sending)"\} [^0]', re.MULTILINE)


class Settling:
    """What has a driver and the environment of its bot."""

    driver: Driver
    env: dict[str, str]

    def settles(self) -> None:
        """Let the bot ask all that is due, from now on, and say it."""
        self.ticks(2)  # One of them may have begun before.
        self.driver.wait_for(lambda: not WAITING.search(self._metrics()), "the bot to have said what is due")

    def ticks(self, times: int) -> None:
        """Wait until it has asked so often, from now on."""
        enough = self._ticked() + times
        self.driver.wait_for(lambda: self._ticked() >= enough, "the clock to tick")

    def _ticked(self) -> int:
        return int(float(TICKS.findall(self._metrics())[0]))

    def _metrics(self) -> str:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.env['DEBRIEF_PORT']}/metrics", timeout=60) as page:
            return page.read().decode()

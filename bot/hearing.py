"""Whether Slack can reach us: when it was last heard, and for how long it could not have been; by a steady clock."""

import time
from collections.abc import Callable

SILENT_AFTER_S = 75.0
"""A quiet workspace is heard by our own heartbeat, twice in this time; longer than that, something is between us."""
DEAF_AFTER_S = 120.0
"""So long without a word of Slack's, or without a connection for its events, and we are not ready."""
SILENT = "Slack was not heard from recently"
CUT_OFF = "no connection to Slack is open"


class Hearing:
    """Told of every word of Slack's, and every second whether there is a connection that events can come by."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._heard = self._looked = self._connected = clock()
        self.sockets = 0
        self.deaf_s = 0.0
        """All the time in which nothing could be heard."""

    def heard(self) -> None:
        """Slack said something, or answered."""
        self._heard = self._clock()

    @property
    def silent_s(self) -> float:
        return self._clock() - self._heard

    def look(self, sockets: int | None) -> None:
        """So many connections are open now; None where Slack's requests come over HTTP and need none."""
        now, before = self._clock(), self._looked
        self._looked, self.sockets = now, sockets or 0
        if sockets != 0:
            self._connected = now
        if sockets == 0 or self.silent_s > SILENT_AFTER_S:
            self.deaf_s += now - before

    def why_deaf(self) -> str | None:
        """Why nothing can be heard, or None; a short silence is none."""
        if self.silent_s > DEAF_AFTER_S:
            return SILENT
        return CUT_OFF if self._looked - self._connected > DEAF_AFTER_S else None

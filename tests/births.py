"""Bots that are born and not started: to import everything takes two seconds of a processor, and tests start hundreds.

They are forked from a process that has done that once (tests.cradle), and are the unmodified program in all else.
"""

import json
import os
import select
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

ROOT = Path(__file__).parent.parent
OPENS_WITHIN_S = 100.0
NUMBER = struct.Struct("!q")
"""The bot's process, when it is there; its status, when it is gone."""
MOST_BYTES = 1 << 17


class Born:
    """One bot, with as much of `subprocess.Popen` as is asked of it."""

    def __init__(self, door: Path, env: Mapping[str, str], log: IO[bytes]) -> None:
        self._line = socket.socket(socket.AF_UNIX)
        self._line.connect(str(door))
        wish = json.dumps({"env": dict(env), "folder": str(Path.cwd())}).encode()
        socket.send_fds(self._line, [wish], [log.fileno()])
        self._line.shutdown(socket.SHUT_WR)
        self.pid = self._heard()
        self.returncode: int | None = None

    def poll(self) -> int | None:
        try:
            return self.wait(0)
        except subprocess.TimeoutExpired:
            return None

    def wait(self, timeout: float | None = None) -> int:
        if self.returncode is None:
            if not select.select([self._line], [], [], timeout)[0]:
                raise subprocess.TimeoutExpired("debrief run", timeout or 0)
            self.returncode = self._heard()
            self._line.close()
        return self.returncode

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def _heard(self) -> int:
        said = self._line.recv(NUMBER.size, socket.MSG_WAITALL)
        (number,) = NUMBER.unpack(said)
        return number


class Cradle:
    """Opened with the first bot; one that is to run another Python or another program is started as ever."""

    def __init__(self, start: Any) -> None:
        self._start = start
        self._folder = tempfile.TemporaryDirectory(prefix="cradle-", dir="/tmp")  # A socket's name is short.
        self._door = Path(self._folder.name) / "door"
        self._waiting: subprocess.Popen[bytes] | None = None
        self._one_at_a_time = threading.Lock()

    def started(self, env: Mapping[str, str], log: IO[bytes]) -> Any:
        if _python_of(env) != _python_of(os.environ):
            return self._start(env, log)
        with self._one_at_a_time:
            if self._waiting is None:
                self._open()
        return Born(self._door, env, log)

    def _open(self) -> None:
        self._waiting = subprocess.Popen(
            [sys.executable, "-m", "tests.cradle", str(self._door)], cwd=ROOT, stdin=subprocess.PIPE
        )
        until = time.monotonic() + OPENS_WITHIN_S
        while not self._door.exists() and self._waiting.poll() is None and time.monotonic() < until:
            time.sleep(0.02)

    def close(self) -> None:
        if self._waiting:
            self._waiting.kill()
            self._waiting.communicate()
        self._folder.cleanup()


def _python_of(env: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in env.items() if name.startswith(("PYTHON", "LD_"))}

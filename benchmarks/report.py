"""The report of 400 events over an archive of 10,000 messages: each form by its one command, with time and memory."""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks import big_incident

MESSAGES, EVENTS = 10_000, 400
FORMS = ("md", "html", "pdf", "json")


def measure() -> None:
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{Path(folder) / 'debrief.db'}"
        big_incident.ingest(url, messages=MESSAGES, tag_every=MESSAGES // EVENTS)
        for form in FORMS:
            file = Path(folder) / f"report.{form}"
            taken, memory = _run(url, folder, "export", "1", "--format", form, "--out", str(file))
            print(f"{form:<7} {taken:5.2f} s, {memory:4.0f} MB at most, {file.stat().st_size:,} bytes")
        restored = f"sqlite:///{Path(folder) / 'restored.db'}"
        taken, memory = _run(restored, folder, "import", str(Path(folder) / "report.json"))
        print(f"restore {taken:5.2f} s, {memory:4.0f} MB at most")


def _run(url: str, folder: str, *words: str) -> tuple[float, float]:
    """A command of the program: its seconds, and the megabytes it took at most."""
    env = {"PATH": os.environ["PATH"], "DEBRIEF_DATABASE_URL": url, "DEBRIEF_DATA_DIR": folder}
    began = time.monotonic()
    process = subprocess.Popen(
        [sys.executable, "-m", "bot", *words], env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    _, status, used = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"debrief {' '.join(words)} ended with {os.waitstatus_to_exitcode(status)}")
    return time.monotonic() - began, used.ru_maxrss / 1024


if __name__ == "__main__":
    measure()

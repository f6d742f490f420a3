"""Odd words on the command line: one sentence and the exit code of the contract, never a traceback."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ODD = [
    "outbox --retry 99999999999999999999",
    "export 99999999999999999999",
    "export nothing-of-that-name --format json",
    "manifest --command Two",
    "manifest --http not-an-address",
    "sandbox --port 99999999",
    "import nothing.zip --channel inc-1",
]


@pytest.mark.parametrize("words", ODD)
def test_what_makes_no_sense_is_answered_in_a_sentence(tmp_path: Path, words: str):
    done = debrief(tmp_path, *words.split())

    assert done.returncode == 2
    assert done.stderr.strip()
    assert "Traceback" not in done.stderr


def test_a_report_that_cannot_be_written_is_said_in_a_sentence(tmp_path: Path):
    export = tmp_path / "export"
    (export / "inc-1").mkdir(parents=True)
    (export / "users.json").write_text("[]")
    (export / "channels.json").write_text('[{"id": "C1", "name": "inc-1"}]')
    said = '[{"type": "message", "ts": "1795000000.000100", "user": "U1", "text": "hello"}, 5, null, {"ts": "x"}]'
    (export / "inc-1" / "2026-11-18.json").write_text(said)
    debrief(tmp_path, "import", str(export), "--channel", "inc-1")

    done = debrief(tmp_path, "export", "inc-1", "--out", "/nowhere/report.md")

    assert (done.returncode, "Traceback" in done.stderr) == (2, False)
    assert done.stderr.startswith("/nowhere/report.md cannot be written")


def debrief(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("SLACK_", "DEBRIEF_"))}
    env = kept | {"DEBRIEF_DATA_DIR": str(folder / "data")}
    command = [sys.executable, "-m", "bot", *words]
    return subprocess.run(command, env=env, capture_output=True, text=True, timeout=60, check=False)

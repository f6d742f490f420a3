"""What the image promises, read from its Dockerfile."""

import http.server
import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
LINES = re.sub(r"\\\n", " ", (ROOT / "Dockerfile").read_text()).splitlines()
STEPS = [tuple(line.split(maxsplit=1)) for line in LINES if line and not line.startswith("#")]
FINAL = STEPS[max(at for at, (word, _) in enumerate(STEPS) if word == "FROM") :]


def the(word: str) -> str:
    (said,) = [rest for each, rest in FINAL if each == word]
    return said


def test_the_bot_is_not_root():
    words = [word for word, _ in FINAL]

    assert the("USER") == "10001:10001"
    assert "RUN" not in words[words.index("USER") :]


def test_a_stop_reaches_the_bot_itself():
    assert json.loads(the("ENTRYPOINT")) == ["debrief"]
    assert json.loads(the("CMD")) == ["run"]
    assert the("STOPSIGNAL") == "SIGTERM"


def test_what_is_kept_is_kept_in_a_volume():
    assert the("VOLUME") == the("WORKDIR") == "/data"
    assert "DEBRIEF_DATA_DIR=/data" in the("ENV")


def test_everything_fetched_is_checked_by_hash():
    installs = [rest for word, rest in STEPS if word == "RUN" and "pip install" in rest]

    assert installs
    assert all("--require-hashes" in install or "--no-index" in install for install in installs)


def test_the_image_holds_no_secret():
    told = [rest for word, rest in STEPS if word in {"ARG", "ENV"}]

    assert not re.search(r"token|secret|password|credential|xox", " ".join(told), re.IGNORECASE)


def test_every_copied_file_is_there_and_not_ignored():
    copies = [rest for word, rest in STEPS if word == "COPY" and not rest.startswith("--from")]
    let_through = (ROOT / ".dockerignore").read_text().splitlines()

    sources = [source for copy in copies for source in copy.split()[:-1]]

    assert all((ROOT / source).exists() for source in sources)
    assert {f"!{Path(source).parts[0]}" for source in sources} <= set(let_through)


@pytest.mark.parametrize(("status", "verdict"), [(200, 0), (503, 1)])
def test_health_is_what_healthz_says(status: int, verdict: int):
    with a_bot_answering(status) as port:
        assert the_check(port) == verdict


def test_a_bot_that_does_not_answer_is_not_healthy(free_port: int):
    assert the_check(free_port) == 1


def the_check(port: int) -> int:
    _python, *arguments = json.loads(the("HEALTHCHECK").partition(" CMD ")[2])
    environment = {**os.environ, "DEBRIEF_PORT": str(port)}
    return subprocess.run([sys.executable, *arguments], env=environment, capture_output=True, check=False).returncode


@contextmanager
def a_bot_answering(status: int) -> Iterator[int]:
    class Answer(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(status if self.path == "/healthz" else 404)
            self.end_headers()

        def log_message(self, format: str, *args: object):  # noqa: A002
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Answer) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port
        server.shutdown()

"""Seconds from a fresh clone to the demo's page, and to passed tests; run by hand, for it takes minutes."""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parent.parent
BARE = {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/tmp"), "LANG": "C.UTF-8"}


def measure() -> None:
    with tempfile.TemporaryDirectory() as folder:
        clone = Path(folder) / "debrief"
        subprocess.run(["git", "clone", "-q", str(ROOT), str(clone)], check=True)
        print(f"make demo: the page after {_until_page(clone):.0f} s")
        print(f"make test: {_until_tested(clone):.0f} s")


def _until_page(clone: Path) -> float:
    began = time.monotonic()
    demo = subprocess.Popen(["make", "demo"], cwd=clone, env=BARE, stdout=subprocess.PIPE, text=True)
    try:
        for line in demo.stdout or []:
            if "http://" in line:
                return time.monotonic() - began
    finally:
        demo.terminate()
        demo.wait()
    sys.exit("make demo ended without a page")


def _until_tested(clone: Path) -> float:
    began = time.monotonic()
    subprocess.run(["make", "test"], cwd=clone, env=BARE, check=True)
    return time.monotonic() - began


if __name__ == "__main__":
    measure()

"""Lists that are written down twice, because two tools read them, say the same."""

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
LOCKS = sorted((ROOT / "requirements").glob("*.txt"))


def test_pip_and_uv_install_the_same_for_tests():
    extra, group = PROJECT["project"]["optional-dependencies"]["test"], PROJECT["dependency-groups"]["dev"]

    assert extra == group


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.stem)
def test_a_lock_pins_by_hash_and_names_no_place_to_fetch_from(lock: Path):
    lines = lock.read_text().splitlines()

    pins = [line for line in lines if line and not line.startswith(("#", " "))]

    assert pins
    assert all("==" in pin and pin.endswith("\\") for pin in pins)
    assert [line for line in lines if re.search(r"//|--(?!hash=sha256:)", line)] == []


@pytest.mark.parametrize("extra", ["run", "test"])
def test_every_dependency_is_locked(extra: str):
    wanted = PROJECT["project"]["dependencies"]
    if extra == "test":
        wanted = wanted + PROJECT["project"]["optional-dependencies"]["test"]

    locked = re.findall(r"^([a-z0-9-]+)==", (ROOT / f"requirements/{extra}.txt").read_text(), re.MULTILINE)

    assert {re.split(r"[^A-Za-z0-9-]", each)[0] for each in wanted} <= set(locked)

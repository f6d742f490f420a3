"""The program as people install it: a wheel in a clean environment, away from the checkout."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
UV = shutil.which("uv", path=os.pathsep.join([str(ROOT / ".venv/.tools/bin"), str(Path(sys.executable).parent)]))
SLOW = pytest.mark.timeout(300)


@pytest.fixture(scope="module")
def debrief(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("installed")
    do(sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(home), cwd=ROOT)
    (wheel,) = home.glob("*.whl")
    python = home / "venv/bin/python"
    if UV:
        do(UV, "venv", "--quiet", "--python", sys.executable, str(home / "venv"), cwd=home)
        install = [UV, "pip", "install", "--quiet", "--python", str(python)]
    else:
        do(sys.executable, "-m", "venv", str(home / "venv"), cwd=home)
        install = [str(python), "-m", "pip", "install", "--quiet"]
    do(*install, "--require-hashes", "-r", str(ROOT / "requirements/run.txt"), cwd=home)
    do(*install, "--no-deps", "--no-index", str(wheel), cwd=home)
    return home / "venv/bin/debrief"


@SLOW
def test_an_installed_debrief_says_what_it_can_do(debrief: Path, tmp_path: Path):
    said = do(str(debrief), "--help", cwd=tmp_path)

    assert "demo" in said
    assert "run" in said


@SLOW
def test_an_installed_debrief_brings_its_migrations(debrief: Path, tmp_path: Path):
    do(str(debrief), "db", "upgrade", cwd=tmp_path, DEBRIEF_DATA_DIR=str(tmp_path / "data"))

    assert list((tmp_path / "data").glob("*.db"))


@SLOW
def test_an_installed_debrief_brings_the_letters_of_its_pictures(debrief: Path, tmp_path: Path):
    asked = "from bot import drawing; print(*sorted(path.name for path in drawing.fonts().iterdir()))"

    said = do(str(debrief.with_name("python")), "-c", asked, cwd=tmp_path)

    assert said.split() == ["NotoSans-Bold.ttf", "NotoSans-Regular.ttf", "OFL.txt"]


@SLOW
def test_an_installed_debrief_plays_a_whole_review(debrief: Path, tmp_path: Path):
    do(str(debrief), "demo", "--headless", cwd=tmp_path)

    assert any(file.stat().st_size for file in (tmp_path / "demo-report").iterdir())


def do(*command: str, cwd: Path, **settings: str) -> str:
    """What a program said; what it complained of when it failed."""
    surroundings = {
        name: value for name, value in os.environ.items() if not name.startswith(("DEBRIEF_", "SLACK_", "PYTHON"))
    }
    done = subprocess.run(command, cwd=cwd, env=surroundings | settings, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout

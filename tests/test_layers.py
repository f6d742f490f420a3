"""Who may know whom. The rows are in pyproject.toml; what a row cannot say is said here."""

import subprocess
import sys
import tomllib
from pathlib import Path

import grimp
import pytest

ROOT = Path(__file__).parent.parent
APART = {"bot.sandbox"}


@pytest.fixture(scope="module")
def imports() -> grimp.ImportGraph:
    return grimp.build_graph("bot", "storage", include_external_packages=True, cache_dir=None)


def test_knowledge_points_down():
    # In a process of its own: the linter configures logging, which silences every logger there is.
    linter = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([linter, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("pure", ["bot.review", "bot.exports"])
def test_the_core_knows_only_python(imports: grimp.ImportGraph, pure: str):
    inside = family(imports, pure)

    known = {known for module in inside for known in imports.find_modules_directly_imported_by(module)}

    assert {top(module) for module in known - inside} <= sys.stdlib_module_names


def test_the_sandbox_knows_nothing_of_the_bot(imports: grimp.ImportGraph):
    inside = family(imports, "bot.sandbox")

    known = {known for module in inside for known in imports.find_modules_directly_imported_by(module)}

    assert {module for module in known - inside if top(module) in {"bot", "storage"}} == set()


def test_only_the_command_line_knows_the_sandbox(imports: grimp.ImportGraph):
    inside = family(imports, "bot.sandbox")

    knowing = {knowing for module in inside for knowing in imports.find_modules_that_directly_import(module)}

    assert knowing - inside <= {"bot.cli"}


def test_every_module_has_its_row(imports: grimp.ImportGraph):
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    rows = " ".join(contracts[0]["layers"]).translate(str.maketrans(":|", "  ")).split()

    assert imports.find_children("bot") <= {*rows, *APART}


def family(imports: grimp.ImportGraph, package: str) -> set[str]:
    assert package in imports.modules, f"there is no {package}"
    return {package, *imports.find_descendants(package)}


def top(module: str) -> str:
    return module.partition(".")[0]

"""How long functions are, in lines from `def` to the last one; migrations and tests left out."""

import ast
import statistics
from pathlib import Path

ROOT = Path(__file__).parent.parent
FOLDERS = ("bot", "storage")
LONG = 50


def measure() -> None:
    lengths = {f"{path.relative_to(ROOT)}:{name}": size for path in _files() for name, size in _functions(path)}
    long = {name: size for name, size in lengths.items() if size > LONG}
    print(f"functions {len(lengths)}, median {statistics.median(lengths.values()):.0f} lines, over {LONG}: {len(long)}")
    for name, size in sorted(long.items(), key=lambda pair: -pair[1]):
        print(f"  {name} {size}")


def _files() -> list[Path]:
    return [path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py")]


def _functions(path: Path) -> list[tuple[str, int]]:
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    found = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, functions)]
    return [(f"{node.name}@{node.lineno}", (node.end_lineno or node.lineno) - node.lineno + 1) for node in found]


if __name__ == "__main__":
    measure()

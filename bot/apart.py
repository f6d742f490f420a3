"""A process apart that prints one report with somebody's own templates: little memory, little time, nothing to lose."""

import pickle
import resource
import sys
import traceback
from pathlib import Path

from jinja2 import TemplateError, TemplateSyntaxError

from bot.printing import MOST_BYTES, Asked, Limits, printed

FAILED = 1


def main() -> int:
    """Read what is asked, write what is printed; in a few words on stderr why there is nothing."""
    asked: Asked = pickle.load(sys.stdin.buffer)  # noqa: S301 - written by the process that started this one
    _take_little(asked.limits)
    try:
        made = printed(asked.form, asked.report, asked.charts, asked.own)
        _must_tell_of(asked, made)
    except BaseException as error:  # noqa: BLE001 - whatever it is, the other process has to hear of it
        sys.stderr.write(_in_a_few_words(error))
        return FAILED
    sys.stdout.buffer.write(made)
    return 0


def _take_little(limits: Limits) -> None:
    """Memory, time, and no file to write to."""
    for kind, most in (
        (resource.RLIMIT_AS, limits.memory),
        (resource.RLIMIT_CPU, limits.seconds),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(kind, (most, most))


def _must_tell_of(asked: Asked, made: bytes) -> None:
    if len(made) > MOST_BYTES:
        raise ValueError(f"it makes more than {MOST_BYTES} bytes")
    is_paper = made.startswith(b"%PDF-")
    if asked.form == "pdf" and not is_paper:
        raise ValueError("it makes no PDF")
    names = (*asked.report.title.split(), str(asked.report.incident))
    if asked.form != "pdf" and not any(name in made.decode() for name in names):
        raise ValueError("it does not name the incident")


def _in_a_few_words(error: BaseException) -> str:
    """What is wrong, behind the template and the line in which it is; a template's own words name nobody."""
    said = f"{type(error).__name__}: {error.message if isinstance(error, TemplateError) else error}"
    if isinstance(error, TemplateSyntaxError):
        return f"{error.name}, line {error.lineno}: {said}"
    lines = [frame for frame in traceback.extract_tb(error.__traceback__) if Path(frame.filename).suffix == ".j2"]
    return f"{Path(lines[-1].filename).name}, line {lines[-1].lineno}: {said}" if lines else said


if __name__ == "__main__":
    sys.exit(main())

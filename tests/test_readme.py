"""What the README says is so: its transcript is played, its tables are compared, its links lead somewhere."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from pydantic import AliasChoices

from bot.cli import main
from bot.manifest import SCOPES
from bot.printing import Press
from bot.review import example
from bot.sandbox.demo import CHANNEL, stage
from bot.sandbox.driver import Driver, Json, Stuck, words_of
from bot.settings import Settings

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
HOME = ZoneInfo("Europe/Berlin")
EMOJI = {"📌": "pushpin", "📝": "memo", "📋": "clipboard"}
DATE = re.compile(r"<!date\^(\d+)\^([^|>^]*)[^|>]*\|[^>]*>")
MENTION = re.compile(r"<([@#])([A-Z0-9]+)>")
ORNAMENT = re.compile(r"[*_`>•]")


# The review that is told ------------------------------------------------------------------


def test_the_review_in_the_readme_happens_as_it_is_told():
    told = transcript()

    with stage(0) as running:
        unheard = list(Performance(running.driver).play(told))

    assert unheard == []


def test_the_review_in_the_readme_goes_from_the_pin_to_the_last_action():
    told = transcript()

    assert re.match(r"\w+ puts 📌", next(line for line in told if "📌" in line))
    assert any(re.match(r"Debrief, .*: Action 1 is done", line) for line in told)


def transcript() -> list[str]:
    """The lines of the block that begins with a day."""
    (block,) = re.findall(r"```text\n(— .*?)```", README, re.DOTALL)
    return [line for line in block.splitlines() if line.strip()]


@dataclass
class Performance:
    """Plays a transcript: what people do is done, what Debrief says is waited for."""

    driver: Driver
    since: str = ""
    place: str = CHANNEL
    names: dict[str, str] = field(default_factory=dict)

    def play(self, told: list[str]) -> Iterator[str]:
        """The lines of Debrief that it did not say, each with what it said instead."""
        state = self.driver.get("state")
        self.names = {one["id"]: one["name"] for one in [*state["users"], *state["channels"]] if one.get("name")}
        for line in told:
            (deed, groups), *_ = self._deeds(line)
            unheard = deed(**groups)
            if unheard:
                yield unheard

    def _deeds(self, line: str) -> list[tuple[Callable[..., str | None], dict[str, str]]]:
        found = ((deed, re.fullmatch(pattern, line)) for pattern, deed in self._table().items())
        return [(deed, match.groupdict()) for deed, match in found if match]

    def _table(self) -> Mapping[str, Callable[..., str | None]]:
        """Each form of a line, and what it means; the first that fits counts."""
        return {
            r"— (?P<day>\w+ \d+ \w+ \d{4}, \d\d:\d\d)(?: · .*)?": self._it_is,
            r"Debrief puts (?P<emoji>\S+) on “(?P<words>.*)”": self._debrief_reacts,
            r"(?P<who>\w+) puts (?P<emoji>\S+) on “(?P<words>.*)”": self._reacts,
            r"(?P<who>\w+) presses (?P<label>.+)": self._presses,
            r"(?P<who>\w+) fills in (?P<name>\w+): (?P<words>.+)": self._fills_in,
            r"Debrief, to everybody: (?P<words>.+)": self._says,
            r"Debrief, to (?P<who>\w+) alone: (?P<words>.+)": self._whispers,
            r"Debrief, to (?P<who>\w+): (?P<words>.+)": self._writes_to,
            r"(?P<who>\w+): /review ?(?P<words>.*)": self._types,
            r"(?P<who>\w+): (?P<words>.+)": self._writes,
        }

    # What people do.

    def _it_is(self, day: str) -> None:
        self._begin()
        then = datetime.strptime(day, "%A %d %B %Y, %H:%M").replace(tzinfo=HOME)
        if then > self.driver.now:
            self.driver.move_clock_to(then)

    def _writes(self, who: str, words: str) -> None:
        self._begin()
        self.driver.say(who, CHANNEL, words)

    def _types(self, who: str, words: str) -> None:
        self._begin()
        self.place = CHANNEL
        self.driver.type(who, CHANNEL, words)

    def _presses(self, who: str, label: str) -> None:
        """The button under what was said last."""
        self._begin()
        self.driver.press(who, self.place, f"^{re.escape(label)}$")

    def _reacts(self, who: str, emoji: str, words: str) -> None:
        self._begin()
        self.driver.do("react", user=who, channel=CHANNEL, ts=self._message(words)["ts"], emoji=EMOJI[emoji])

    def _fills_in(self, who: str, name: str, words: str) -> None:
        self._begin()
        self.driver.fill(who, **{name: words})

    def _begin(self) -> None:
        self.since = f"{self.driver.now.timestamp():.6f}"

    # What Debrief does.

    def _debrief_reacts(self, emoji: str, words: str) -> None:
        self.driver.wait_for(
            lambda: any(EMOJI[emoji] == one["name"] for one in self._message(words).get("reactions") or []),
            f"{emoji} on {words}",
        )

    def _whispers(self, who: str, words: str) -> str | None:
        return self._said(words, CHANNEL, who, only="is_ephemeral")

    def _writes_to(self, who: str, words: str) -> str | None:
        return self._said(words, "dm", who)

    def _says(self, words: str) -> str | None:
        return self._said(words, CHANNEL)

    def _said(self, words: str, place: str, who: str | None = None, only: str = "ts") -> str | None:
        """Wait until it was said since the last deed; what was said instead, where it was not."""
        self.place = place
        pattern = re.compile(".*".join(re.escape(part) for part in plain(words).split("…")))
        heard: list[str] = []

        def look() -> bool:
            heard[:] = [self._read(one) for one in self._new(place, who) if one.get(only)]
            return any(pattern.fullmatch(each) for each in heard)

        try:
            self.driver.wait_for(look, words)
        except Stuck:
            return f"told: {words}\nsaid: {heard}"
        return None

    def _new(self, place: str, who: str | None) -> list[Json]:
        return [one for one in self.driver.messages(place, who) if latest(one) >= self.since]

    def _message(self, words: str) -> Json:
        return next(one for one in reversed(self.driver.messages(CHANNEL)) if words.rstrip("…") in words_of(one))

    def _read(self, message: Json) -> str:
        """As somebody in Berlin reads it, without ornament."""
        named = MENTION.sub(lambda found: found[1] + self.names.get(found[2], found[2]), words_of(message))
        return plain(DATE.sub(_dated, named))


def latest(message: Json) -> str:
    return max(message["ts"], (message.get("edited") or {}).get("ts", ""))


def _dated(found: re.Match[str]) -> str:
    at = datetime.fromtimestamp(int(found[1]), HOME)
    return found[2].replace("{date_short_pretty}", f"{at:%a %d %b}").replace("{time}", f"{at:%H:%M}")


def plain(words: str) -> str:
    return " ".join(ORNAMENT.sub("", words).split())


# What the README lists -----------------------------------------------------------------------


def test_every_scope_is_listed_with_its_reason_and_what_stops_without_it():
    listed = {bare(scope): (reason, without) for scope, reason, without in table("scope")}

    assert listed == SCOPES


def test_every_setting_is_listed():
    listed = [bare(name) for name, _, _ in table("variable")]

    assert listed == [name_of(setting) for setting in Settings.model_fields]


@pytest.mark.parametrize("setting", Settings.model_fields)
def test_a_printed_default_is_the_one_in_force(setting: str, monkeypatch: pytest.MonkeyPatch):
    for name in Settings.model_fields:
        monkeypatch.delenv(name_of(name), raising=False)
    (printed,) = [default for name, _, default in table("variable") if bare(name) == name_of(setting)]
    default = getattr(Settings(), setting)  # pyright: ignore[reportCallIssue]

    if default is None:
        assert printed.startswith("none")
    else:
        monkeypatch.setenv(name_of(setting), bare(printed))
        assert getattr(Settings(), setting) == default  # pyright: ignore[reportCallIssue]


def test_every_module_of_the_bot_is_in_the_tree_and_every_name_in_the_tree_is_there():
    (tree,) = re.findall(r"```text\n(bot/\n.*?)```", README, re.DOTALL)

    named = set(re.findall(r"[a-z_]+\.py", tree)) - {"words.py"}
    folders = set(re.findall(r"^(?:  )?([a-z]+)/", tree, re.MULTILINE))

    assert named == {path.name for path in (ROOT / "bot").glob("[a-z]*.py")}
    assert all((ROOT / name).is_dir() or (ROOT / "bot" / name).is_dir() for name in folders)


@pytest.mark.parametrize("page", ["README.md", "CHANGELOG.md", "docs/operating.md", "docs/benchmarks.md"])
def test_every_link_leads_to_a_file_that_is_there(page: str):
    text = (ROOT / page).read_text(encoding="utf-8")

    links = [link for link in re.findall(r"\]\(([^)#]+)\)", text) if "://" not in link]

    assert [link for link in links if not (ROOT / page).parent.joinpath(link).exists()] == []


@pytest.mark.parametrize("page", ["README.md", "docs/operating.md"])
def test_every_command_that_is_told_exists(page: str):
    text = (ROOT / page).read_text(encoding="utf-8")

    told = set(re.findall(r"(?:`|bin/|debrief )debrief ([a-z][a-z-]*)", text))
    missing = told - set(main.commands)

    assert told
    assert missing == set()


def test_the_template_in_the_handbook_prints_a_report(tmp_path: Path):
    handbook = (ROOT / "docs/operating.md").read_text(encoding="utf-8")
    (template,) = re.findall(r"```jinja\n(.*?)```", handbook, re.DOTALL)
    (tmp_path / "reports").mkdir()
    (tmp_path / "reports" / "report.md.j2").write_text(template, encoding="utf-8")

    assert Press(tmp_path).troubles(example.written()) == []
    assert "## Contributors" in Press(tmp_path).markdown(example.written())


def table(heading: str) -> list[list[str]]:
    """The rows of the table whose first column has this heading."""
    _, _, rest = README.partition(f"\n| {heading} |")
    rows = rest.split("\n\n")[0].splitlines()[2:]
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", row)[1:-1]] for row in rows]


def bare(cell: str) -> str:
    return cell.strip("`").replace(r"\|", "|")


def name_of(setting: str) -> str:
    alias = Settings.model_fields[setting].validation_alias
    return str(alias.choices[0] if isinstance(alias, AliasChoices) else alias)

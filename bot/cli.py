"""The command line."""

import asyncio
import contextlib
import gc
import itertools
import json
import logging
import signal
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import NoReturn, TextIO
from urllib.parse import urlsplit

import click

from bot import logs
from bot.settings import BadSettings, Settings, read_settings

WRONG = 2
BROKEN = 1
PORTS = click.IntRange(0, 65535)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("-v", "--verbose", is_flag=True, help="Log in detail; never message text.")
@click.version_option(package_name="debrief-bot", prog_name="debrief")
def main(*, verbose: bool) -> None:
    """Debrief drives incident reviews in Slack: it keeps the channel, runs the meeting, follows the actions."""
    logs.set_up(logging.DEBUG if verbose else logging.INFO)


def give_up(sentence: str, status: int = WRONG) -> NoReturn:
    """Say why in one sentence, and leave."""
    click.echo(sentence, err=True)
    sys.exit(status)


def settings_or_leave() -> Settings:
    try:
        return read_settings()
    except BadSettings as wrong:
        give_up(str(wrong))


@main.command()
def run() -> None:
    """Run the bot. It uses Socket Mode when SLACK_APP_TOKEN is set, else HTTP."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))  # Until the bot itself listens: nothing is begun yet.
    gc.disable()  # What is imported stays; to look for garbage in it takes a fifth of the start.
    from bot.app import build

    gc.enable()

    async def serve() -> None:
        await build(settings_or_leave(), history_bar if sys.stderr.isatty() else None).run()

    try:
        with database_errors():
            asyncio.run(serve())
    except BadSettings as wrong:
        give_up(str(wrong))


@contextlib.contextmanager
def history_bar(seconds: int) -> Iterator[Callable[[int], None]]:
    """A bar on the terminal for so many seconds of a channel's history; full at the end, for Slack may hold less."""
    with click.progressbar(length=max(1, seconds), label="Reading history", file=sys.stderr) as bar:
        yield lambda reached: bar.update(min(reached, seconds) - bar.pos)
        bar.update(max(1, seconds) - bar.pos)


@main.command()
@click.option("--headless", is_flag=True, help="Play one whole review, print it, write the report to ./demo-report/.")
@click.option("--port", type=PORTS, default=4040, show_default=True, help="The page's port; 0 takes a free one.")
def demo(*, headless: bool, port: int) -> None:
    """Try everything on a local Slack. It has a sample incident, and nothing leaves this machine."""
    from bot import drawing
    from bot.sandbox import demo as stage

    try:
        sys.exit(stage.play_headless(Path("demo-report"), drawing.png) if headless else stage.show(port))
    except OSError as wrong:
        give_up(f"The demo cannot start on port {port}: {wrong.strerror}. Choose another with --port, or 0 for any.")


@main.command()
@click.option("--port", type=PORTS, default=4040, show_default=True, help="0 takes a free one.")
@click.option("--socket", is_flag=True, help="Deliver by Socket Mode (what it does without --http).")
@click.option("--http", metavar="URL", help="Deliver by signed HTTP to a bot at this address.")
@click.option("--seed", type=click.Path(exists=True, path_type=Path), help="A workspace, or an export of Slack's.")
@click.option("--manifest", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="The app's manifest.")
def sandbox(*, port: int, socket: bool, http: str | None, seed: Path | None, manifest: Path | None) -> None:
    """A local Slack workspace with a page, for trying a bot."""
    from bot.sandbox.__main__ import run_until_stopped
    from bot.sandbox.seed import BadSeed
    from bot.sandbox.server import SandboxSettings

    if socket and http:
        give_up("--socket and --http exclude each other: choose one way of delivery.")
    try:
        asyncio.run(run_until_stopped(SandboxSettings(port=port, http_url=http, seed=seed, manifest=manifest)))
    except (OSError, BadSeed) as wrong:
        give_up(f"The sandbox cannot start: {wrong}")


# The database ------------------------------------------------------------------------


@main.group()
def db() -> None:
    """The database: its schema, its backup, and its file."""


@db.command()
def upgrade() -> None:
    """Bring the schema to the newest revision."""
    from storage.session import upgrade

    with database_errors():
        upgrade(settings_or_leave().url)
    click.echo("The schema is current.")


@db.command()
def check() -> None:
    """Say whether the schema is what this version expects."""
    from storage.session import differences, make_engine, misfit

    url = settings_or_leave().url
    with database_errors():
        why = misfit(make_engine(url))
        found = [] if why else differences(url)
    if why:
        give_up(f"{why[0].upper()}{why[1:].rstrip('.')}.", BROKEN)
    if found:
        give_up(f"The schema differs from what this version expects in {len(found)} places.", BROKEN)
    click.echo("The schema is current.")


@db.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
def backup(file: Path) -> None:
    """Copy the SQLite database to FILE, also while the bot runs."""
    from storage.session import backup

    if file.exists():
        give_up(f"{file} exists already, and a backup overwrites nothing. Name another file.")
    settings = settings_or_leave()
    with database_errors():
        backup(settings.url, file)
    click.echo(f"The backup is {file}. Files that were shared are not in it: copy {settings.files_dir} as well.")


@db.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
def restore(file: Path) -> None:
    """Put the backup FILE in the place of the SQLite database. What was there is moved aside; the bot must not run."""
    from storage.backups import restore

    settings = settings_or_leave()
    with database_errors():
        done = restore(settings.url, file, now=datetime.now(UTC))
    click.echo(f"{file} was put back.")
    if done.aside:
        click.echo(f"What was there before is {done.aside}; delete it when you need it no more.")
    click.echo(f"Put the files of that time back to {settings.files_dir}, then start the bot.")
    click.echo(what_follows(done.uncertain))


@db.command()
def restored() -> None:
    """Say that pg_restore has put a PostgreSQL database back; before the bot starts, so that it says nothing twice."""
    from storage.backups import mark

    with database_errors():
        uncertain = mark(settings_or_leave().url, now=datetime.now(UTC))
    click.echo("Noted. Now start the bot.")
    click.echo(what_follows(uncertain))


def what_follows(uncertain: int) -> str:
    """What happens by itself after a backup was put back, and what does not."""
    return (
        "What Slack said since the backup is fetched again where an incident is still open.\n"
        "What the bot may have said since is looked up in Slack before it is said, for seven days; "
        f"{uncertain} such notes wait now.\n"
        "Who was erased since stands in the backup again: run debrief erase-user for them once more."
    )


@db.command()
def sweep() -> None:
    """Take what was erased out of the SQLite file. It is written anew; the bot must not run."""
    from bot import erasing, office
    from storage.session import only_one

    settings = settings_or_leave()
    with database_errors(), only_one(settings.url), office.opened(settings) as storage:
        click.echo(erasing.sweep(settings, storage))


@contextlib.contextmanager
def database_errors() -> Iterator[None]:
    """A database that does not answer is a sentence, not a traceback."""
    from sqlalchemy.exc import DatabaseError, InterfaceError

    from storage.session import NotUsable

    try:
        yield
    except NotUsable as wrong:
        give_up(str(wrong))
    except (DatabaseError, InterfaceError) as error:
        why = first_line(error.orig or error)
        give_up(f"DEBRIEF_DATABASE_URL cannot be used: {why} `debrief doctor` says what to do.")


def first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".") + "."


# Incidents -----------------------------------------------------------------------------


@main.command(name="import")
@click.argument("export", type=click.Path(path_type=Path))
@click.option("--channel", help="The channel's name in Slack's export.")
@click.option("--title", help="The incident's title; the channel's name made readable without one.")
@click.option("--severity", type=click.Choice(["sev1", "sev2", "sev3", "sev4"]), help="How grave it was.")
def import_(*, export: Path, channel: str | None, title: str | None, severity: str | None) -> None:
    """Take in an incident. EXPORT is Slack's own, a zip or a folder, or a review that was exported here as JSON.

    Importing it again adds nothing.
    """
    from bot import exports, office, restoring

    if channel is None and export.suffix != ".json":
        give_up("--channel is missing: name the channel of Slack's export that the incident was spoken in.")
    settings = settings_or_leave()
    try:
        with database_errors():
            if channel is None:
                done = office.restore(settings, export)
            else:
                done = office.import_export(settings, export, channel=channel, title=title, severity=severity)
    except (exports.Unreadable, restoring.NotRestorable) as wrong:
        give_up(str(wrong))
    click.echo(done)


@main.command()
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def incidents(*, as_json: bool) -> None:
    """List the incidents."""
    from bot import office

    with database_errors(), office.opened(settings_or_leave()) as storage:
        rows = office.listed(storage)
    if as_json:
        click.echo(json.dumps(rows, ensure_ascii=False, indent=2))
        return
    for row in rows:
        standing = f"{row['severity'] or '-':<5} {row['stage']:<10}"
        click.echo(f"{row['id']:>4}  {standing}  {row['opened_at']}  {row['title']}")
    if not rows:
        click.echo("There are no incidents yet.")


@main.command()
@click.argument("incident")
@click.option("--format", "form", default="md", show_default=True, help="json, md, html, pdf, or csv for the actions.")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="A file; without one it is printed.")
def export(*, incident: str, form: str, out: Path | None) -> None:
    """Export a review. INCIDENT is its id, its channel's name or its channel's id."""
    from bot import office
    from bot.review.refusal import Refused

    try:
        settings = settings_or_leave()
        with database_errors(), office.opened(settings) as storage:
            pieces = office.exported(storage, incident, form, settings.house())
            # What is wrong shows with the first piece, before a file is made.
            write_out(itertools.chain([next(pieces)], pieces), out)
    except (office.NoSuchIncident, Refused) as wrong:
        give_up(str(wrong))


@main.command()
@click.argument("incident")
@click.argument("report", type=click.File("r", encoding="utf-8"))
def edit(*, incident: str, report: TextIO) -> None:
    """Take in what you changed in a report. It was exported as Markdown; all of it is taken in, or nothing.

    Every text that stands behind its number can be changed. What was changed is printed, and what cannot be taken in
    is named. REPORT is the file, INCIDENT its id, its channel's name or its channel's id.
    """
    from bot import office
    from bot.review.refusal import Refused

    settings = settings_or_leave()
    try:
        with database_errors(), office.opened(settings) as storage:
            lines = office.edited(settings, storage, incident, report.read())
    except UnicodeDecodeError:
        give_up(f"{report.name} is no text in UTF-8.")
    except office.NoSuchIncident as wrong:
        give_up(str(wrong))
    except Refused as refused:
        give_up(refused.sentence(settings.command))
    click.echo("\n".join(lines))


@main.command()
@click.argument("incident")
def verify(*, incident: str) -> None:
    """Check that nobody changed what was said. Exit status 1 where a message is not as it was kept.

    INCIDENT is its id, its channel's name or its channel's id.
    """
    from bot import office

    try:
        with database_errors(), office.opened(settings_or_leave()) as storage:
            lines, as_it_was = office.verified(storage, incident)
    except office.NoSuchIncident as wrong:
        give_up(str(wrong))
    click.echo("\n".join(lines))
    sys.exit(0 if as_it_was else BROKEN)


def write_out(pieces: Iterable[bytes], out: Path | None) -> None:
    """Into a file, or where there is none, to whoever reads our output."""
    try:
        with out.open("wb") if out else click.open_file("-", "wb") as file:
            file.writelines(pieces)
    except OSError as error:
        give_up(f"{out or 'The output'} cannot be written: {error.strerror}. Name a file in a folder you may write to.")


@main.command(name="erase-user")
@click.argument("user")
@click.option("--yes", is_flag=True, help="Do not ask before.")
def erase_user(*, user: str, yes: bool) -> None:
    """Forget a person. A made-up name takes their place everywhere; USER is their id in Slack, such as U012AB3CD.

    What they wrote stays. Doing it again, or after it was interrupted, goes on where it was.
    """
    from bot import erasing, office
    from bot.review.pseudonym import USER

    settings = settings_or_leave()
    meant = USER.fullmatch(user.strip().upper())
    if not meant:
        give_up(f"{user} is no id of a user: in Slack, “Copy member ID” in a profile gives it, such as U012AB3CD.")
    user = meant[1]
    try:
        with database_errors(), office.opened(settings) as storage:
            found = erasing.look(storage, user)
            if not found.rows:
                click.echo(erasing.nothing(user, found))
                return
            if not yes and not click.confirm(f"{erasing.asked(user, found)}\nErase {user}?"):
                give_up("Nothing was changed.", BROKEN)
            click.echo("\n".join(erasing.erase(settings, storage, found)))
    except erasing.OurOwn as wrong:
        give_up(str(wrong))


@main.command()
@click.option("--dead", is_flag=True, help="What will never be said, and why.")
@click.option(
    "--retry",
    type=click.IntRange(0, 2**31 - 1),
    multiple=True,
    metavar="ID",
    help="Say a dead one after all; may be given several times.",
)
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def outbox(*, dead: bool, retry: tuple[int, ...], as_json: bool) -> None:
    """What waits to be said, and why: ids and places, never the words."""
    from bot import office

    with database_errors(), office.opened(settings_or_leave()) as storage:
        unknown = office.revive(storage, retry)
        rows = office.unsaid(storage, "dead" if dead else "waiting")
    if unknown:
        names = ", ".join(map(str, unknown))
        give_up(f"There is no dead note {names}. `debrief outbox --dead` lists those there are.")
    if as_json:
        click.echo(json.dumps([asdict(row) for row in rows], default=datetime.isoformat, indent=2))
        return
    click.echo("\n".join(office.lines(rows, "dead" if dead else "waiting")))


# Slack ------------------------------------------------------------------------------------


@main.command()
@click.option("--socket", is_flag=True, help="For Socket Mode (what it is without --http).")
@click.option("--http", metavar="URL", help="For HTTP: the bot's public address.")
@click.option("--command", "command", metavar="NAME", default="/review", show_default=True, help="The slash command.")
def manifest(*, socket: bool, http: str | None, command: str) -> None:
    """Print the Slack app manifest. It is JSON; the reason of every scope goes to stderr."""
    from bot.manifest import SCOPES, manifest
    from bot.settings import COMMAND

    if socket and http:
        give_up("--socket and --http exclude each other: choose one way of delivery.")
    command = command if command.startswith("/") else f"/{command}"
    if not COMMAND.fullmatch(command):
        give_up("--command cannot be used: give a slash command of lower-case letters, such as /review.")
    if http and not urlsplit(http).hostname:
        give_up("--http cannot be used: give the bot's public address, such as https://debrief.example.com.")
    click.echo(json.dumps(manifest(command=command, http=http), indent=2, ensure_ascii=False))
    for scope, (reason, without) in SCOPES.items():
        click.echo(f"{scope}: {reason}; without it {without}.", err=True)


@main.command()
def doctor() -> None:
    """Say what is wrong, and how to mend it. It looks at the settings, the database, its schema and Slack."""
    from bot.doctor import examine

    findings = asyncio.run(examine())
    for finding in findings:
        click.echo(f"{'ok ' if finding.well else 'NOT'} {finding.what}: {finding.words}")
    sys.exit(0 if all(finding.well for finding in findings) else BROKEN)

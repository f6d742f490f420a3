"""The doctor: what is wrong with an installation, and how to mend it."""

import shutil
from collections.abc import AsyncIterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from aiohttp import ClientError
from aiosmtplib import SMTPAuthenticationError, SMTPException
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from bot.caldav import Calendars, NotRead
from bot.caldav import Person as CalendarOf
from bot.mailing import Mail
from bot.manifest import SCOPES
from bot.paging import said_by
from bot.printing import Press
from bot.review import example
from bot.review.history import MEAGRE_PAGE
from bot.review.policy import Policy
from bot.seals import FILE
from bot.settings import BadSettings, Settings, needed_to_run, read_settings
from bot.shelf import Shelf
from storage import files, poolers, readings
from storage.health import LITTLE_ROOM, MISFIT, SILENT, damage, trouble
from storage.models import Person, Workspace
from storage.session import Storage, differences, make_engine, misfit
from storage.sweeping import is_too_large


@dataclass(frozen=True, slots=True)
class Finding:
    """What was looked at, whether it is well, and what to know or to do."""

    what: str
    well: bool
    words: str


async def examine() -> list[Finding]:
    """Everything that can be checked from here, in the order in which it has to work."""
    try:
        settings = read_settings()
    except BadSettings as wrong:
        return [Finding("settings", False, str(wrong))]
    database = _database(settings)
    found = [_settings(settings), *_listed(settings), _policy(settings), *_templates(settings), database]
    found += [_private_answers(settings), *_disk(settings)]
    if database.well:
        found += [_files(settings), *_sweeping(settings)]
        found += await _calendars(settings)
    found += await _letters(settings)
    if settings.bot_token:
        found += [finding async for finding in _slack(settings)]
    return found


def _settings(settings: Settings) -> Finding:
    try:
        needed_to_run(settings)
    except BadSettings as wrong:
        return Finding("settings", False, str(wrong))
    return Finding("settings", True, "Socket Mode" if settings.app_token else f"HTTP on port {settings.port}")


def _listed(settings: Settings) -> list[Finding]:
    """Every other setting with the value in force; secrets never."""
    shown = settings.model_dump(exclude={"slack_bot_token", "slack_app_token", "slack_signing_secret", "database_url"})
    return [Finding(Settings.model_fields[name].alias or name, True, _value(value)) for name, value in shown.items()]


def _value(value: object) -> str:
    """As it would be written in the environment."""
    if isinstance(value, dict):
        return ",".join(f"{name}={kind}" for name, kind in value.items())
    if isinstance(value, float):
        return f"{value:g}"
    return "not set" if value is None else str(value)


def _policy(settings: Settings) -> Finding:
    """What this installation asks for that is not by default; what cannot be used was told with the settings."""
    given = sorted(settings.rules.given)
    return Finding("policy", True, f"set in {settings.policy}: {', '.join(given)}" if given else "all by default")


def _private_answers(settings: Settings) -> Finding:
    """What they are closed with; of several programs each would have a key of its own."""
    if settings.seal_key:
        return Finding("private answers", True, "closed with DEBRIEF_SEAL_KEY")
    if settings.url.startswith("sqlite"):
        words = f"closed with {settings.data_dir.absolute() / FILE}, which no backup of the database holds"
        return Finding("private answers", True, words)
    return Finding("private answers", True, "nobody is asked for one: name one key for all bots in DEBRIEF_SEAL_KEY")


def _templates(settings: Settings) -> list[Finding]:
    """Those of this installation's own, each tried on a made-up review."""
    if settings.templates is None:
        return []
    wrong = Press(settings.templates).troubles(example.written())
    told = [
        Finding("template", False, f"{one.template} fails ({one.why}), so reports use ours instead.") for one in wrong
    ]
    return told or [Finding("templates", True, f"those in {settings.templates} work")]


def _database(settings: Settings) -> Finding:
    damaged = damage(settings.url)
    if damaged:
        return Finding("database", False, damaged)
    try:
        mixed = poolers.between(settings.url)
        if mixed:
            return Finding("database", False, mixed)
        engine = make_engine(settings.url)
        try:
            why = misfit(engine)
        finally:
            engine.dispose()
        if why:
            return Finding("schema", False, why)
        found = differences(settings.url)
    except SQLAlchemyError as error:
        words = f"it does not answer ({type(error).__name__}): check DEBRIEF_DATABASE_URL"
        known = trouble(error)
        return Finding("database", False, words if known in {None, SILENT, MISFIT} else str(known))
    if found:
        return Finding("schema", False, "it differs from what this version expects: run the version that made it")
    return Finding("database", True, f"{engine.dialect.name}, its schema is current")


def _disk(settings: Settings) -> list[Finding]:
    """Room for what is kept: the data directory holds files, and the database where it is SQLite."""
    try:
        free = shutil.disk_usage(settings.data_dir).free
    except OSError:
        return []
    words = f"{free // 2**20} MB free where DEBRIEF_DATA_DIR lies"
    if free < LITTLE_ROOM:
        return [Finding("disk", False, f"{words}: make room, for nothing is kept on a full disk")]
    return [Finding("disk", True, words)]


def _files(settings: Settings) -> Finding:
    """Whether the contents that the database speaks of lie where they should."""
    storage = Storage(settings.url)
    with storage.read() as db:
        kept, waiting = files.kept(db), files.waiting(db)
    shelf = Shelf(settings.files_dir, storage)
    gone = len(kept - set(shelf.contents()))
    several = f". {ONE_FOLDER}" if storage.shared else ""
    storage.close()
    if gone:
        words = f"{gone} of {len(kept)} are not in {shelf.folder}: put that folder back from your backup{several}"
        return Finding("files", False, words)
    return Finding("files", True, f"{len(kept)} in {shelf.folder}, {waiting} still to be fetched{several}")


ONE_FOLDER = "If several bots use this database, let them share that folder: else what is deleted stays on other disks"


def _sweeping(settings: Settings) -> list[Finding]:
    """Whether somebody has to take out of the file what was erased."""
    with closing(Storage(settings.url)) as storage:
        if not is_too_large(storage):
            return []
    words = (
        "what was erased still stands in its unused bytes, and it is too large to be written anew while the bot "
        "runs: at a quiet hour stop the bot, run `debrief db sweep`, and start it again"
    )
    return [Finding("database file", False, words)]


async def _letters(settings: Settings) -> list[Finding]:
    """Whether the mail server lets us in; nothing is sent."""
    if settings.mail is None:
        return []
    server, sender = settings.mail
    try:
        await Mail(server, sender).greet()
    except SMTPAuthenticationError as refused:
        words = f"{server} answers {refused.code} to the name and password in DEBRIEF_SMTP_URL: check them"
        return [Finding("letters", False, words)]
    except (SMTPException, OSError) as failure:
        words = f"{server} does not let us in ({type(failure).__name__}): check DEBRIEF_SMTP_URL"
        return [Finding("letters", False, words)]
    return [Finding("letters", True, f"{server} takes them from {sender.address}")]


async def _calendars(settings: Settings) -> list[Finding]:
    """The calendar of the first person whose address is known, as far as it is said where calendars lie."""
    if settings.caldav_url is None:
        return []
    known = _somebody(settings)
    if known is None:
        return [Finding("calendars", True, "nobody's e-mail address is known yet to try one with")]
    calendars = Calendars(settings.caldav_url, settings.caldav_user or "", settings.caldav_secret)
    now = datetime.now(UTC)
    try:
        await calendars.busy(CalendarOf(known.email or "", UTC), now, now + timedelta(days=1))
    except NotRead as why:
        return [Finding("calendars", False, f"that of {known.user_id} cannot be read: {why}")]
    return [Finding("calendars", True, f"that of {known.user_id} can be read")]


def _somebody(settings: Settings) -> Person | None:
    here = (Person.email.is_not(None), Person.gone_since.is_(None), Person.bot_since.is_(None))
    with closing(Storage(settings.url)) as storage, storage.read() as db:
        found = db.scalar(select(Person).where(*here).order_by(Person.user_id).limit(1))
        db.expunge_all()
        return found


async def _slack(settings: Settings) -> AsyncIterator[Finding]:
    client = AsyncWebClient(token=settings.bot_token, base_url=settings.slack_api_url, timeout=10)
    try:
        answer = await client.auth_test()
    except SlackApiError as error:
        word = error.response.get("error") or error.response.status_code
        yield Finding("Slack", False, f"it answers {word} to SLACK_BOT_TOKEN: copy the token anew from your app's page")
        return
    except (ClientError, OSError, TimeoutError) as error:
        words = f"it cannot be reached ({type(error).__name__}): check the network and SLACK_API_URL"
        yield Finding("Slack", False, words)
        return
    yield Finding("Slack", True, f"workspace {answer.get('team')} as {answer.get('user')}")
    given = {scope.strip() for scope in str(answer.headers.get("x-oauth-scopes") or "").split(",") if scope.strip()}
    missing = sorted(set(SCOPES) - given) if given else []
    if missing:
        told = ", ".join(f"{scope} ({SCOPES[scope][1]})" for scope in missing)
        words = f"missing {told}: install the app again with the manifest of `debrief manifest`"
        yield Finding("scopes", False, words)
    else:
        yield Finding("scopes", True, "all there" if given else "Slack did not say which there are")
    if history := await _history(settings, client, str(answer.get("team_id") or "")):
        yield history
    if settings.app_token:
        yield await _socket_mode(settings)
    for finding in await _named_in_policy(settings.rules, client):
        yield finding


async def _named_in_policy(policy: Policy, client: AsyncWebClient) -> list[Finding]:
    """Whether Slack knows the people and channels that the policy names, the first of many."""
    nobody = [user for user in policy.people[:MOST_LOOKED_UP] if await _is_nobody(client, user)]
    closed = [channel for channel in policy.sharing.channels[:MOST_LOOKED_UP] if await _is_closed(client, channel)]
    found: list[Finding] = []
    if nobody:
        words = f"Slack knows no such member as {', '.join(nobody)}: name somebody else in DEBRIEF_POLICY"
        found.append(Finding("people of the policy", False, words))
    if closed:
        words = f"the bot is not in {', '.join(closed)}, so no report goes there: invite it, or take them off"
        found.append(Finding("channels of the policy", False, words))
    return found


MOST_LOOKED_UP = 30
"""Calls to Slack of each sort; a doctor should not take minutes."""


async def _is_nobody(client: AsyncWebClient, user: str) -> bool:
    """As Slack says; where it says nothing, nothing is wrong with the policy."""
    try:
        answer = await client.users_info(user=user)
    except SlackApiError as error:
        return said_by(error) in {"user_not_found", "user_not_visible"}
    except (ClientError, OSError, TimeoutError):
        return False
    return bool((answer.get("user") or {}).get("deleted"))


async def _is_closed(client: AsyncWebClient, channel: str) -> bool:
    try:
        answer = await client.conversations_info(channel=channel)
    except SlackApiError as error:
        return said_by(error) == "channel_not_found"
    except (ClientError, OSError, TimeoutError):
        return False
    shown = answer.get("channel") or {}
    return not shown.get("is_member") or bool(shown.get("is_archived"))


LIMITED = Finding(
    "history",
    False,
    "Slack gives this app fifteen messages a minute, as it does to an app that others distribute: what was said while "
    "the bot was away comes very late. Create an app of your own, in your own workspace, from `debrief manifest`, and "
    "put its tokens in place of these",
)


async def _history(settings: Settings, client: AsyncWebClient, team: str) -> Finding | None:
    """Ask for one more message than Slack gives where it limits an app; nothing while the database is not well."""
    try:
        limited_at, channel = _known_of_history(settings, team)
    except SQLAlchemyError:
        return None
    if channel is None:
        return LIMITED if limited_at else Finding("history", True, "no channel is followed yet to try it in")
    try:
        answer = await client.conversations_history(channel=channel, limit=MEAGRE_PAGE + 1)
    except SlackApiError as error:
        return LIMITED if limited_at else _history_refused(said_by(error) or "no answer", channel)
    except (ClientError, OSError, TimeoutError) as error:
        return Finding("history", False, f"it cannot be read ({type(error).__name__})")
    shown = len(answer.get("messages") or ())
    if (shown <= MEAGRE_PAGE and answer.get("has_more")) or (limited_at and shown <= MEAGRE_PAGE):
        return LIMITED
    return Finding("history", True, "Slack gives whole pages" if shown > MEAGRE_PAGE else "it can be read")


def _known_of_history(settings: Settings, team: str) -> tuple[datetime | None, str | None]:
    """When it was seen to be limited, and a channel that is followed."""
    storage = Storage(settings.url)
    try:
        with storage.read() as db:
            space = db.get(Workspace, team)
            newest = next(reversed(readings.listened(db, team)), None)
            return space.history_limited_at if space else None, newest.channel_id if newest else None
    finally:
        storage.close()


def _history_refused(word: str, channel: str) -> Finding:
    if word == "ratelimited":
        return Finding("history", True, "the bot is reading it just now; ask again in a minute")
    return Finding("history", False, f"Slack answers {word} for {channel}: invite the bot there again")


async def _socket_mode(settings: Settings) -> Finding:
    client = AsyncWebClient(base_url=settings.slack_api_url, timeout=10)
    try:
        await client.apps_connections_open(app_token=settings.app_token)
    except SlackApiError as error:
        word = error.response.get("error") or error.response.status_code
        mend = "give it connections:write, or copy it anew"
        return Finding("Socket Mode", False, f"Slack answers {word} to SLACK_APP_TOKEN: {mend}")
    except (ClientError, OSError, TimeoutError) as error:
        return Finding("Socket Mode", False, f"it cannot be reached ({type(error).__name__})")
    return Finding("Socket Mode", True, "a connection can be opened")

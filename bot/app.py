"""The one place where everything meets: settings become a running bot."""

import asyncio
import contextlib
import gc
import json
import logging
import signal
import sys
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from aiohttp import ClientError, web
from slack_bolt.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_bolt.response import BoltResponse
from slack_sdk.errors import SlackApiError
from slack_sdk.http_retry.builtin_async_handlers import (
    AsyncConnectionErrorRetryHandler,
    AsyncRateLimitErrorRetryHandler,
    AsyncServerErrorRetryHandler,
)
from slack_sdk.web.async_client import AsyncWebClient
from sqlalchemy import make_url, text
from sqlalchemy.exc import SQLAlchemyError

from bot import archiving, listeners
from bot import web as http
from bot.availability import Availability
from bot.caldav import Calendars
from bot.calling import Caller
from bot.claims import Claims
from bot.clock import Clock
from bot.courier import Courier
from bot.desk import Desk
from bot.hearing import Hearing
from bot.historian import Historian, Show
from bot.keeper import Keeper, NotKeepingError
from bot.listeners.edge import Edge
from bot.listeners.first import AtWork, an_app
from bot.listeners.opening import catch_up
from bot.mailing import Mail
from bot.measures import Measures, Process, Standing
from bot.pacing import Pace
from bot.paging import History
from bot.porter import Porter
from bot.registrar import Registrar
from bot.render import Renderer
from bot.rereading import Rereader
from bot.review.incident import TeamId, UserId
from bot.seals import KeyUnusable, Seal
from bot.settings import BadSettings, Settings, needed_to_run
from bot.sheets import Sheets
from bot.shelf import NotOurs, Shelf
from bot.slack import Slack
from bot.sockets import Envelopes, Socket
from storage import crossed, pauses, people, poolers, silence
from storage.health import SILENT, damage, trouble
from storage.moment import DatabaseTime
from storage.session import NotUsable, Storage, misfit, new_mark_key, only_one, upgrade

log = logging.getLogger("debrief.app")

TICK_S = 5.0
TICK_OF_A_LOCAL_SLACK_S = 1.0
"""In a sandbox nobody should wait for what is due; when its clock is moved it is asked at once."""
TICKS_TO_READ_BACK = 3
"""What was said is looked for in Slack this much more seldom."""
HEARTBEAT_S = 30.0
LISTEN_S = 1.0
STUCK_AFTER_S = 600.0
"""A clock that got nothing done for this long hangs: what is due is forgotten, and only a new start helps."""
DRAIN_S = 16.0
"""For what is under way when we stop: a little more than the longest call to Slack; what takes longer is looked up at
the next start. With what comes after it, twenty seconds."""
HAND_OVER_S = 0.001
"""How long one thread may keep the interpreter from another: Python's 5 ms would be added to answers at each commit."""
CONNECTIONS = 2
"""Socket Mode connections of one process; Slack allows ten per app."""
STUCK = "the clock got nothing done for ten minutes: start debrief again"
WRONG_TOKEN = {"invalid_auth", "not_authed", "account_inactive", "token_revoked", "token_expired"}


def system_time() -> datetime:
    return datetime.now(UTC)


def clock_of(settings: Settings) -> Callable[[], datetime]:
    """Whose time counts: a local Slack's where it was asked for, the database's where several programs share one."""
    if settings.clock == "slack":
        return time_of(settings.control_url)
    shared = make_url(settings.url).get_backend_name() != "sqlite"
    return DatabaseTime(settings.url) if shared else system_time


def time_of(control_url: str) -> Callable[[], datetime]:
    """The clock of a local Slack."""

    def now() -> datetime:
        with urllib.request.urlopen(control_url, timeout=5) as answer:  # noqa: S310
            return datetime.fromisoformat(json.load(answer)["now"]).astimezone(UTC)

    return now


@dataclass(frozen=True, slots=True)
class Identity:
    """Who we are in this workspace, as Slack says."""

    team: TeamId
    team_name: str
    url: str
    user: UserId
    bot: str


class Debrief:
    """A running bot; `run()` returns when it was asked to stop."""

    def __init__(self, settings: Settings, show: Show | None = None) -> None:
        needed_to_run(settings)
        self.settings = settings
        self.show = show
        self.now = clock_of(settings)
        self.writes = AsyncWebClient(token=settings.bot_token, base_url=settings.slack_api_url, retry_handlers=[])
        self.reads = AsyncWebClient(
            token=settings.bot_token,
            base_url=settings.slack_api_url,
            retry_handlers=[
                AsyncConnectionErrorRetryHandler(),
                AsyncRateLimitErrorRetryHandler(max_retry_count=3),
                AsyncServerErrorRetryHandler(max_retry_count=2),
            ],
        )
        # History waits by the clock we were given, and for longer than anybody else would.
        self.pages = AsyncWebClient(token=settings.bot_token, base_url=settings.slack_api_url, retry_handlers=[])
        self._stop = asyncio.Event()
        self.hearing = Hearing()
        self.measures = Measures()
        self._not_ready: str | None = "starting"
        self.app: AsyncApp | None = None
        self._first_address: str | None = None

    async def run(self) -> None:
        """Serve until stopped: schema first, then Slack, then the doors, then what is due."""
        sys.setswitchinterval(HAND_OVER_S)
        with _one_of_us(self.settings.url):
            await asyncio.to_thread(_refuse_the_unusable, self.settings.url)
            await asyncio.to_thread(upgrade, self.settings.url)
            self.storage = Storage(self.settings.url, witness_key=self.settings.witness_secret)
            try:
                await self._serve()
            finally:
                self.storage.close()
                if isinstance(self.now, DatabaseTime):
                    self.now.close()

    def stop(self) -> None:
        """Ask a running bot to stop."""
        self._stop.set()

    async def _serve(self) -> None:
        self._stop_on_signals()
        runner = await self._open_pages()
        try:
            me = await self._introduce()
            if me is not None:
                await asyncio.to_thread(self._open_shelf)
                self._open(me)
                await self._stop.wait()
                await self._close()
        finally:
            await runner.cleanup()

    async def _open_pages(self) -> web.AppRunner:
        application = http.pages(self._why_not_ready, lambda: asyncio.to_thread(self.measures.page))
        if not self.settings.app_token:
            http.receive_events(
                application,
                lambda: self.app,
                secret=self.settings.signing_secret,
                now=self._moment,
                keep=self._keep_first,
                acked=partial(self.measures.acked, "http"),
            )
        runner = http.runner(application)
        await runner.setup()
        try:
            await web.TCPSite(runner, port=self.settings.port).start()
        except OSError as error:
            raise BadSettings(f"DEBRIEF_PORT cannot be used: {self.settings.port} ({error.strerror}).") from None
        return runner

    async def _moment(self) -> datetime:
        """The time by which signatures are checked: this machine's, or a local Slack's, which is worth a thread."""
        return await asyncio.to_thread(self.now) if self.settings.clock == "slack" else system_time()

    def _stop_on_signals(self) -> None:
        loop = asyncio.get_running_loop()
        for name in (signal.SIGTERM, signal.SIGINT):
            with contextlib.suppress(NotImplementedError, RuntimeError):
                loop.add_signal_handler(name, self.stop)

    async def _introduce(self) -> Identity | None:
        """Ask Slack who we are until it answers; None when we are stopped first."""
        while not self._stop.is_set():
            try:
                answer = await self.reads.auth_test()
            except SlackApiError as error:
                word = str(error.response.get("error") or error.response.status_code)
                if word in WRONG_TOKEN:
                    raise BadSettings(f"SLACK_BOT_TOKEN cannot be used: Slack answers {word}. Copy it anew.") from None
                log.warning("Slack does not know us yet", extra={"error": word})
            except (ClientError, OSError, TimeoutError) as error:
                log.warning("Slack cannot be reached yet", extra={"error": type(error).__name__})
            else:
                self.hearing.heard()
                self._first_address = await self._socket_address()
                return await asyncio.to_thread(self._remember, answer)
            await self._pause(2.0)
        return None

    async def _socket_address(self) -> str | None:
        """Where the first socket connects; a wrong app token is told at once, whatever else is wrong may pass."""
        if not self.settings.app_token:
            return None
        try:
            answer = await self.writes.apps_connections_open(app_token=self.settings.app_token)
        except SlackApiError as error:
            word = str(error.response.get("error") or "")
            if word in WRONG_TOKEN:
                mend = "copy the token that begins with xapp- anew"
                raise BadSettings(f"SLACK_APP_TOKEN cannot be used: Slack answers {word}; {mend}.") from None
        except (ClientError, OSError, TimeoutError) as error:
            log.warning("Socket Mode cannot be reached yet", extra={"error": type(error).__name__})
        else:
            return str(answer.get("url") or "") or None
        return None

    def _remember(self, answer: Any) -> Identity:
        me = Identity(
            team=TeamId(str(answer["team_id"])),
            team_name=str(answer.get("team") or ""),
            url=str(answer.get("url") or ""),
            user=UserId(str(answer["user_id"])),
            bot=str(answer.get("bot_id") or ""),
        )
        crossed.run_again(lambda: self._know(me))
        return me

    def _know(self, me: Identity) -> None:
        with self.storage.write() as db:
            people.know_workspace(
                db,
                me.team,
                name=me.team_name,
                url=me.url,
                bot_user=me.user,
                bot_id=me.bot,
                mark_key=new_mark_key(),
            )

    def _open_shelf(self) -> None:
        self.shelf = Shelf(self.settings.files_dir, self.storage)
        try:
            self.shelf.open()
        except NotOurs as wrong:
            raise BadSettings(f"DEBRIEF_DATA_DIR cannot be used: {wrong}. Name another folder.") from None
        except OSError as error:
            log.warning("files cannot be kept", extra={"folder": str(self.shelf.folder), "why": error.strerror})

    def _open(self, me: Identity) -> None:
        grace = timedelta(seconds=self.settings.lookup_grace_s)
        house = replace(self.settings.house(), seal=self._seal())
        pace = Pace(a_second=self.settings.writes_a_second) if self.settings.writes_a_second else None
        caller = self._caller(pace or Pace(), me.team)
        put_off = partial(silence.put_off, hours=house.working_hours, days_off=house.days_off)
        claims = Claims(self.storage, team=me.team, now=self.now, grace=grace, pace=pace, put_off=put_off)
        sheets = Sheets(self.storage, me.team, house=house)
        mail = Mail(*self.settings.mail) if self.settings.mail else None
        self.courier = Courier(claims, sheets, caller, mail=mail, tell=self.measures.delivered)
        renderer = Renderer(command=self.settings.command)
        self.desk = Desk(self.storage, renderer, team=me.team, house=house, now=self.now, wake=self.courier.wake)
        self.keeper = Keeper(self.storage, me.team, self.now)
        self.keeper.start()
        slack, history = Slack(self.reads), History(self.pages, self.now)
        self.historian = Historian(self.desk, slack, history, show=self.show)
        self.historian.was_away()
        self.porter = Porter(self.desk, self.reads, self.shelf, limit_mb=self.settings.file_limit_mb)
        app = self._bolt(me)
        edge = Edge(self.desk, self.writes, slack, historian=self.historian, bot_user=me.user)
        listeners.register(app, edge)
        self._at_work = AtWork(app)
        every = TICK_OF_A_LOCAL_SLACK_S if self.settings.clock == "slack" else TICK_S
        self.registrar = Registrar(self.desk, slack)
        self.clock = Clock(self.desk, every_s=every, also=lambda: self._fetch(edge), beside=self.shelf.sweep)
        self.measures.registry.register(Standing(self.storage, me.team, now=self.now, process=self._process))
        self.app = app
        self._sockets: list[Socket] = []
        self._connecting = asyncio.create_task(self._connect(app)) if self.settings.app_token else None
        self._delivering = asyncio.create_task(self.courier.run())
        self._carrying = asyncio.create_task(self.porter.run())
        self._beside = [asyncio.create_task(one.run()) for one in self._calendars()]
        rereader = self._rereader(me.team, history, caller)
        self._rereading = asyncio.create_task(rereader.run(every * TICKS_TO_READ_BACK))
        self._beating = [asyncio.create_task(self._beat()), asyncio.create_task(self._listen())]
        self.clock.start()
        if self.settings.clock == "slack":
            self._beating.append(asyncio.create_task(self.clock.watch()))
        _look_past_what_stays()
        self._not_ready = None
        log.info("ready", extra={"mode": "socket" if self.settings.app_token else "http"})

    def _calendars(self) -> list[Availability]:
        """Who reads when people are busy; nobody where it is not said where calendars lie."""
        url, user = self.settings.caldav_url, self.settings.caldav_user
        calendars = Calendars(url, user or "", self.settings.caldav_secret) if url else None
        return [Availability(self.desk, calendars, Slack(self.reads))] if calendars else []

    async def _fetch(self, edge: Edge) -> None:
        """What waits on Slack at each tick."""
        await catch_up(edge)
        await self.registrar.read_if_due()

    def _seal(self) -> Seal | None:
        try:
            return self.settings.seal()
        except KeyUnusable as why:
            log.warning("nobody is asked for a private answer", extra={"why": str(why)})
            return None

    def _rereader(self, team: TeamId, history: History, caller: Caller) -> Rereader:
        return Rereader(
            self.storage,
            history,
            caller,
            team=team,
            now=self.now,
            wake=self.courier.wake,
            tell=self.measures.delivered,
        )

    def _caller(self, pace: Pace, team: TeamId) -> Caller:
        """Who calls Slack for what is said unasked: never before Slack's time, which every process is told."""

        async def told(method: str, until: datetime) -> None:
            try:
                await asyncio.to_thread(self._hold, team, method, until)
            except SQLAlchemyError as error:
                why = trouble(error) or type(error).__name__
                log.warning("a pause could not be written down", extra={"method": method, "why": why})

        return Caller(
            pace=pace,
            moment=self._time_of_notes,
            told=told,
            token=self.settings.bot_token,
            base_url=self.settings.slack_api_url,
        )

    async def _time_of_notes(self) -> datetime:
        """The time of everything that is due; what has to be asked for is worth a thread."""
        return self.now() if self.now is system_time else await asyncio.to_thread(self.now)

    def _hold(self, team: TeamId, method: str, until: datetime) -> None:
        with self.storage.write() as db:
            pauses.hold(db, team, method, until=until)

    def _bolt(self, me: Identity) -> AsyncApp:
        async def as_ourselves() -> AuthorizeResult:
            # Bolt would ask Slack who we are before it answers, and a flood at the start would ask many times.
            token = self.settings.bot_token
            return AuthorizeResult(
                enterprise_id=None, team_id=me.team, bot_user_id=me.user, bot_id=me.bot, bot_token=token
            )

        client = AsyncWebClient(base_url=self.settings.slack_api_url, retry_handlers=[])
        return an_app(self._keep_first, client=client, authorize=as_ourselves)

    async def _keep_first(self, body: dict[str, Any]) -> BoltResponse | None:
        """Facts are on disk before Slack is told anything; where they cannot be, Slack is asked to send again."""
        self.hearing.heard()
        withheld = body.get("type") == "app_rate_limited"
        try:
            await (asyncio.to_thread(self._doubt, body) if withheld else self.keeper.keep(body))
        except (SQLAlchemyError, NotKeepingError):
            return BoltResponse(status=503)  # The keeper has said why.
        if withheld:
            self.historian.was_away()
            return BoltResponse(status=200)
        self.porter.hear(body)
        return None

    def _doubt(self, body: dict[str, Any]) -> None:
        """Slack holds back events since the minute it names, in seconds, or else since a minute ago."""
        minute = body.get("minute_rate_limited")
        self.desk.serve(archiving.doubt, minute=minute if isinstance(minute, int) else None)

    async def _connect(self, app: AsyncApp) -> None:
        envelopes = Envelopes()
        for _ in range(CONNECTIONS):
            handler = Socket(
                app,
                self.settings.app_token,
                envelopes,
                address=self._first_address,
                when_open=self.historian.was_away,
                acked=partial(self.measures.acked, "socket"),
            )
            self._first_address = None
            self._sockets.append(handler)
            while not self._stop.is_set():
                try:
                    await handler.connect_async()
                    break
                except (SlackApiError, ClientError, OSError, TimeoutError) as error:
                    log.warning("no Socket Mode connection yet", extra={"error": type(error).__name__})
                    await self._pause(2.0)

    async def _beat(self) -> None:
        """Hear from Slack regularly, however quiet the workspace is."""
        while not self._stop.is_set():
            await self._pause(HEARTBEAT_S)
            try:
                await self.writes.auth_test()
                self.hearing.heard()
            except (SlackApiError, ClientError, OSError, TimeoutError) as error:
                log.warning("no heartbeat from Slack", extra={"error": type(error).__name__})

    async def _listen(self) -> None:
        """See every second whether a connection is open that events can come by."""
        while not self._stop.is_set():
            await self._pause(LISTEN_S)
            self.hearing.look(sum([await socket.is_open() for socket in self._sockets]) if self._connecting else None)

    async def _pause(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._stop.wait(), seconds)

    async def _why_not_ready(self) -> str | None:
        if self._not_ready:
            return self._not_ready
        why = self.hearing.why_deaf() or await asyncio.to_thread(self._why_database_is_not_ready)
        return why or (STUCK if self.clock.idle_s > STUCK_AFTER_S else None)

    def _process(self) -> Process:
        return Process(
            silent_s=self.hearing.silent_s,
            deaf_s=self.hearing.deaf_s,
            tick_age_s=self.clock.idle_s,
            ticks=self.clock.ticks,
            sockets=self.hearing.sockets,
            stopping=self._stop.is_set(),
        )

    def _why_database_is_not_ready(self) -> str | None:
        try:
            with self.storage.read() as db:
                db.execute(text("SELECT 1"))
            why = misfit(self.storage.engine)
        except (SQLAlchemyError, OSError) as error:
            return trouble(error) or SILENT
        return why or self.storage.trouble()

    async def _close(self) -> None:
        """Take nothing new, finish what is under way, within 20 seconds; Slack sends again what it may not say now."""
        self._not_ready = "stopping"
        self.app = None
        log.info("stopping")
        self.clock.stop()
        self.courier.stop()
        if self._connecting:
            self._connecting.cancel()
        under_way = [socket.close_after_answering() for socket in self._sockets]
        under_way += [self._at_work.end(), self.historian.stop()]
        done, late = await asyncio.wait([self._delivering, *map(asyncio.ensure_future, under_way)], timeout=DRAIN_S)
        log.info("stopped", extra={"finished": len(done), "cut_off": len(late)})
        for task in (*late, self._carrying, *self._beside, self._rereading, *self._beating):
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)
        await asyncio.to_thread(self.keeper.stop)


def _look_past_what_stays() -> None:
    """Modules and listeners are never garbage: to go through them again each time would hold up answers for 70 ms."""
    gc.collect()
    gc.freeze()


@contextlib.contextmanager
def _one_of_us(url: str) -> Any:
    try:
        with only_one(url):
            yield
    except NotUsable as error:
        raise BadSettings(str(error)) from None


def _refuse_the_unusable(url: str) -> None:
    why = damage(url) or poolers.between(url)
    if why:
        raise NotUsable(f"DEBRIEF_DATABASE_URL cannot be used: {why}.")


def build(settings: Settings, show: Show | None = None) -> Debrief:
    """The bot of these settings, not running yet; `show` draws how far a history is read. Raises BadSettings."""
    return Debrief(settings, show)

"""The installation's settings, read once from the environment; a wrong one is a sentence that says how to mend it."""

import re
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AliasChoices, Field, PrivateAttr, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict
from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError

from bot.addresses import Server, mailbox
from bot.calendars import Guest
from bot.days_off import days_off
from bot.desk import House
from bot.pacing import WRITES_A_SECOND
from bot.policies import BadPolicy
from bot.policies import read as read_policy
from bot.review.meeting_time import WorkingHours, weekends_alone
from bot.review.naming import Naming
from bot.review.policy import DEFAULT, Policy
from bot.review.refusal import Refused
from bot.review.timeline import Kind
from bot.seals import Seal, kept_in

SLACKS_OWN_API = "https://slack.com/api/"
LOOPBACK = {"127.0.0.1", "localhost", "::1"}
COMMAND = re.compile("/[a-z0-9_-]{1,31}")
"""What Slack takes for a slash command."""
LINK = re.compile(r"https://[A-Za-z0-9._~:/?#\[\]@!$&'()*+,;=%-]+")
DEFAULT_EMOJI = {"pushpin": "guess", "clipboard": "action"}


class BadSettings(Exception):
    """One sentence for the person who starts the program."""


class Settings(BaseSettings):
    """Every environment variable that Debrief knows, with its default."""

    model_config = SettingsConfigDict(extra="ignore", env_ignore_empty=True)

    slack_bot_token: SecretStr | None = Field(None, alias="SLACK_BOT_TOKEN")
    slack_app_token: SecretStr | None = Field(None, alias="SLACK_APP_TOKEN")
    slack_signing_secret: SecretStr | None = Field(None, alias="SLACK_SIGNING_SECRET")
    slack_api_url: str = Field(SLACKS_OWN_API, alias="SLACK_API_URL")
    database_url: str | None = Field(None, repr=False, validation_alias=AliasChoices("DEBRIEF_DATABASE_URL"))
    data_dir: Path = Field(Path("data"), alias="DEBRIEF_DATA_DIR")
    port: int = Field(3000, alias="DEBRIEF_PORT", ge=0, le=65535)
    clock: Literal["system", "slack"] = Field("system", alias="DEBRIEF_CLOCK")
    lookup_grace_s: float = Field(60, alias="DEBRIEF_LOOKUP_GRACE_S", ge=0, le=3600)
    writes_a_second: int = Field(WRITES_A_SECOND, alias="DEBRIEF_WRITES_A_SECOND", ge=0, le=50)
    command: str = Field("/review", alias="DEBRIEF_COMMAND")
    channel_pattern: str = Field("^inc-|^incident-", alias="DEBRIEF_CHANNEL_PATTERN")
    emoji: Annotated[dict[str, str], NoDecode] = Field(DEFAULT_EMOJI, alias="DEBRIEF_EMOJI")
    working_hours: str = Field("09:00-17:00", alias="DEBRIEF_WORKING_HOURS")
    holidays: Literal["on", "off"] = Field("on", alias="DEBRIEF_HOLIDAYS")
    actions: Literal["as_they_surface", "parked"] = Field("as_they_surface", alias="DEBRIEF_ACTIONS")
    retention_days: int = Field(365, alias="DEBRIEF_RETENTION_DAYS", ge=1)
    witness_key: SecretStr | None = Field(None, alias="DEBRIEF_WITNESS_KEY", min_length=16)
    smtp_url: SecretStr | None = Field(None, alias="DEBRIEF_SMTP_URL")
    mail_from: str | None = Field(None, alias="DEBRIEF_MAIL_FROM")
    meeting_link: str | None = Field(None, alias="DEBRIEF_MEETING_LINK")
    caldav_url: str | None = Field(None, alias="DEBRIEF_CALDAV_URL")
    caldav_user: str | None = Field(None, alias="DEBRIEF_CALDAV_USER")
    caldav_password: SecretStr | None = Field(None, alias="DEBRIEF_CALDAV_PASSWORD")
    seal_key: SecretStr | None = Field(None, alias="DEBRIEF_SEAL_KEY", min_length=16)
    report_names: Naming = Field(Naming.names, alias="DEBRIEF_REPORT_NAMES")
    templates: Path | None = Field(None, alias="DEBRIEF_TEMPLATES")
    file_limit_mb: int = Field(25, alias="DEBRIEF_FILE_LIMIT_MB", ge=0, le=1000)
    policy: Path | None = Field(None, alias="DEBRIEF_POLICY")
    _rules: Policy = PrivateAttr(default_factory=lambda: DEFAULT)

    @field_validator("slack_api_url")
    @classmethod
    def _is_an_address(cls, value: str) -> str:
        if urlsplit(value).scheme not in {"http", "https"} or not urlsplit(value).hostname:
            raise ValueError("give an address such as https://slack.com/api/")
        return value.rstrip("/") + "/"

    @field_validator("database_url")
    @classmethod
    def _is_a_database(cls, value: str | None) -> str | None:
        try:
            known = value is None or make_url(value).get_backend_name() in {"sqlite", "postgresql"}
        except (ArgumentError, NoSuchModuleError):
            known = False
        if not known:
            raise ValueError("give a URL such as sqlite:///debrief.db or postgresql://user@host/debrief")
        return value

    @field_validator("command")
    @classmethod
    def _is_a_command(cls, value: str) -> str:
        command = value if value.startswith("/") else f"/{value}"
        if not COMMAND.fullmatch(command):
            raise ValueError("give a slash command of lower-case letters, such as /review")
        return command

    @field_validator("channel_pattern")
    @classmethod
    def _is_a_pattern(cls, value: str) -> str:
        try:
            re.compile(value)
        except re.error as error:
            raise ValueError(f"give a regular expression such as ^inc- ({error})") from error
        return value

    @field_validator("smtp_url")
    @classmethod
    def _is_a_mail_server(cls, value: SecretStr | None) -> SecretStr | None:
        if value:
            Server.read(value.get_secret_value())
        return value

    @field_validator("mail_from")
    @classmethod
    def _is_a_sender(cls, value: str | None) -> str | None:
        if value is not None:
            mailbox(value)
        return value

    @field_validator("meeting_link")
    @classmethod
    def _is_a_link(cls, value: str | None) -> str | None:
        if value is not None and not LINK.fullmatch(value.replace("{incident}", "1")):
            raise ValueError("give an address such as https://meet.example.com/review-{incident}")
        return value

    @field_validator("caldav_url")
    @classmethod
    def _is_where_calendars_lie(cls, value: str | None) -> str | None:
        if value is None:
            return None
        if not any(word in urlsplit(value).path for word in ("{email}", "{user}")):
            raise ValueError("give the address of a calendar, with {email} or {user} in the place of its person")
        address = urlsplit(value)
        if "@" in address.netloc:
            raise ValueError("put the name and the password into DEBRIEF_CALDAV_USER and DEBRIEF_CALDAV_PASSWORD")
        if (address.scheme, address.hostname in LOOPBACK) not in {("https", True), ("https", False), ("http", True)}:
            raise ValueError("give an address that begins with https://, so that nobody on the way reads along")
        return value

    @field_validator("caldav_user")
    @classmethod
    def _is_a_name(cls, value: str | None) -> str | None:
        if value and ":" in value:
            raise ValueError("a name has no colon in it; the password goes into DEBRIEF_CALDAV_PASSWORD")
        return value

    @field_validator("templates")
    @classmethod
    def _is_a_folder(cls, value: Path | None) -> Path | None:
        if value and not value.is_dir():
            raise ValueError("give a folder, in which reports/ holds the templates that come before ours")
        return value

    @field_validator("emoji", mode="before")
    @classmethod
    def _read_emoji(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        pairs = [pair.strip().partition("=") for pair in value.split(",") if pair.strip()]
        words = {name.strip().strip(":"): kind.strip() for name, _, kind in pairs}
        known = {"guess", "action", *(kind.value for kind in Kind)}
        if not words or not all(words) or not set(words.values()) <= known:
            raise ValueError(
                f"give pairs such as pushpin=guess,scales=decision; the kinds are {', '.join(sorted(known))}"
            )
        return words

    @field_validator("working_hours")
    @classmethod
    def _are_hours(cls, value: str) -> str:
        try:
            WorkingHours.read(value)
        except Refused as refused:
            raise ValueError("give hours such as 09:00-17:00") from refused
        return value

    @model_validator(mode="after")
    def _clock_is_local(self) -> "Settings":
        if self.clock == "slack" and urlsplit(self.slack_api_url).hostname not in LOOPBACK:
            raise ValueError(
                "DEBRIEF_CLOCK=slack takes the time from a local Slack: point SLACK_API_URL at 127.0.0.1, "
                "or leave DEBRIEF_CLOCK out"
            )
        return self

    @model_validator(mode="after")
    def _read_policy(self) -> "Settings":
        """Once, here: what the file says later counts from the next start."""
        try:
            self._rules = read_policy(self.policy) if self.policy else DEFAULT
        except BadPolicy as wrong:
            raise ValueError(f"DEBRIEF_POLICY cannot be used: {wrong}") from None
        return self

    @model_validator(mode="after")
    def _letters_have_a_sender(self) -> "Settings":
        if self.smtp_url and not self.mail_from:
            raise ValueError(
                "DEBRIEF_SMTP_URL needs DEBRIEF_MAIL_FROM: name the address in whose name invitations go, "
                "such as Debrief <debrief@example.com>"
            )
        return self

    @property
    def mail(self) -> tuple[Server, Guest] | None:
        """Where letters are handed in, and in whose name; None where nobody gets any."""
        if self.smtp_url is None or self.mail_from is None:
            return None
        return Server.read(self.smtp_url.get_secret_value()), mailbox(self.mail_from)

    @property
    def rules(self) -> Policy:
        """The review policy in force."""
        return self._rules

    @property
    def url(self) -> str:
        """The database's URL: the one given, else a SQLite file in the data directory."""
        return self.database_url or f"sqlite:///{self.data_dir.absolute() / 'debrief.db'}"

    @property
    def files_dir(self) -> Path:
        """Where the bytes of files lie."""
        return self.data_dir.absolute() / "files"

    @property
    def bot_token(self) -> str:
        return self.slack_bot_token.get_secret_value() if self.slack_bot_token else ""

    @property
    def app_token(self) -> str:
        return self.slack_app_token.get_secret_value() if self.slack_app_token else ""

    @property
    def signing_secret(self) -> str:
        return self.slack_signing_secret.get_secret_value() if self.slack_signing_secret else ""

    @property
    def witness_secret(self) -> str | None:
        return self.witness_key.get_secret_value() if self.witness_key else None

    @property
    def caldav_secret(self) -> str:
        return self.caldav_password.get_secret_value() if self.caldav_password else ""

    @property
    def control_url(self) -> str:
        """Where a local Slack tells its time."""
        parts = urlsplit(self.slack_api_url)
        return f"{parts.scheme}://{parts.netloc}/_control/clock"

    def seal(self) -> Seal | None:
        """What private answers are closed with; None where several programs share a database and none was named.

        Raises KeyUnusable.
        """
        if self.seal_key:
            return Seal(self.seal_key.get_secret_value().encode())
        if make_url(self.url).get_backend_name() != "sqlite":
            return None
        return kept_in(self.data_dir.absolute())

    def house(self) -> House:
        """What the abilities need to know of these settings."""
        return House(
            command=self.command,
            working_hours=WorkingHours.read(self.working_hours),
            emoji=self.emoji,
            channel_pattern=self.channel_pattern,
            retention_days=self.retention_days,
            actions=self.actions,
            report_names=self.report_names,
            templates=self.templates,
            days_off=days_off if self.holidays == "on" else weekends_alone,
            calendars="on" if self.caldav_url else "off",
            policy=self.rules,
            letters_from=self.mail[1].address if self.mail else "",
            meeting_link=self.meeting_link or "",
        )


def read_settings() -> Settings:
    """The settings of this environment; raises BadSettings with a sentence naming the first wrong one."""
    try:
        settings = Settings()  # pyright: ignore[reportCallIssue]
    except ValidationError as error:
        raise BadSettings(_sentence(error)) from None
    if not settings.database_url:
        _make_data_dir(settings.data_dir)
    return settings


MENDS = {
    "DEBRIEF_PORT": "give a port from 0 to 65535, such as 3000",
    "DEBRIEF_CLOCK": "give system or slack",
    "DEBRIEF_HOLIDAYS": "give on or off",
    "DEBRIEF_ACTIONS": "give as_they_surface or parked",
    "DEBRIEF_LOOKUP_GRACE_S": "give seconds from 0 to 3600, such as 60",
    "DEBRIEF_WRITES_A_SECOND": "give a number from 1 to 50, such as 4; 0 leaves the pace to Slack",
    "DEBRIEF_REPORT_NAMES": "give names or roles",
    "DEBRIEF_RETENTION_DAYS": "give a number of days, such as 365",
    "DEBRIEF_WITNESS_KEY": "give at least 16 characters that nobody can guess",
    "DEBRIEF_SEAL_KEY": "give at least 16 characters that nobody can guess",
    "DEBRIEF_FILE_LIMIT_MB": "give megabytes from 0 to 1000, such as 25; 0 keeps no files",
}


def _sentence(error: ValidationError) -> str:
    first = error.errors()[0]
    name = str(first["loc"][0]) if first["loc"] else ""
    why = MENDS.get(name) or first["msg"].removeprefix("Value error, ")
    why = why[0].lower() + why[1:] if name else why
    return f"{name} cannot be used: {why.rstrip('.')}." if name else f"{why.rstrip('.')}."


def _make_data_dir(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        why = f"{folder} cannot be made ({error.strerror})"
        raise BadSettings(f"DEBRIEF_DATA_DIR cannot be used: {why}. Name a folder you may write to.") from None


def needed_to_run(settings: Settings) -> None:
    """Raises BadSettings where something that `run` needs is missing."""
    if not settings.bot_token:
        raise BadSettings("SLACK_BOT_TOKEN is missing: set it to the bot token (xoxb-…) of your Slack app.")
    if not settings.app_token and not settings.signing_secret:
        raise BadSettings(
            "SLACK_APP_TOKEN is missing: set it to the app token (xapp-…) for Socket Mode, "
            "or set SLACK_SIGNING_SECRET to receive events over HTTP."
        )
    if settings.bot_token.startswith("xapp-") and settings.app_token.startswith("xoxb-"):
        raise BadSettings(
            "SLACK_BOT_TOKEN and SLACK_APP_TOKEN are swapped: "
            "the bot token starts with xoxb-, the app token with xapp-."
        )
    if settings.bot_token.startswith("xapp-"):
        raise BadSettings("SLACK_BOT_TOKEN cannot be used: it is an app token; the bot token starts with xoxb-.")
    if settings.app_token.startswith("xoxb-"):
        raise BadSettings("SLACK_APP_TOKEN cannot be used: it is a bot token; the app token starts with xapp-.")

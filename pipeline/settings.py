"""Every setting, read once from the environment or .env."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from functools import lru_cache
from pathlib import Path
from typing import Protocol, TypeVar
from zoneinfo import ZoneInfo

from decouple import AutoConfig, UndefinedValueError

from pipeline.errors import SettingsError

T = TypeVar("T")

_CAPTURES = ("xmin", "xid8")
_LANGUAGES = ("es", "en")
_LOG_FORMATS = ("text", "json")
_SSLMODES = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")


@dataclass(frozen=True)
class Database:
    """One account on one database. `side` is 'OLTP' or 'OLAP': the prefix of its settings."""

    side: str
    host: str
    port: int
    name: str
    user: str
    password: str
    sslmode: str
    sslrootcert: str
    lock_timeout: int  # seconds

    def __str__(self) -> str:
        """Where it is, without the password."""
        return f"{self.side} {self.user}@{self.host}:{self.port}/{self.name}"

    __repr__ = __str__


@dataclass(frozen=True)
class Notices:
    """Who is told of a run, and how: read apart, since a bad setting elsewhere is to be told too.

    `urls` and `heartbeat_url` carry secrets, which is why the repr leaves them out.
    """

    urls: tuple[str, ...] = field(repr=False)
    again_hours: int
    digest: bool
    language: str
    heartbeat_url: str = field(repr=False)
    metrics_file: Path | None
    state_dir: Path


@dataclass(frozen=True)
class Settings:
    """What the environment says; shares are fractions of one, times UTC, timeouts seconds."""

    oltp: Database
    olap: Database
    oltp_admin: Database
    olap_admin: Database
    bi_user: str
    state_dir: Path
    oltp_sql_dir: Path | None
    capture: str
    initial_since: datetime | None
    initial_days: int
    timezone: str
    keep_days: int
    prices_include_tax: bool
    max_reject_share: float
    max_removed_share: float
    max_silent_days: int
    cost_jump_factor: float
    log_format: str
    notices: Notices


class Reader(Protocol):
    """Reads one setting: its name, default (None: required), cast, and what it must be."""

    def __call__(
        self, name: str, default: str | None, cast: Callable[[str], T], expected: str
    ) -> T: ...


def _reader() -> Reader:
    """A function (name, default, cast, what it must be) → value; no default means required."""
    config = AutoConfig(search_path=str(Path.cwd()))

    def read(name: str, default: str | None, cast: Callable[[str], T], expected: str) -> T:
        try:
            raw = config(name) if default is None else config(name, default=default)
        except UndefinedValueError:
            raise SettingsError(
                f"{name} is not set: give it in the environment or in .env (see .env.example)"
            ) from None
        except (OSError, UnicodeDecodeError) as error:
            raise SettingsError(f".env cannot be read: {error}") from error
        try:
            return cast(str(raw).strip())
        except (ValueError, KeyError, OSError):
            raise SettingsError(f"{name} is '{raw}', but must be {expected}") from None

    return read


def _text(raw: str) -> str:
    if not raw:
        raise ValueError(raw)
    return raw


def _one_of(allowed: tuple[str, ...]) -> Callable[[str], str]:
    def cast(raw: str) -> str:
        if raw not in allowed:
            raise ValueError(raw)
        return raw

    return cast


# What these two hold is secret: a message names the setting, and never says its value.


def _channels(raw: str) -> tuple[str, ...]:
    # Apprise's URLs may hold commas themselves: what separates is followed by a scheme.
    urls = tuple(
        part.strip(" ,") for part in re.split(r"[\s,]+(?=[A-Za-z][\w+.-]*://)", raw) if part
    )
    for number, url in enumerate(urls, 1):
        if not re.match(r"[A-Za-z][\w+.-]*://\S+$", url):
            raise SettingsError(
                f"ETL_NOTIFY_URLS: entry {number} is no URL of Apprise, such as mailto://…"
            )
    return urls


def _web_address(raw: str) -> str:
    if raw and not re.match(r"https?://\S+$", raw):
        raise SettingsError("ETL_HEARTBEAT_URL must begin with http:// or https://")
    return raw


def _port(raw: str) -> int:
    port = int(raw)
    if not 0 < port < 65536:
        raise ValueError(raw)
    return port


def _natural(raw: str) -> int:
    number = int(raw)
    if not 0 < number <= 100_000:
        raise ValueError(raw)
    return number


def _share(raw: str) -> float:
    share = float(raw)
    if not 0 <= share <= 1:
        raise ValueError(raw)
    return share


def _factor(raw: str) -> float:
    factor = float(raw)
    if not 1 < factor < 1e9:
        raise ValueError(raw)
    return factor


def _boolean(raw: str) -> bool:
    return {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}[
        raw.lower()
    ]


def _zone(raw: str) -> str:
    ZoneInfo(_text(raw))
    return raw


def parse_moment(raw: str, zone: str) -> datetime:
    """Parse an ISO date or date-time; one without an offset is in `zone`. Returns UTC.

    Raises ValueError when it is neither.
    """
    moment = datetime.fromisoformat(_as_python_3_10_reads(raw))
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=ZoneInfo(zone))
    try:
        return moment.astimezone(timezone.utc)
    except OverflowError:
        raise ValueError(raw) from None


def _as_python_3_10_reads(raw: str) -> str:
    """What PostgreSQL writes, as Python before 3.11 takes it: six decimals, +00:00."""
    found = re.fullmatch(r"(.*?\d\d:\d\d(?::\d\d)?)(\.\d{1,6})?(Z|z|[+-]\d\d(?::?\d\d)?)?", raw)
    if found is None:
        return raw
    clock, fraction, offset = found.groups()
    if fraction:
        clock += fraction.ljust(7, "0")
    if offset in ("Z", "z"):
        offset = "+00:00"
    elif offset:
        offset = offset if ":" in offset else f"{offset[:3]}:{offset[3:] or '00'}"
    return clock + (offset or "")


def _state_dir(read: Reader) -> Path:
    return Path(read("ETL_STATE_DIR", "state", _text, "a folder")).expanduser().absolute()


def _log_format(read: Reader) -> str:
    return read("ETL_LOG_FORMAT", "text", _one_of(_LOG_FORMATS), " or ".join(_LOG_FORMATS))


def _notices(read: Reader) -> Notices:
    metrics = read("ETL_METRICS_FILE", "", str, "a file")
    return Notices(
        urls=read("ETL_NOTIFY_URLS", "", _channels, "URLs of Apprise"),
        again_hours=read(
            "ETL_NOTIFY_AGAIN_HOURS", "24", _natural, "a whole number of hours up to 100000"
        ),
        digest=read("ETL_NOTIFY_DIGEST", "false", _boolean, "true or false"),
        language=read("ETL_LANG", "es", _one_of(_LANGUAGES), " or ".join(_LANGUAGES)),
        heartbeat_url=read("ETL_HEARTBEAT_URL", "", _web_address, "a web address"),
        metrics_file=Path(metrics).expanduser().absolute() if metrics else None,
        state_dir=_state_dir(read),
    )


def load_notices() -> Notices:
    """Who is told, whatever the other settings hold; raises as load_settings() does."""
    return _notices(_reader())


def load_log_format() -> str:
    """How the log is written, whatever the other settings hold; raises as load_settings() does."""
    return _log_format(_reader())


def reader() -> Reader:
    """What reads the settings, for a module that keeps some of its own."""
    return _reader()


def read_dashboards_account() -> tuple[Database, str]:
    """The OLAP as OLAP_BI_USER reads it, and the shop's time zone, whatever else is set.

    User and password are empty where they are not set. Raises as load_settings() does.
    """
    read = _reader()
    olap = Database(
        side="OLAP",
        host=read("OLAP_DB_HOST", "localhost", _text, "a host name"),
        port=read("OLAP_DB_PORT", "5433", _port, "a port from 1 to 65535"),
        name=read("OLAP_DB_NAME", None, _text, "a database name"),
        user=read("OLAP_BI_USER", "", str, "a user name"),
        password=read("OLAP_BI_PASSWORD", "", str, "a password"),
        sslmode=read("OLAP_DB_SSLMODE", "prefer", _one_of(_SSLMODES), "a mode of libpq"),
        sslrootcert=read("OLAP_DB_SSLROOTCERT", "", str, "a file"),
        lock_timeout=60,
    )
    return olap, read("ETL_TIMEZONE", "UTC", _zone, "a time zone name such as America/Lima")


@lru_cache(maxsize=1)
def load_settings() -> Settings:
    """Read every setting; raises SettingsError with one line that names the first bad one.

    `.env` is looked for in the working directory, then upward; the environment wins.
    """
    read = _reader()
    patience = read("ETL_LOCK_TIMEOUT", "60", _natural, "a whole number of seconds up to 100000")
    zone = read("ETL_TIMEZONE", "UTC", _zone, "a time zone name such as America/Lima")

    def database(side: str, port: str) -> tuple[Database, Database]:
        user = read(f"{side}_DB_USER", None, _text, "a user name")
        password = read(f"{side}_DB_PASSWORD", "", str, "a password")
        host = read(f"{side}_DB_HOST", "localhost", _text, "a host name")
        number = read(f"{side}_DB_PORT", port, _port, "a port from 1 to 65535")
        name = read(f"{side}_DB_NAME", None, _text, "a database name")
        sslmode = read(
            f"{side}_DB_SSLMODE", "prefer", _one_of(_SSLMODES), f"one of {', '.join(_SSLMODES)}"
        )
        root = read(f"{side}_DB_SSLROOTCERT", "", str, "a file")
        admin = read(f"{side}_ADMIN_USER", "", str, "a user name")
        admin_password = read(f"{side}_ADMIN_PASSWORD", "", str, "a password")
        ordinary = Database(side, host, number, name, user, password, sslmode, root, patience)
        if not admin:
            return ordinary, ordinary
        return ordinary, replace(ordinary, user=admin, password=admin_password)

    oltp, oltp_admin = database("OLTP", "5432")
    olap, olap_admin = database("OLAP", "5433")
    since = read("ETL_INITIAL_SINCE", "", str, "a date")
    if since:
        try:
            initial_since = parse_moment(since, zone)
        except ValueError:
            raise SettingsError(
                f"ETL_INITIAL_SINCE is '{since}', but must be a date such as 2026-01-31"
            ) from None
    else:
        initial_since = None
    sql_dir = read("ETL_OLTP_SQL_DIR", "", str, "a folder")
    return Settings(
        oltp=oltp,
        olap=olap,
        oltp_admin=oltp_admin,
        olap_admin=olap_admin,
        bi_user=read("OLAP_BI_USER", "", str, "a user name"),
        state_dir=_state_dir(read),
        oltp_sql_dir=Path(sql_dir).expanduser().absolute() if sql_dir else None,
        capture=read("ETL_CAPTURE", "xmin", _one_of(_CAPTURES), " or ".join(_CAPTURES)),
        initial_since=initial_since,
        initial_days=read("ETL_INITIAL_DAYS", "7", _natural, "a whole number of days up to 100000"),
        timezone=zone,
        keep_days=read("ETL_KEEP_DAYS", "30", _natural, "a whole number of days up to 100000"),
        prices_include_tax=read("ETL_PRICES_INCLUDE_TAX", "true", _boolean, "true or false"),
        max_reject_share=read("ETL_MAX_REJECT_SHARE", "0.05", _share, "a share from 0 to 1"),
        max_removed_share=read("ETL_MAX_REMOVED_SHARE", "0.05", _share, "a share from 0 to 1"),
        max_silent_days=read(
            "ETL_MAX_SILENT_DAYS", "5", _natural, "a whole number of days up to 100000"
        ),
        cost_jump_factor=read("ETL_COST_JUMP_FACTOR", "20", _factor, "a factor above 1"),
        log_format=_log_format(read),
        notices=_notices(read),
    )

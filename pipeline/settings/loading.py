"""Every setting, read once from the environment or .env."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import lru_cache, wraps
from pathlib import Path
from typing import Generic, Protocol, TypeVar

from decouple import AutoConfig, UndefinedValueError

from pipeline.errors import SettingsError
from pipeline.settings import casts, shops
from pipeline.settings.catalogue import SETTINGS
from pipeline.settings.file import refuse_misspelt, settings_file
from pipeline.settings.moments import parse_moment
from pipeline.settings.recipes import queries_folder
from pipeline.translation import LANGUAGES
from pipeline.translation import mark as N_
from pipeline.translation import translated as _

T = TypeVar("T")

_CAPTURES = ("xmin", "xid8", "full")
_DIFFERENCES = ("report", "adjust")
_LOG_FORMATS = ("text", "json")
# What a shop may be called, in words.
SHOP_NAME = N_("the name of a shop: lower case letters, digits and -, at most 40")
_SSLMODES = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")


@dataclass(frozen=True)
class Database:
    """One account on one database: the settings of its `side` ('OLTP' or 'OLAP') say where.

    `account` is what those of the user and the password begin with, such as 'OLAP_BI'.
    """

    side: str
    account: str = field(compare=False)
    host: str
    port: int
    name: str
    user: str
    password: str
    sslmode: str
    sslrootcert: str
    lock_timeout: int  # seconds
    timezone: str  # the shop's, which its sessions are pinned to
    # PostgreSQL's name of what the bytes of an SQL_ASCII database are in; '' where it is another.
    encoding: str = ""

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
    """What the environment says; shares are fractions of one, times UTC, timeouts seconds.

    `olap_bi` is the dashboards' account on the OLAP, None where there is none; `report_path`
    is the page that every run publishes, None where there is none.
    """

    oltp: Database
    olap: Database
    oltp_admin: Database
    olap_admin: Database
    olap_bi: Database | None
    shop: str  # its name among many, '' where it is the one
    shops_dir: Path | None
    state_dir: Path
    oltp_sql_dir: Path | None
    capture: str
    initial_since: datetime | None
    initial_days: int
    timezone: str
    keep_days: int
    deleted_hours: int  # 0: never
    prices_include_tax: bool
    max_reject_share: float
    max_removed_share: float
    max_silent_days: int
    cost_jump_factor: float
    stock_differences: str
    resource: str  # of luigid, '' where it is not set
    log_format: str
    report_path: Path | None
    shop_name: str  # '' where it is not set
    currency: str  # the sign, '' where it is not set
    tracking_url: str
    ruc: str  # '' where it is not set
    establishment: str
    notices: Notices


class Reader(Protocol):
    """Reads one setting of setting_list: its name, cast, and what it must be."""

    def __call__(self, name: str, cast: Callable[[str], T], expected: str) -> T: ...


def reader(asked: set[str] | None = None) -> Reader:
    """A function (name, cast, what it must be) → value; the default is that of setting_list.

    The names that it is asked for are added to `asked`.
    """
    source = _of_a_shop(shops.current()) if shops.current() else _of_the_environment()

    def read(name: str, cast: Callable[[str], T], expected: str) -> T:
        default = SETTINGS[name].default
        if asked is not None:
            asked.add(name)
        raw = source(name, default)
        if raw is None and not shops.current() and shops.folder():
            raise SettingsError(
                _(
                    "{name} is not set, and no shop is named: ETL_SHOP={shop} luigi …, or python "
                    "-m pipeline --shop {shop} …"
                ).format(name=name, shop=shops.names()[0])
            )
        if raw is None:
            raise SettingsError(
                _(
                    "{name} is not set: give it in the environment or in {place} (see .env.example)"
                ).format(name=name, place=_place_of_settings())
            )
        try:
            return cast(str(raw).strip())
        except (ValueError, KeyError, OSError):
            raise SettingsError(
                _("{name} is '{raw}', but must be {expected}").format(
                    name=name, raw=raw, expected=_(expected)
                )
            ) from None

    return read


def _of_the_environment() -> Callable[[str, str | None], str | None]:
    """What the environment, else .env says, else common.env where there are many shops."""
    config = AutoConfig(search_path=str(Path.cwd()))

    def look_up(name: str, default: str | None) -> str | None:
        default = shops.common().get(name, default)
        try:
            return str(config(name) if default is None else config(name, default=default))
        except UndefinedValueError:
            return None
        except (OSError, UnicodeDecodeError) as error:
            raise SettingsError(_(".env cannot be read: {error}").format(error=error)) from error

    return look_up


def _of_a_shop(name: str) -> Callable[[str, str | None], str | None]:
    return shops.values_of(name).get


def _place_of_settings() -> str | Path:
    if shop := shops.current():
        return shops.file_of(shop)
    file = settings_file()
    return file if file is not None and file.name != ".env" else ".env"


def _state_dir(read: Reader) -> Path:
    """The shop's own; where its file names none, a folder of its name in that of all."""
    shop = shops.current()
    if shop and "ETL_STATE_DIR" not in shops.own(shop):
        return state_of_all() / shop
    return Path(read("ETL_STATE_DIR", casts.text, N_("a folder"))).expanduser().absolute()


def load_shop(read: Reader | None = None) -> str:
    """Whose turn it is, or ETL_SHOP before any's; raises SettingsError for what is no name."""
    given = (read or reader())("ETL_SHOP", casts.shop, SHOP_NAME)
    return shops.current() or given


def state_of_all() -> Path:
    """ETL_STATE_DIR of the environment, .env or common.env; raises SettingsError."""
    return _state_of_all(os.environ.get("ETL_STATE_DIR"), Path.cwd(), shops.folder())


@lru_cache
def _state_of_all(_given: str | None, _here: Path, _shops: Path | None) -> Path:
    with shops.in_shop(""):
        return _state_dir(reader())


def _log_format(read: Reader) -> str:
    return read("ETL_LOG_FORMAT", casts.one_of(_LOG_FORMATS), _(" or ").join(_LOG_FORMATS))


def _notices(read: Reader) -> Notices:
    return Notices(
        urls=read("ETL_NOTIFY_URLS", casts.channels, N_("URLs of Apprise")),
        again_hours=read(
            "ETL_NOTIFY_AGAIN_HOURS",
            casts.natural,
            N_("a whole number of hours from 1 to 100000"),
        ),
        digest=read("ETL_NOTIFY_DIGEST", casts.boolean, N_("true or false")),
        language=read("ETL_LANG", casts.one_of(LANGUAGES), _(" or ").join(LANGUAGES)),
        heartbeat_url=read(
            "ETL_HEARTBEAT_URL", casts.web_address("ETL_HEARTBEAT_URL"), N_("a web address")
        ),
        metrics_file=read("ETL_METRICS_FILE", casts.place, N_("a file")),
        state_dir=_state_dir(read),
    )


def load_notices() -> Notices:
    """Who is told, whatever the other settings hold; raises as load_settings() does."""
    return _notices(reader())


def load_log_format() -> tuple[str, str]:
    """How the log is written, and in which zone its times are, whatever the other settings hold.

    Raises as load_settings() does.
    """
    read = reader()
    return _log_format(read), _zone(read)


def _server(read: Reader, side: str) -> Database:
    """Where a side is, for an account that is still to be put in."""
    return Database(
        side=side,
        account=f"{side}_DB",
        host=read(f"{side}_DB_HOST", casts.text, N_("a host name")),
        port=read(f"{side}_DB_PORT", casts.port, N_("a port from 1 to 65535")),
        name=read(f"{side}_DB_NAME", casts.text, N_("a database name")),
        user="",
        password="",
        sslmode=read(
            f"{side}_DB_SSLMODE",
            casts.one_of(_SSLMODES),
            _("one of {values}").format(values=", ".join(_SSLMODES)),
        ),
        sslrootcert=read(f"{side}_DB_SSLROOTCERT", str, N_("a file")),
        lock_timeout=read(
            "ETL_LOCK_TIMEOUT", casts.natural, N_("a whole number of seconds from 1 to 100000")
        ),
        timezone=_zone(read),
        encoding=read(
            "OLTP_DB_ENCODING", casts.encoding, N_("an encoding such as LATIN1 or WIN1252")
        )
        if side == "OLTP"
        else "",
    )


def _ordinary(read: Reader, side: str) -> Database:
    """The account that a side cannot be without."""
    user = read(f"{side}_DB_USER", casts.text, N_("a user name"))
    password = read(f"{side}_DB_PASSWORD", str, N_("a password"))
    return replace(_server(read, side), user=user, password=password)


def _other(read: Reader, server: Database, prefix: str) -> Database | None:
    """The account of `prefix`_USER on the same database, or None where it is not set."""
    user = read(f"{prefix}_USER", str, N_("a user name"))
    password = read(f"{prefix}_PASSWORD", str, N_("a password"))
    return replace(server, account=prefix, user=user, password=password) if user else None


def _zone(read: Reader) -> str:
    return read("ETL_TIMEZONE", casts.zone, N_("a time zone name such as America/Lima"))


def read_dashboards_account() -> Database:
    """The OLAP as OLAP_BI_USER reads it, whatever else is set.

    User and password are empty where no user is set. Raises as load_settings() does.
    """
    read = reader()
    server = _server(read, "OLAP")
    return _other(read, server, "OLAP_BI") or server


class _OnceAShop(Generic[T]):
    """What reads settings, called once for each shop: the last ones are kept, none is mixed up."""

    def __init__(self, load: Callable[[], T]) -> None:
        wraps(load)(self)
        self._kept = lru_cache(maxsize=16)(lambda _shop: load())

    def __call__(self) -> T:
        return self._kept(shops.current())

    def cache_clear(self) -> None:
        """Forget what was read."""
        self._kept.cache_clear()


@_OnceAShop
def load_settings() -> Settings:
    """Read every setting; raises SettingsError with one line that names the first bad one.

    `.env` is looked for in the working directory, then upward; the environment wins. Of a shop of
    many they are those of pipeline/settings/shops.py.
    """
    names: set[str] = set()
    read = reader(names)
    zone = _zone(read)
    oltp, olap = _ordinary(read, "OLTP"), _ordinary(read, "OLAP")
    since = read("ETL_INITIAL_SINCE", str, N_("a date"))
    if since:
        try:
            initial_since = parse_moment(since, zone)
        except ValueError:
            raise SettingsError(
                _("ETL_INITIAL_SINCE is '{since}', but must be a date such as 2026-01-31").format(
                    since=since
                )
            ) from None
    else:
        initial_since = None
    settings = Settings(
        oltp=oltp,
        olap=olap,
        oltp_admin=_other(read, oltp, "OLTP_ADMIN") or oltp,
        olap_admin=_other(read, olap, "OLAP_ADMIN") or olap,
        olap_bi=_other(read, olap, "OLAP_BI"),
        shop=load_shop(read),
        shops_dir=read("ETL_SHOPS_DIR", casts.place, N_("a folder")),
        state_dir=_state_dir(read),
        oltp_sql_dir=read("ETL_OLTP_SQL_DIR", queries_folder, N_("a folder")),
        capture=read("ETL_CAPTURE", casts.one_of(_CAPTURES), _(" or ").join(_CAPTURES)),
        initial_since=initial_since,
        initial_days=read(
            "ETL_INITIAL_DAYS", casts.natural, N_("a whole number of days from 1 to 100000")
        ),
        timezone=zone,
        keep_days=read(
            "ETL_KEEP_DAYS", casts.natural, N_("a whole number of days from 1 to 100000")
        ),
        deleted_hours=read(
            "ETL_DELETED_HOURS",
            casts.natural_or_never,
            N_("a whole number of hours from 0 to 100000"),
        ),
        prices_include_tax=read("ETL_PRICES_INCLUDE_TAX", casts.boolean, N_("true or false")),
        max_reject_share=read("ETL_MAX_REJECT_SHARE", casts.share, N_("a share from 0 to 1")),
        max_removed_share=read("ETL_MAX_REMOVED_SHARE", casts.share, N_("a share from 0 to 1")),
        max_silent_days=read(
            "ETL_MAX_SILENT_DAYS", casts.natural, N_("a whole number of days from 1 to 100000")
        ),
        resource=read("ETL_RESOURCE", casts.resource, N_("a name of letters, digits, -, _ and .")),
        cost_jump_factor=read(
            "ETL_COST_JUMP_FACTOR", casts.factor, N_("a factor above 1 and below 1e9")
        ),
        stock_differences=read(
            "ETL_STOCK_DIFFERENCES", casts.one_of(_DIFFERENCES), _(" or ").join(_DIFFERENCES)
        ),
        log_format=_log_format(read),
        report_path=read("ETL_REPORT_PATH", casts.place, N_("a file")),
        shop_name=read("ETL_SHOP_NAME", str, N_("a name")),
        currency=read("ETL_CURRENCY", str, N_("a sign")),
        tracking_url=read(
            "ETL_TRACKING_URL", casts.web_address("ETL_TRACKING_URL"), N_("a web address")
        ),
        ruc=read("ETL_RUC", casts.ruc, N_("a RUC, 11 digits of which the last proves the others")),
        establishment=read("ETL_ESTABLISHMENT", casts.establishment, N_("4 to 7 digits")),
        notices=_notices(read),
    )
    refuse_misspelt(names, shops.files() if shops.current() else None)
    return settings

"""Every setting, read once from the environment or .env."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache, wraps
from typing import Generic, TypeVar

from pipeline.errors import SettingsError
from pipeline.settings import casts, shops
from pipeline.settings.file import refuse_misspelt
from pipeline.settings.moments import parse_moment
from pipeline.settings.reading import Reader, load_shop, reader, state_dir
from pipeline.settings.recipes import queries_folder
from pipeline.settings.shapes import Database, Notices, Settings
from pipeline.translation import LANGUAGES
from pipeline.translation import mark as N_
from pipeline.translation import translated as _

T = TypeVar("T")

_CAPTURES = ("xmin", "xid8", "full")
_DIFFERENCES = ("report", "adjust")
_LOG_FORMATS = ("text", "json")
_SSLMODES = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")


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
        state_dir=state_dir(read),
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
        state_dir=state_dir(read),
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

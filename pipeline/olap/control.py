"""The OLAP's control row, and what it is asked beside a load."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, cast

from pipeline.base.database import call, connect
from pipeline.base.zone_rules import Rules, server_rules
from pipeline.errors import DatabaseError
from pipeline.state.receipts import Bounds
from pipeline.state.window import Window
from pipeline.translation import translated as _

if TYPE_CHECKING:
    from psycopg2.extensions import connection as Connection

    from pipeline.settings import Settings

SCHEMA_VERSION = 18


@dataclass(frozen=True)
class Accepted:
    """What whoever asks for a run lets one load of it do, and no other load.

    `source` is the OLTP, as a guard named it, of which it may remove and replace as much as there
    is, '' for none; with `adjustments` it books its own whatever they are worth.
    """

    source: str = ""
    adjustments: bool = False


class Control(Bounds):
    """The control row, as etl.leer_control() gives it; until the first load most of it is None.

    `hasta` acts as last_run, `horizonte` is where the next window reads from, `version` is the
    token by which a load knows that nobody has loaded since its read; `tipos` are the types of
    dw.tipo_movimiento; `cerrado` is where the ledger is open from, None without a closing; `ajusta`
    says whether this OLAP was told to book adjustments, `ajustes` how many it has.
    """

    version: str
    desde_inicial: str | None
    hasta: str | None
    zona: str | None
    esquema: int
    tipos: list[str]
    corridas: int
    movimientos_oltp: int | None
    catalogo: str | None
    cerrado: str | None
    existencias: str | None
    existencias_enteras: str | None
    ajusta: bool | None
    ajustes: int
    borradas_buscadas: str | None
    filas_kardex: float | None
    tienda: str | None


def read_control(settings: Settings) -> Control:
    """The control row, as etl.leer_control() gives it.

    Raises what checked_control() raises, and what connect() does.
    """
    with connect(settings.olap, "control", read_only=True) as connection:
        return checked_control(connection, settings)


def checked_control(connection: Connection, settings: Settings) -> Control:
    """The control row, by a connection to the OLAP.

    Raises DatabaseError when the OLAP is not initialised, is of another version,
    or was loaded in another time zone.
    """
    control = call(connection, "SELECT etl.leer_control()")
    if control is None:
        raise DatabaseError(_("OLAP: it is not initialised; run `python -m pipeline init`"))
    if control["esquema"] != SCHEMA_VERSION:
        raise DatabaseError(
            _(
                "OLAP: its objects are of version {esquema}, this program needs "
                "{schema_version}; {remedy}"
            ).format(
                esquema=control["esquema"],
                schema_version=SCHEMA_VERSION,
                remedy=(
                    _("run `python -m pipeline init`")
                    if control["esquema"] < SCHEMA_VERSION
                    else _("upgrade this program")
                ),
            )
        )
    if control["zona"] not in (None, settings.timezone):
        raise DatabaseError(
            _(
                "OLAP: it was loaded in {zona}, but ETL_TIMEZONE is {timezone}, and days would "
                "shift; set ETL_TIMEZONE={zona}"
            ).format(zona=control["zona"], timezone=settings.timezone)
        )
    refuse_other_shop(settings, control["tienda"])
    return cast(Control, control)


def refuse_other_shop(settings: Settings, owner: str | None) -> None:
    """Raise DatabaseError where the OLAP is another shop's of the many that there are."""
    if settings.shop and owner not in (None, settings.shop):
        raise DatabaseError(
            _(
                "OLAP: {database} is the shop {owner}'s, and {shop} would mix with it: correct "
                "OLAP_DB_NAME in {shop}.env"
            ).format(database=settings.olap, owner=owner, shop=settings.shop),
            plain=_("the database is another shop's"),
        )


def adopt(connection: Connection, settings: Settings) -> None:
    """Note that the OLAP is this shop's of many, where it is nobody's yet; the caller commits.

    Raises DatabaseError where it is another's.
    """
    refuse_other_shop(settings, call(connection, "SELECT etl.adoptar(%s)", (settings.shop,)))


def pass_on(connection: Connection, settings: Settings, control: Control, until: datetime) -> bool:
    """Have all that is loaded hold up to `until`, where the OLTP has nothing new.

    False where the OLAP itself has something that waits for a load, or has moved meanwhile.
    """
    passed = call(
        connection,
        "SELECT etl.pasar_ventana(%s, %s, %s)",
        (control["version"], until, json.dumps(options(settings))),
    )
    connection.commit()
    return bool(passed)


def moment(text: str | None) -> datetime | None:
    """A time of the control row in UTC, or None.

    The session's zone decides how PostgreSQL writes it, and a window is labelled in UTC.
    """
    if text is None:
        return None
    return datetime.fromisoformat(text).astimezone(UTC)


def last_run(control: Control) -> datetime | None:
    """The end of the last window loaded; None before the first."""
    return moment(control["hasta"])


def initial_date(control: Control) -> datetime | None:
    """The date from which movements are in scope; None before the first load fixes it."""
    return moment(control["desde_inicial"])


def zone_rules(settings: Settings, since: datetime, until: datetime) -> Rules:
    """What the OLAP knows of the shop's zone between these moments; it cuts days and months so."""
    with connect(settings.olap, "time zone", read_only=True) as connection:
        return server_rules(connection, settings.timezone, since, until)


def loaded_windows(settings: Settings, windows: Iterable[Window]) -> set[Window]:
    """Those of `windows` that the OLAP really has."""
    asked = list(windows)
    if not asked:
        return set()
    with (
        connect(settings.olap, "control", read_only=True) as connection,
        connection.cursor() as cursor,
    ):
        cursor.execute(
            "SELECT * FROM etl.ventanas_cargadas(%s::timestamptz[], %s::timestamptz[])",
            ([window.desde for window in asked], [window.hasta for window in asked]),
        )
        found = set(cursor.fetchall())
    return {window for window in asked if (window.desde, window.hasta) in found}


def accept(connection: Connection, accepted: Accepted) -> None:
    """Let the load of this transaction pass; of one that is taken back no acceptance is left."""
    if accepted.source:
        call(connection, "SELECT etl.aceptar_fuente(%s)", (accepted.source,))
    if accepted.adjustments:
        call(connection, "SELECT etl.aceptar_ajustes()")


def ask_of_adjustments(settings: Settings) -> None:
    """Have the next load that books any ask again: windows of this OLAP are gone."""
    with connect(settings.olap, "adjustments") as connection:
        call(connection, "SELECT etl.preguntar_ajustes()")
        connection.commit()


def options(settings: Settings) -> dict[str, Any]:
    """The settings that the functions of sql/olap take."""
    return {
        "zona": settings.timezone,
        "incluye_impuesto": settings.prices_include_tax,
        "max_rechazo": settings.max_reject_share,
        "max_retiro": settings.max_removed_share,
        "max_silencio": settings.max_silent_days,
        "factor_salto": settings.cost_jump_factor,
        "ajustar": settings.stock_differences == "adjust",
    }


def operation_state(settings: Settings, windows: int) -> dict[str, Any]:
    """What the status command shows, as etl.estado_operacion() gives it; fractions as Decimals."""
    with connect(settings.olap, "status", read_only=True) as connection:
        state = call(connection, "SELECT etl.estado_operacion(%s)::text", (windows,))
    return dict(json.loads(state, parse_float=Decimal))


def metrics(settings: Settings) -> dict[str, Any]:
    """The figures of the last window and of the stock, as etl.metricas() gives them.

    Raises what connect() raises, also when they take longer than ten seconds.
    """
    with connect(settings.olap, "metrics", read_only=True) as connection:
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL statement_timeout = '10s'")
        return dict(call(connection, "SELECT etl.metricas()"))

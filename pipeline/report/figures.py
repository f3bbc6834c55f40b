"""What the report shows, read from the views as the dashboards read them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

from psycopg2.extras import RealDictCursor

from pipeline.base.database import connect
from pipeline.base.sql_files import read_sql
from pipeline.errors import SettingsError
from pipeline.state.told import Failed, recall
from pipeline.translation import translated as _

if TYPE_CHECKING:
    from pipeline.settings import Database, Settings

Row = Mapping[str, Any]

# Of most lists a page holds them all; those of a large shop say where the rest is.
LONGEST_LIST = 100
# Of what somebody has to act on, each is to be there.
ACTED_ON = 1000
_ACTED_ON = dict.fromkeys(("rechazos", "bajo_cero", "agotados", "por_agotarse"), ACTED_ON)
# Each is a script of sql/olap/informe, and the name of what it yields.
LISTS = (
    "huecos",
    "fuera_de_alcance",
    "ultima_venta",
    "periodos",
    "por_pedir",
    "ventas_diarias",
    "horas",
    "dudoso",
    "antiguedad",
    "categorias",
    "sucursales",
    "perdidas",
    "conteos",
    "mas_vendidos",
    "lentos",
    "abc_curva",
    "abc_clases",
    "valor_diario",
    "inventario",
    "agotados",
    "por_agotarse",
    "existencias_sucursal",
    "reponer_sucursal",
    "bajo_costo",
    "precios",
    "saltos_costo",
    "corridas_por_dia",
    "corridas",
    "rechazos",
    "correcciones",
    "diferencias",
    "ajustes",
    "bajo_cero",
)


@dataclass(frozen=True)
class Figures:
    """One reading of the views. `until` is where the data end (UTC), `day` that day in the shop's
    zone; both None before the first run, when every list is empty. `asked` is when it was read
    (UTC). `tax_said` is whether it is known what tax the prices have within, `with_tax` whether
    they have any.

    `failed` are the runs of the last days of which it is known here that they failed.
    `lists` has the rows of each script of LISTS. A list that is cut at LONGEST_LIST says in the
    column `total` of its rows how many there are.
    """

    shop: str
    zone: str
    until: datetime | None
    day: date | None
    lists: Mapping[str, list[Row]]
    asked: datetime
    currency: str
    tax_said: bool
    with_tax: bool
    failed: Sequence[Failed] = ()


def read_figures(settings: Settings) -> Figures:
    """Read everything in one snapshot, logged in as the dashboards' account.

    Raises SettingsError where there is no such account, DatabaseError as connect() does.
    """
    account = bi_account(settings)
    with connect(account, "report", read_only=True) as connection:
        connection.set_session(isolation_level="REPEATABLE READ")
        with connection.cursor(cursor_factory=RealDictCursor) as cursor:

            def rows(name: str, **parameters: object) -> list[Row]:
                cursor.execute(read_sql("olap/informe", f"{name}.sql"), parameters)
                return list(cursor.fetchall())

            cut = rows("datos_al")
            lists: dict[str, list[Row]] = {name: [] for name in LISTS}
            zone, until, day, said = settings.timezone, None, None, True
            if cut:
                until, day, zone = (cut[0][name] for name in ("datos_al", "dia", "zona"))
                said = cut[0]["impuesto_dicho"] or not settings.prices_include_tax
                lists = {
                    name: rows(name, dia=day, zona=zone, limite=_ACTED_ON.get(name, LONGEST_LIST))
                    for name in LISTS
                }
    asked = datetime.now(UTC)
    return Figures(
        settings.shop_name or account.name,
        zone,
        until,
        day,
        lists,
        asked,
        settings.currency,
        said,
        settings.prices_include_tax,
        recall(settings.state_dir).failed_lately(asked),
    )


def bi_account(settings: Settings) -> Database:
    """The account that the report logs in with; raises SettingsError where there is none."""
    if settings.olap_bi is None:
        raise SettingsError(
            _(
                "OLAP_BI_USER is not set: the report reads with the dashboards' account; give it "
                "and OLAP_BI_PASSWORD, then run `python -m pipeline init`"
            )
        )
    return settings.olap_bi


def total(rows: list[Row]) -> int:
    """How many there are of what `rows` is the beginning of."""
    return int(rows[0]["total"]) if rows else 0

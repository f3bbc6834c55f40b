"""What the property test does to a shop: edits at its till, runs, deaths and restores."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from unittest import mock

from olap_comparison import differences, replay_shop
from oracle_closings import close, reopen
from oracle_rows import Books, Replay
from oracle_types import ALL_TYPES
from property_levels import Levels, forget, not_booked, tell, wrong_differences
from psycopg2.extras import Json
from shop_database import Shop
from shop_words import own_words
from view_comparison import view_differences

from pipeline import olap
from pipeline.base.database import connect
from pipeline.run import due, extract, load
from pipeline.run.refresh import refresh_views
from pipeline.settings import load_settings
from pipeline.state.request import Request, only_process, write_request
from pipeline.state.targets import DurableTarget
from pipeline.state.window import Window, load_receipt, marker, request_file, views_receipt

PRODUCTS = range(1, 6)
# What the shop's own movimientos.sql leaves in, as its author edits it.
SCOPES = {
    "all": "true",
    "branches": "t.id_sucursal IS NOT NULL",
    "even": "d.id_detalle % 2 = 0",
}
LATE_PRODUCT = 9
DAY = timedelta(days=1)
OLAP_TABLES = (
    "dw.kardex",
    "dw.inventario",
    "dw.resumen_diario",
    "dw.resumen_mensual",
    "dw.resumen_movil",
    "dw.producto",
    "dw.sucursal",
    "dw.apertura",
    "dw.apertura_sucursal",
    "dw.resumen_sucursal",
    "dw.politica_precio",
    "etl.corrida",
    "etl.rechazo",
    "etl.control",
    "etl.fuera_de_alcance",
    "etl.fuera_sin_lista",
    "dw.cierre",
    "etl.producto_cerrado",
    "dw.reapertura",
    "dw.documento_movimiento",
    "dw.existencias_tienda",
    "etl.diferencia_existencias",
    "dw.ajuste_existencias",
)


class Died(Exception):
    """The run died here."""


class PropertyShop:
    """A shop that is emptied for each history, with a clock of its own for the windows."""

    # What its movimientos.sql has beside the example's columns; whether a line's document is in it.
    beside = ""
    documents = False

    def __init__(self, shop: Shop) -> None:
        self.shop = shop
        self.now = datetime.now(UTC).replace(microsecond=0)
        self.initial = self.now - 40 * DAY
        self.as_of = self.now - DAY
        shop.env |= {
            "ETL_INITIAL_SINCE": self.initial.isoformat(),
            # A history may be nothing but bad lines, deletions, or silence: the guards that
            # would hold its windows have tests of their own.
            "ETL_MAX_SILENT_DAYS": "999",
            "ETL_MAX_REJECT_SHARE": "1",
            "ETL_MAX_REMOVED_SHARE": "1",
        }
        self.open: list[tuple[Any, str | None]] = []
        self.lines: list[int] = []
        self.backup: dict[str, str] | None = None
        # What is closed, and each booking of it as it stood then, by closing.
        self.books, self.frozen = Books(), list[list[str]]()
        self.kept_books, self.kept_frozen = self.books, self.frozen
        self.replayed: Replay | None = None
        cursor = shop.olap.cursor()
        cursor.execute(
            "SELECT name FROM unnest(%s) AS name WHERE to_regclass(name) IS NOT NULL",
            (list(OLAP_TABLES),),
        )
        self.tables = [name for (name,) in cursor]
        # Whether its existencias.sql has row versions is decided once.
        self.versions: bool | None = None
        shop.env.pop("ETL_PRICES_INCLUDE_TAX", None)
        shop.env.pop("ETL_STOCK_DIFFERENCES", None)
        shutil.rmtree(self._queries(), ignore_errors=True)
        self._empty()
        self.edit_query("all")

    def _empty(self) -> None:
        shop = self.shop
        shop.till(
            "TRUNCATE productos, sucursales, transacciones, detalle_transaccion RESTART IDENTITY"
        )
        with shop.olap.cursor() as cursor:
            # What is only added to is emptied between two shops.
            cursor.execute("SET session_replication_role = replica")
            cursor.execute(f"TRUNCATE {', '.join(self.tables)}")
            cursor.execute("RESET session_replication_role")
            cursor.execute("INSERT INTO etl.control (esquema) VALUES (%s)", (olap.SCHEMA_VERSION,))
            cursor.execute("INSERT INTO dw.sucursal VALUES (0, 'Sin sucursal')")
            cursor.execute("INSERT INTO dw.politica_precio VALUES (NULL, NULL, 0.30, 0, 0.01)")
        shutil.rmtree(shop.env["ETL_STATE_DIR"], ignore_errors=True)
        forget(shop)
        shop.till("ALTER TABLE transacciones ALTER tipo DROP NOT NULL")
        # Of another shop's tables nothing is promised, not even that an origin is there.
        shop.till(
            "ALTER TABLE detalle_transaccion"
            " DROP CONSTRAINT IF EXISTS detalle_transaccion_id_origen_fkey"
        )
        for product in PRODUCTS:
            shop.product(product, "Abarrotes" if product % 2 else None)

    def close(self) -> None:
        """End what is still open at the till."""
        for position in range(len(self.open) - 1, -1, -1):
            self.end(position, commit=False)

    def number(self, line: int) -> int:
        """By what number the OLAP knows a line of the till."""
        return line

    # The till

    def document(self, tipo: str, when: datetime | None, lines: list[Any], branch: Any) -> None:
        """A document, committed at once."""
        self.lines += self.shop.document(tipo, when, lines, id_sucursal=branch)

    def movement(self, tipo: str, when: datetime, **columns: Any) -> None:
        """A document of one line, of any type; its columns are those of Shop.movement()."""
        self.lines.append(self.shop.movement(tipo, when, **columns))

    def begin(
        self, tipo: str, when: datetime, lines: list[Any], *, savepoint: bool, prepared: bool
    ) -> None:
        """A document that is typed in but not committed yet."""
        connection = self.shop.server.connect(self.shop.oltp_name)
        connection.autocommit = True
        cursor = connection.cursor()
        cursor.execute("BEGIN")
        if savepoint:
            cursor.execute("SAVEPOINT s")
            self.shop.document(tipo, when, lines, cursor=cursor)
            cursor.execute("ROLLBACK TO s")
        ids = self.shop.document(tipo, when, lines, cursor=cursor)
        name = None
        if prepared:
            name = f"{self.shop.oltp_name}_{ids[0]}_{id(connection)}"
            cursor.execute(f"PREPARE TRANSACTION '{name}'")
        self.open.append(((connection, ids), name))

    def end(self, position: int, *, commit: bool) -> None:
        """Commit or roll back one of the open documents."""
        (connection, ids), name = self.open.pop(position)
        word = "COMMIT" if commit else "ROLLBACK"
        connection.cursor().execute(f"{word} PREPARED '{name}'" if name else word)
        connection.close()
        if commit:
            self.lines += ids

    # The pipeline

    @contextmanager
    def settings(self) -> Any:
        """The shop's settings, in this process."""
        with self.shop.environment():
            yield load_settings()

    def run(self, death: str | None = None, request: Request | None = None) -> None:
        """What RunDue does, up to the named death; see DEATHS."""
        self.as_of += timedelta(seconds=1)
        with self.settings() as settings:
            windows = due.windows_due(settings, self.as_of, wait=False)
            if request:
                write_request(settings, windows[-1], request)
            for window in windows:
                try:
                    self._run_window(settings, window, death)
                except Died:
                    return

    def _run_window(self, settings: Any, window: Window, death: str | None) -> None:
        state = settings.state_dir
        with only_process(settings, window):
            if not request_file(state, window).exists():
                write_request(settings, window, Request())
        if not DurableTarget(str(state / window.label / "extract.json")).exists():
            with _dies(extract, "wait_for_flush", death == "before the receipt of the read"):
                extract.extract_window(settings, window)
        if death == "after the read":
            raise Died
        if not load_receipt(state, window).exists():
            with _dies(olap, "load_staged", death == "before the commit", after=True):
                receipt = load.load_window(settings, window, self._accepted)
            if death == "after the commit":
                raise Died
            DurableTarget(str(load_receipt(state, window))).write_receipt(receipt)
        if death == "before the views":
            raise Died
        views = refresh_views(settings)
        assert not [view for view in views if view["error"]], views
        for target in (views_receipt(state, window), marker(state, window)):
            DurableTarget(str(target)).write_receipt({"superseded": False})

    def race(self) -> None:
        """One run reads, another does the whole next window, then the first one loads."""
        self.as_of += timedelta(seconds=2)
        with self.settings() as settings:
            control = olap.read_control(settings)
            start = olap.last_run(control) or self.initial
            slow = Window(start, self.as_of - timedelta(seconds=1))
            extract.extract_window(settings, slow)
            self.as_of += timedelta(seconds=1)
            extract.extract_window(settings, Window(start, self.as_of))
            first = load.load_window(settings, Window(start, self.as_of), self._accepted)
            second = load.load_window(settings, slow)
            shutil.rmtree(settings.state_dir)
        assert not first["superseded"]
        assert second["superseded"]

    def give_opening(
        self, product: int, stock: Mapping[int, Decimal], cost: Decimal, when: Any
    ) -> None:
        """What the opening command does; `stock` is by branch, 0 where it has none."""
        row = {
            "id_producto": product,
            "sucursales": {branch: str(quantity) for branch, quantity in stock.items()},
            "costo_promedio": str(cost),
            "fecha": when.isoformat() if when else None,
        }
        with (
            self.settings() as settings,
            connect(settings.olap, "opening") as connection,
        ):
            olap.call(
                connection,
                "SELECT etl.aplicar_aperturas(%s, %s, true)",
                (Json([row]), Json(olap.options(settings))),
            )
            connection.commit()

    def back_up(self) -> None:
        """Keep a copy of the OLAP."""
        self.backup = {}
        self.kept_books, self.kept_frozen = self.books, list(self.frozen)
        with self.shop.olap.cursor() as cursor:
            for table in self.tables:
                cursor.execute(f"SELECT coalesce(json_agg(t), '[]')::text FROM {table} AS t")
                self.backup[table] = cursor.fetchone()[0]

    def restore(self) -> None:
        """Put the copy back, while the state folder stays as it is."""
        if self.backup is None:
            return
        self.books, self.frozen = self.kept_books, list(self.kept_frozen)
        with self.shop.olap.cursor() as cursor:
            cursor.execute(
                "BEGIN; SET LOCAL session_replication_role = replica;"
                f" TRUNCATE {', '.join(self.tables)}"
            )
            for table, rows in self.backup.items():
                cursor.execute(
                    f"INSERT INTO {table} SELECT * FROM json_populate_recordset(NULL::{table}, %s)",
                    (rows,),
                )
            cursor.execute("COMMIT")

    # Closings

    def close_books(self, hasta: datetime) -> None:
        """Close what is before a midnight; what was settled is what is booked."""
        day = (hasta - DAY).date().isoformat()
        self.shop.succeed("close", day, "--anyway")
        self.books = close(self.replay(limit=hasta), hasta)
        self.frozen.append(self.rows_before(hasta))

    def reopen_books(self) -> None:
        """Reopen the last period."""
        day = (self.books.ends[-1] - DAY).date().isoformat()
        self.shop.succeed("close", "--reopen", day, "--reason", "una prueba", "--anyway")
        self.books = reopen(self.books)
        self.frozen.pop()

    def rows_before(self, hasta: datetime) -> list[str]:
        """Every column of what is booked before a moment, as text."""
        with self.shop.olap.cursor() as cursor:
            cursor.execute(
                "SELECT to_jsonb(k)::text FROM dw.kardex AS k WHERE k.fecha < %s"
                " ORDER BY k.id_movimiento, k.capa",
                (hasta,),
            )
            return [row for (row,) in cursor]

    def adjust(self, on: bool) -> None:
        """Have what is not the shop's own stock booked from now on, or only reported."""
        self.shop.env["ETL_STOCK_DIFFERENCES"] = "adjust" if on else "report"

    @property
    def _accepted(self) -> olap.Accepted:
        return olap.Accepted(adjustments=self.adjusts)

    @property
    def adjusts(self) -> bool:
        """Whether it is booked."""
        return self.shop.env.get("ETL_STOCK_DIFFERENCES") == "adjust"

    # The proof

    def edit_query(self, scope: str) -> None:
        """The shop's movimientos.sql yields other rows from now on: `scope` is one of SCOPES."""
        self.scope = scope
        own_words(self.shop, SCOPES[scope], self.beside)

    def _queries(self) -> Path:
        return Path(self.shop.env["ETL_STATE_DIR"]).with_name("consultas")

    def tell_stock(self, levels: Levels | None, *, versions: bool) -> None:
        """The shop says what it has, from now on; None: there is no existencias.sql."""
        if levels is None:
            (self._queries() / "existencias.sql").unlink(missing_ok=True)
            return
        self.versions = versions if self.versions is None else self.versions
        tell(self.shop, self._queries(), levels, versions=self.versions)

    def assert_equal(self) -> None:
        """Everything in the OLAP is what is closed and the replay of the OLTP as it stands."""
        expected = self.replay()
        found = differences(self.shop.olap, expected)
        found += view_differences(self.shop.olap, expected, self.as_of)
        found += self._wrongly_listed() + self._closed_otherwise()
        found += wrong_differences(self.shop, expected)
        if self.adjusts:
            found += not_booked(self.shop, expected)
        assert not found, "the OLAP is not the replay:\n" + "\n".join(found)
        self.replayed, self.books = expected, expected.books

    def replay(self, limit: datetime | None = None) -> Replay:
        """The oracle's, of the OLTP as it stands; `limit` as in oracle.replay()."""
        return replay_shop(
            self.shop,
            self.initial,
            scope=SCOPES[self.scope],
            books=self.books,
            limit=limit,
            documents=self.documents,
            prices_include_tax="ETL_PRICES_INCLUDE_TAX" not in self.shop.env,
        )

    def _closed_otherwise(self) -> list[str]:
        """What is not as it was closed, byte for byte, and closings that are not there."""
        if "dw.cierre" not in self.tables:
            return []
        rows = self.shop.olap_rows("SELECT hasta FROM dw.cierre ORDER BY hasta")
        ends = [row["hasta"] for row in rows]
        found = [] if ends == list(self.books.ends) else [f"closed are {ends}"]
        if self.books.end is not None:
            was, now = self.frozen[-1], self.rows_before(self.books.end)
            found += [f"closed was {row}" for row in was if row not in now]
            found += [f"closed is {row}" for row in now if row not in was]
        return found

    def _wrongly_listed(self) -> list[str]:
        """What the list of types out of scope says otherwise than the OLTP's rows.

        What was deleted may still stand there; of dates, only what really is out of scope may.
        """
        with self.shop.oltp.cursor() as cursor:
            cursor.execute(
                "SELECT d.id_detalle, t.tipo, t.fecha, d.id_producto"
                " FROM detalle_transaccion AS d JOIN transacciones AS t USING (id_transaccion)"
                f" WHERE t.anulada IS NOT TRUE AND {SCOPES[self.scope]}"
            )
            rows = {self.number(number): rest for number, *rest in cursor}
            cursor.execute(
                "SELECT d.id_detalle FROM detalle_transaccion AS d"
                f" JOIN transacciones AS t USING (id_transaccion) WHERE {SCOPES[self.scope]}"
            )
            there = {self.number(number) for (number,) in cursor}
        wrong = {number: row[0] for number, row in rows.items() if row[0] not in ALL_TYPES}
        listed = self.shop.olap_rows("SELECT * FROM etl.fuera_de_alcance")
        types = {
            row["id_movimiento"]: row["tipo"]
            for row in listed
            if row["fuera"] == "tipo" and row["id_movimiento"] in there
        }
        found = [] if types == wrong else [f"types out of scope {types} instead of {wrong}"]
        openings = {
            row["id_producto"]: row["fecha"]
            for row in self.shop.olap_rows("SELECT id_producto, fecha FROM dw.apertura")
            if row["fecha"]
        }
        for row in listed:
            number = row["id_movimiento"]
            if row["fuera"] == "tipo" or number not in there:
                continue
            tipo, when, product = rows.get(number, (None, None, None))
            first = max(self.initial, openings.get(product, self.initial))
            if tipo is None or when != row["fecha"]:
                found.append(f"{number} is listed by its date {row['fecha']}, but is of {when}")
            elif when >= first and row["fecha"] < first:
                found.append(f"{number} is listed by its date, but is in scope")
        return found


@contextmanager
def _dies(module: Any, name: str, here: bool, *, after: bool = False) -> Any:
    if not here:
        yield
        return
    real = getattr(module, name)

    def dying(*arguments: Any, **named: Any) -> Any:
        if after:
            real(*arguments, **named)
        raise Died

    with mock.patch.object(module, name, dying):
        yield


def folders(shop: Shop) -> list[Path]:
    """What the state folder holds."""
    state = Path(shop.env["ETL_STATE_DIR"])
    return sorted(state.iterdir()) if state.is_dir() else []

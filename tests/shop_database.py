"""A shop for one test: its OLTP and OLAP, what happens at its till, and the pipeline's commands."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any
from unittest import mock

from oracle import RECEIPT, SALE
from psycopg2.extras import RealDictCursor
from shop_server import OLAP_USER, ShopServer, must_succeed, run_command, run_python

LUIGI = Path(sys.executable).with_name("luigi")

# (id_producto, cantidad, price of a sale or cost of a receipt)
Line = tuple[Any, Any, Any]


class Shop:
    """An OLTP and an OLAP database with the commands that run between them.

    The commands run as the narrow roles, in `folder`, with `env`; `oltp` and `olap` are the
    superuser's connections, in autocommit. Change `env` to change a setting. The OLAP is on
    the OLTP's `server` unless one of its own is given.
    """

    def __init__(
        self,
        server: ShopServer,
        oltp: str,
        olap: str,
        folder: Path,
        olap_server: ShopServer | None = None,
    ) -> None:
        self.server, self.olap_server = server, olap_server or server
        self.oltp_name, self.olap_name = oltp, olap
        self.folder = folder
        self.env = server.environment(oltp, olap, folder)
        self.env |= self.olap_server.side("OLAP", olap, OLAP_USER)
        self.oltp: Any
        self.olap: Any
        self.connect()

    def connect(self) -> None:
        """Connect as superuser to both; again after a server was down."""
        self.oltp = self.server.connect(self.oltp_name)
        self.olap = self.olap_server.connect(self.olap_name)

    def close(self) -> None:
        """Close the two connections."""
        self.oltp.close()
        self.olap.close()

    # The pipeline

    def run_due(self, *arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
        """`luigi --module pipeline RunDue` in a process of its own, whatever comes of it."""
        return self.task("RunDue", *arguments, **env)

    def task(self, *arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
        """Any task with its options, as run_due()."""
        program = [str(LUIGI), "--module", "pipeline", *arguments, "--local-scheduler"]
        return run_python(program, self.folder, self.env | env)

    def run(self, *arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
        """A run that must succeed."""
        return must_succeed(self.run_due(*arguments, **env))

    def command(self, *arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
        """`python -m pipeline …`, whatever comes of it."""
        return run_command(list(arguments), self.folder, self.env | env)

    def succeed(self, *arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
        """A command that must succeed."""
        return must_succeed(self.command(*arguments, **env))

    def run_in_process(self, **parameters: Any) -> Any:
        """RunDue in this process, without the half second of a new one: for property tests.

        `parameters` are RunDue's own. Raises AssertionError with Luigi's summary unless every
        task is done; returns Luigi's result.
        """
        import luigi
        from luigi.task_register import Register

        with self.environment():
            from pipeline.tasks.run_due import RunDue

            # Luigi gives back an earlier task of equal parameters, which kept what was due then.
            Register.clear_instance_cache()
            result = luigi.build(
                [RunDue(**parameters)],
                local_scheduler=True,
                detailed_summary=True,
                log_level="WARNING",
            )
        assert result.status == luigi.LuigiStatusCode.SUCCESS, result.summary_text
        return result

    @contextmanager
    def environment(self) -> Any:
        """This process with the shop's environment and settings, for work without subprocesses."""
        from pipeline.settings import load_settings

        with mock.patch.dict(os.environ, self.env, clear=True):
            load_settings.cache_clear()
            try:
                yield
            finally:
                load_settings.cache_clear()

    # The till

    def product(
        self, id_producto: int, categoria: str | None = None, codigo: str | None = None
    ) -> None:
        """Add a product to the catalogue, or change it."""
        self.till(
            "INSERT INTO productos (id_producto, codigo, nombre, categoria)"
            " VALUES (%s, %s, %s, %s) ON CONFLICT (id_producto) DO UPDATE"
            " SET (codigo, nombre, categoria)"
            " = (excluded.codigo, excluded.nombre, excluded.categoria)",
            id_producto,
            codigo or f"P{id_producto}",
            f"Producto {id_producto}",
            categoria,
        )

    def branch(self, id_sucursal: int) -> None:
        """Add a branch."""
        self.till(
            "INSERT INTO sucursales (id_sucursal, nombre) VALUES (%s, %s) ON CONFLICT DO NOTHING",
            id_sucursal,
            f"Sucursal {id_sucursal}",
        )

    def sale(self, fecha: datetime | None, *lines: Line, **header: Any) -> list[int]:
        """A sale document; returns the id of each line. See document()."""
        return self.document(SALE, fecha, lines, **header)

    def receipt(self, fecha: datetime | None, *lines: Line, **header: Any) -> list[int]:
        """A goods receipt; returns the id of each line. See document()."""
        return self.document(RECEIPT, fecha, lines, **header)

    def document(
        self,
        tipo: str,
        fecha: datetime | None,
        lines: Iterable[Line],
        *,
        id_sucursal: int | None = None,
        anulada: bool = False,
        cursor: Any = None,
    ) -> list[int]:
        """A header with its lines, in one transaction; returns the id of each line.

        The third of a line is its price, except in a receipt, where it is its cost. With a
        `cursor` it joins that cursor's transaction, which the caller ends.
        """
        if cursor is None:
            with self._at_the_till() as own:
                return self.document(
                    tipo, fecha, lines, id_sucursal=id_sucursal, anulada=anulada, cursor=own
                )
        cursor.execute(
            "INSERT INTO transacciones (tipo, fecha, id_sucursal, anulada)"
            " VALUES (%s, %s, %s, %s) RETURNING id_transaccion",
            (tipo, fecha, id_sucursal, anulada),
        )
        (id_transaccion,) = cursor.fetchone()
        amount = "costo_unitario" if tipo == RECEIPT else "precio_unitario"
        ids = []
        for id_producto, cantidad, value in lines:
            cursor.execute(
                f"INSERT INTO detalle_transaccion (id_transaccion, id_producto, cantidad, {amount})"
                " VALUES (%s, %s, %s, %s) RETURNING id_detalle",
                (id_transaccion, id_producto, cantidad, value),
            )
            ids.append(cursor.fetchone()[0])
        return ids

    def movement(
        self,
        tipo: str,
        fecha: datetime | None,
        id_producto: int,
        cantidad: Any,
        *,
        id_sucursal: int | None = None,
        id_sucursal_destino: int | None = None,
        **line: Any,
    ) -> int:
        """A document of one line, of any type; `line` are the line's other columns. Its id."""
        columns = {"id_producto": id_producto, "cantidad": cantidad, **line}
        with self._at_the_till() as cursor:
            cursor.execute(
                "INSERT INTO transacciones (tipo, fecha, id_sucursal, id_sucursal_destino)"
                " VALUES (%s, %s, %s, %s) RETURNING id_transaccion",
                (tipo, fecha, id_sucursal, id_sucursal_destino),
            )
            (columns["id_transaccion"],) = cursor.fetchone()
            cursor.execute(
                f"INSERT INTO detalle_transaccion ({', '.join(columns)})"
                f" VALUES ({', '.join(['%s'] * len(columns))}) RETURNING id_detalle",
                list(columns.values()),
            )
            return int(cursor.fetchone()[0])

    @contextmanager
    def _at_the_till(self) -> Any:
        """A cursor in a transaction of the connection that is there."""
        with self.oltp.cursor() as cursor:
            cursor.execute("BEGIN")
            try:
                yield cursor
            except BaseException:
                cursor.execute("ROLLBACK")
                raise
            cursor.execute("COMMIT")

    def correct_line(self, id_detalle: int, **columns: Any) -> None:
        """Change columns of a line."""
        self._update("detalle_transaccion WHERE id_detalle = %(id)s", id_detalle, columns)

    def correct_document(self, id_detalle: int, **columns: Any) -> None:
        """Change columns of the header that a line belongs to."""
        self._update(
            "transacciones WHERE id_transaccion ="
            " (SELECT id_transaccion FROM detalle_transaccion WHERE id_detalle = %(id)s)",
            id_detalle,
            columns,
        )

    def _update(self, where: str, identity: int, columns: Mapping[str, Any]) -> None:
        table, _, condition = where.partition(" WHERE ")
        changes = ", ".join(f"{column} = %({column})s" for column in columns)
        cursor = self.oltp.cursor()
        cursor.execute(
            f"UPDATE {table} SET {changes} WHERE {condition}", {**columns, "id": identity}
        )
        assert cursor.rowcount == 1, f"{table} has no row of {identity}"

    @contextmanager
    def transaction(self) -> Any:
        """A cursor in a transaction of its own connection to the OLTP."""
        connection = self.server.connect(self.oltp_name)
        connection.autocommit = False
        try:
            with connection, connection.cursor() as cursor:
                yield cursor
        finally:
            connection.close()

    def till(self, statement: str, *values: Any) -> None:
        """Run a statement on the OLTP."""
        self.oltp.cursor().execute(statement, values)

    def olap_rows(self, query: str, *values: Any) -> list[dict[str, Any]]:
        """Rows of the OLAP as dicts."""
        with self.olap.cursor(cursor_factory=RealDictCursor) as cursor:
            cursor.execute(query, values)
            return [dict(row) for row in cursor]


@contextmanager
def new_shop(
    folder: Path, server: ShopServer, olap_server: ShopServer | None = None
) -> Iterator[Shop]:
    """A shop with fresh databases, dropped afterwards; on one server unless two are given."""
    with server.databases() as (oltp, olap), ExitStack() as stack:
        if olap_server is not None:
            _, olap = stack.enter_context(olap_server.databases())
        yield stack.enter_context(closing(Shop(server, oltp, olap, folder, olap_server)))

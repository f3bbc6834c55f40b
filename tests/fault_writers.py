"""Twelve tills that type at once, correct, void, roll back and commit late."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from decimal import Decimal
from typing import Any

import psycopg2
from fault_shop import DAYS, PRODUCTS, now
from oracle import RECEIPT, SALE
from shop_database import Shop

WRITERS = 12
THINKING = 0.3  # seconds at most between two documents
TYPING = 0.5  # seconds at most from a document's first row to its commit


class Writers:
    """The tills of one shop; `rows` are the lines that were committed, as far as they know."""

    def __init__(self, shop: Shop, seed: int) -> None:
        self._shop = shop
        self._typing = threading.Event()
        self._closing = threading.Event()
        self._idle = threading.Semaphore(0)
        self._guard = threading.Lock()
        self.rows = 0
        self.errors: list[BaseException] = []
        self._threads = [
            threading.Thread(target=self._work, args=(random.Random(f"{seed}-{n}"), n), daemon=True)
            for n in range(WRITERS)
        ]

    @contextmanager
    def working(self) -> Iterator[None]:
        """They type as long as the block lasts; afterwards nothing is left open."""
        self._typing.set()
        for thread in self._threads:
            if not thread.is_alive():
                thread.start()
        try:
            yield
        finally:
            self._typing.clear()
            for _ in self._threads:
                assert self._idle.acquire(timeout=120), "a till hangs"
        assert not self.errors, self.errors

    def close(self) -> None:
        """They go home."""
        self._closing.set()
        self._typing.set()
        for thread in self._threads:
            if thread.is_alive():
                thread.join(120)

    def _work(self, chance: random.Random, number: int) -> None:
        till = _Till(self._shop, chance, f"till_{self._shop.oltp_name}_{number}")
        while not self._closing.is_set():
            try:
                while self._typing.is_set() and not self._closing.is_set():
                    written = till.document()
                    with self._guard:
                        self.rows += written
                    # A customer comes when he comes.
                    self._closing.wait(chance.uniform(0, THINKING))
                till.end()
            except BaseException as error:
                self.errors.append(error)
            self._idle.release()
            self._typing.wait()


class _Till:
    """One connection, made anew whenever the server was down, and what is typed on it."""

    def __init__(self, shop: Shop, chance: random.Random, name: str) -> None:
        self._shop, self._chance, self._name = shop, chance, name
        self._connection: Any = None
        self._mine: list[int] = []
        self._wait = threading.Event().wait

    def document(self) -> int:
        """Type one document or correction; the number of lines that were committed."""
        try:
            return self._type(self._connected())
        except (psycopg2.OperationalError, psycopg2.InterfaceError):
            self._connection = None
            self._wait(0.05)
            return 0

    def end(self) -> None:
        """Nothing of this till stays prepared, even if the server goes down meanwhile."""
        while True:
            try:
                return self._resolve(self._connected().cursor())
            except (psycopg2.OperationalError, psycopg2.InterfaceError):
                self._connection = None
                self._wait(0.05)

    def _connected(self) -> Any:
        if self._connection is None:
            connection = self._shop.server.connect(self._shop.oltp_name)
            self._resolve(connection.cursor())
            self._connection = connection
        return self._connection

    def _resolve(self, cursor: Any) -> None:
        """What was prepared before a crash is committed after it."""
        cursor.execute("SELECT FROM pg_prepared_xacts WHERE gid = %s", (self._name,))
        if cursor.rowcount:
            cursor.execute(f"COMMIT PREPARED '{self._name}'")

    def _type(self, connection: Any) -> int:
        cursor = connection.cursor()
        cursor.execute("BEGIN")
        try:
            what = self._chance.choices(
                ("document", "correct", "void", "date"), weights=(70, 15, 5, 10)
            )[0]
            ids = self._new(cursor) if what == "document" or not self._mine else []
            if not ids:
                self._edit(cursor, what, self._chance.choice(self._mine))
            self._wait(self._chance.uniform(0, TYPING) ** 2)
            return self._finish(cursor, ids)
        finally:
            with suppress(psycopg2.Error):
                cursor.execute("ROLLBACK")

    def _new(self, cursor: Any) -> list[int]:
        chance = self._chance
        tipo = RECEIPT if chance.random() < 0.15 else SALE
        when = now() - timedelta(seconds=chance.choice((0, 0, 0, chance.randrange(DAYS * 86_400))))
        if chance.random() < 0.1:
            cursor.execute("SAVEPOINT mistake")
            self._shop.document(tipo, when, [(1, 1, 1)], cursor=cursor)
            cursor.execute("ROLLBACK TO mistake")
        if chance.random() < 0.3:
            cursor.execute("SAVEPOINT line")
        lines = [
            (chance.choice(PRODUCTS), chance.randrange(1, 9), Decimal(chance.randrange(900)) / 100)
            for _ in range(chance.randrange(1, 4))
        ]
        branch = chance.choice((None, 1))
        return self._shop.document(tipo, when, lines, id_sucursal=branch, cursor=cursor)

    def _edit(self, cursor: Any, what: str, line: int) -> None:
        chance = self._chance
        if what == "correct":
            cursor.execute(
                "UPDATE detalle_transaccion SET cantidad = %s, precio_unitario = %s,"
                " costo_unitario = %s WHERE id_detalle = %s",
                (chance.randrange(1, 9), chance.randrange(9), chance.randrange(9), line),
            )
        else:
            value = chance.random() < 0.8 if what == "void" else now() - timedelta(days=1)
            column = "anulada" if what == "void" else "fecha"
            cursor.execute(
                f"UPDATE transacciones SET {column} = %s WHERE id_transaccion ="
                " (SELECT id_transaccion FROM detalle_transaccion WHERE id_detalle = %s)",
                (value, line),
            )

    def _finish(self, cursor: Any, ids: list[int]) -> int:
        ending = self._chance.random()
        if ending < 0.1:
            cursor.execute("ROLLBACK")
            return 0
        if ending < 0.2:
            cursor.execute(f"PREPARE TRANSACTION '{self._name}'")
            self._wait(self._chance.uniform(0, TYPING))
            cursor.execute(f"COMMIT PREPARED '{self._name}'")
        else:
            cursor.execute("COMMIT")
        self._mine += ids
        return len(ids)

"""Any history of a shop that rewrites documents, whose query tells them, ends in the replay."""

from __future__ import annotations

import hashlib
from datetime import datetime
from pathlib import Path
from typing import Any
from unittest import mock

import hypothesis.strategies as st
import olap_comparison
import oltp_reading
import pytest
from hypothesis.stateful import precondition, rule
from oracle_rows import Replay
from property_shop import SCOPES, PropertyShop
from shop_database import Shop
from test_property import LINE_EDITS, products, quantities, try_histories
from test_property_closings import ClosingHistory, Midnights

from pipeline.run.verify import verify

HISTORIES, LONG_HISTORIES = 8, 600


class Documented(Midnights):
    """A shop whose query tells the document of each line."""

    beside = "    d.id_transaccion AS id_documento,\n    'F-' || d.id_transaccion AS documento,\n"
    documents = True

    def there(self, lines: Any) -> set[int]:
        """Which of these lines the shop's query yields."""
        cursor = self.shop.oltp.cursor()
        cursor.execute(
            "SELECT d.id_detalle FROM detalle_transaccion AS d"
            " JOIN transacciones AS t USING (id_transaccion)"
            f" WHERE d.id_detalle = ANY (%s) AND {SCOPES[self.scope].replace('%', '%%')}",
            (list(lines),),
        )
        return {line for (line,) in cursor}


class Worded(Documented):
    """The same, whose lines and documents have ids that are text."""

    beside = Documented.beside.replace("d.id_transaccion AS", "'D-' || d.id_transaccion AS")

    def number(self, line: int) -> int:
        return hashed("L-", line)

    def edit_query(self, scope: str) -> None:
        super().edit_query(scope)
        path = Path(self.shop.env["ETL_OLTP_SQL_DIR"]) / "movimientos.sql"
        text = path.read_text(encoding="utf-8")
        for column, name in (("d.id_detalle AS id_movimiento", ""), ("d.id_origen", "id_origen")):
            assert text.count(f"{column},") == 1
            text = text.replace(f"{column},", f"'L-' || {column}{name and f' AS {name}'},")
        path.write_text(text, encoding="utf-8")

    def replay(self, limit: datetime | None = None) -> Replay:
        read = oltp_reading.read_movements

        def worded(*arguments: Any, **named: Any) -> list[dict[str, Any]]:
            return [
                {
                    **row,
                    "id_movimiento": hashed("L-", row["id_movimiento"]),
                    "id_origen": hashed("L-", row["id_origen"]),
                    "id_documento": hashed("D-", row["id_documento"]),
                }
                for row in read(*arguments, **named)
            ]

        with mock.patch.object(olap_comparison, "read_movements", worded):
            return super().replay(limit)


def hashed(prefix: str, number: int | None) -> Any:
    """The number of such an id: the first 60 bits of its md5."""
    if number is None:
        return None
    text = f"{prefix}{number}".encode()
    return int(hashlib.md5(text, usedforsecurity=False).hexdigest()[:15], 16)


class DocumentHistory(ClosingHistory):
    """One history; `rewritten` are lines that were deleted, with the one that took its place."""

    def __init__(self) -> None:
        super().__init__()
        self.rewritten: dict[int, int] = {}

    kind: type[Documented] = Documented

    def a_shop(self) -> PropertyShop:
        return self.kind(self.shop)

    @precondition(lambda self: self.it.lines)
    @rule(data=st.data(), edit=LINE_EDITS, more=st.booleans(), product=products, units=quantities)
    def rewrite(self, data: Any, edit: Any, more: bool, product: int, units: Any) -> None:
        """All lines of a document are deleted, and come again with new ids, one of them edited."""
        self.before_it_is_gone()
        number = data.draw(st.sampled_from(self.it.lines))
        columns = (
            "id_transaccion, id_producto, cantidad, precio_unitario, costo_unitario, importe,"
            " impuesto, precio_con_impuesto"
        )
        with self.shop.transaction() as cursor:
            cursor.execute(
                "DELETE FROM detalle_transaccion WHERE id_transaccion ="
                " (SELECT id_transaccion FROM detalle_transaccion WHERE id_detalle = %s)"
                f" RETURNING id_detalle, {columns}",
                (number,),
            )
            rows = cursor.fetchall()
            for old, header, *line in rows:
                values = dict(zip(columns.split(", ")[1:], line, strict=True))
                if old == number:
                    values |= edit
                self.put(cursor, header, values, old)
            if more:
                extra = {"id_producto": product, "cantidad": units, "precio_unitario": 3}
                self.put(cursor, rows[0][1], extra, number)

    def put(self, cursor: Any, header: int, values: dict[str, Any], old: int) -> None:
        """A line of a document, in the place of another one."""
        cursor.execute(
            f"INSERT INTO detalle_transaccion (id_transaccion, {', '.join(values)})"
            f" VALUES (%s{', %s' * len(values)}) RETURNING id_detalle",
            (header, *values.values()),
        )
        (new,) = cursor.fetchone()
        self.it.lines.append(new)
        self.rewritten[old] = new
        if old in self.it.lines:
            self.it.lines.remove(old)

    @rule()
    def settle(self) -> None:
        """As ever; but where what took a line's place came, no comparison was needed."""
        while self.it.open:
            self.it.end(0, commit=True)
        self.it.run()
        there = self.it.there(self.rewritten.values())
        with self.it.settings() as configured:
            extra = set(verify(configured, None).extra)
        number = self.it.number
        kept = {old for old, new in self.rewritten.items() if new in there and number(old) in extra}
        assert not kept, f"what was rewritten is still in the ledger: {kept}"
        super().settle()


@pytest.mark.longest
@pytest.mark.parametrize("kind", [Documented, Worded])
def test_any_history_of_rewritten_documents_ends_in_the_replay(
    shop: Shop, request: pytest.FixtureRequest, kind: type[Documented]
):
    try_histories(
        request,
        type("ThisHistory", (DocumentHistory,), {"shop": shop, "kind": kind}),
        20 + (kind is Worded),
        HISTORIES,
        LONG_HISTORIES,
    )

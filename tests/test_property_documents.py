"""Any history of a shop that rewrites documents, whose query tells them, ends in the replay."""

from __future__ import annotations

from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis.stateful import precondition, rule
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
            f" WHERE d.id_detalle = ANY (%s) AND {SCOPES[self.scope]}",
            (list(lines),),
        )
        return {line for (line,) in cursor}


class DocumentHistory(ClosingHistory):
    """One history; `rewritten` are lines that were deleted, with the one that took its place."""

    def __init__(self) -> None:
        super().__init__()
        self.rewritten: dict[int, int] = {}

    def a_shop(self) -> PropertyShop:
        return Documented(self.shop)

    @precondition(lambda self: self.it.lines)
    @rule(data=st.data(), edit=LINE_EDITS, more=st.booleans(), product=products, units=quantities)
    def rewrite(self, data: Any, edit: Any, more: bool, product: int, units: Any) -> None:
        """All lines of a document are deleted, and come again with new ids, one of them edited."""
        self.before_it_is_gone()
        number = data.draw(st.sampled_from(self.it.lines))
        columns = "id_transaccion, id_producto, cantidad, precio_unitario, costo_unitario, importe"
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
        kept = {old for old, new in self.rewritten.items() if new in there and old in extra}
        assert not kept, f"what was rewritten is still in the ledger: {kept}"
        super().settle()


@pytest.mark.longest
@pytest.mark.parametrize("shard", range(2))
def test_any_history_of_rewritten_documents_ends_in_the_replay(
    shop: Shop, request: pytest.FixtureRequest, shard: int
):
    try_histories(
        request,
        type("ThisHistory", (DocumentHistory,), {"shop": shop}),
        20 + shard,
        HISTORIES,
        LONG_HISTORIES,
    )

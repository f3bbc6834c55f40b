"""Any history of edits, runs, deaths and restores without closings ends in one ordered replay."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)
from oracle import RECEIPT, SALE
from oracle_types import ALL_TYPES
from property_levels import right
from property_shop import DAY, LATE_PRODUCT, PRODUCTS, SCOPES, PropertyShop
from shop_database import Shop, new_shop
from shop_server import ShopServer
from test_products_gone import figures

from pipeline.run import backfill
from pipeline.run.verify import verify
from pipeline.state.request import Request

WITH_ORIGIN = ("COSTO_ADICIONAL", "DEVOLUCION_COMPRA", "DEVOLUCION_VENTA")
# A shard: three of them are 75 histories, or 2,500 on each server with --long.
HISTORIES, LONG_HISTORIES = 25, 834
# Of those at the end of which the same is made anew.
TWICE, LONG_TWICE = 12, 400

products = st.sampled_from([*PRODUCTS, *PRODUCTS, LATE_PRODUCT])
quantities = st.one_of(
    st.integers(1, 12).map(Decimal),
    st.decimals(Decimal("0.000001"), Decimal(40), places=7),
    st.sampled_from([Decimal("0.0000004"), Decimal("99999999999.9999999"), Decimal("1e10")]),
)
amounts = st.one_of(
    st.integers(0, 30).map(Decimal), st.decimals(Decimal("0.01"), Decimal(90), places=4)
)
# A null is of what needs no such column, or a reason to reject it; a sign may turn the type round.
any_quantities = st.one_of(
    quantities,
    st.integers(-6, 15).map(Decimal),
    st.none(),
    st.sampled_from([Decimal("NaN"), Decimal("-Infinity"), Decimal("-0.0000004")]),
)
any_amounts = st.one_of(
    amounts,
    st.none(),
    st.integers(-20, 5).map(Decimal),
    st.sampled_from([Decimal("NaN"), Decimal("1e11"), Decimal("-1e11")]),
)
importes = st.one_of(
    st.none(),
    st.none(),
    st.decimals(Decimal(0), Decimal(500), places=7),
    st.sampled_from([Decimal(-7), Decimal("NaN"), Decimal("1e12"), Decimal("-0.0000004")]),
)
# Rates of lines: a percentage, or what is no number, is a reason to reject them.
rates = st.one_of(
    st.none(),
    st.sampled_from([Decimal(0), Decimal("0.18"), Decimal("0.105"), Decimal("0.9999994")]),
    st.decimals(Decimal(0), Decimal("0.5"), places=7),
    st.sampled_from([Decimal(18), Decimal("0.9999995"), Decimal("-0.01"), Decimal("NaN")]),
)
with_tax = st.sampled_from([None, None, True, False])
bad_numbers = st.sampled_from([None, Decimal("NaN"), Decimal(0), Decimal(-3), Decimal("1e11")])
lines = st.lists(st.tuples(products, quantities, amounts), min_size=1, max_size=3)
tipos = st.sampled_from([SALE, SALE, RECEIPT])
any_tipos = st.sampled_from(sorted(ALL_TYPES))
wrong_tipos = st.sampled_from(["venta", "VENTA ", None])
# Half days, so that movements fall on the same instant; some before the initial date.
offsets = st.integers(-6, 76).map(lambda halves: halves * DAY / 2)
branches = st.sampled_from([None, 1, 2])
deaths = st.sampled_from(
    [
        "before the receipt of the read",
        "after the read",
        "before the commit",
        "after the commit",
        "before the views",
    ]
)
# Of even products by branch, of others as a whole; some that the catalogue has not.
told = st.dictionaries(
    st.sampled_from([(1, None), (2, 0), (2, 1), (3, None), (4, 2), (5, None), (99, None)]),
    st.one_of(
        st.integers(-3, 20).map(Decimal),
        st.decimals(Decimal(0), Decimal(9), places=7),
        st.sampled_from([None, Decimal("NaN"), Decimal("1e11")]),
    ),
    min_size=1,
)
levels = st.one_of(st.none(), st.just("right"), st.just("right"), told)
LINE_EDITS = st.one_of(
    st.fixed_dictionaries({"cantidad": st.one_of(quantities, bad_numbers)}),
    st.fixed_dictionaries({"precio_unitario": st.one_of(amounts, bad_numbers)}),
    st.fixed_dictionaries({"costo_unitario": st.one_of(amounts, bad_numbers)}),
    st.fixed_dictionaries({"id_producto": products}),
    st.fixed_dictionaries({"importe": importes}),
    st.fixed_dictionaries({"impuesto": rates}),
    st.fixed_dictionaries({"precio_con_impuesto": with_tax}),
    st.fixed_dictionaries({"cantidad": any_quantities}),
)


class History(RuleBasedStateMachine):
    """One history; `shop` is set by the test."""

    shop: Shop

    def __init__(self) -> None:
        super().__init__()
        self.it = self.a_shop()
        self.settled = False
        for branch in (1, 2):
            self.shop.branch(branch)

    def teardown(self) -> None:
        """Every history ends settled."""
        try:
            self.settle()
        finally:
            self.it.close()

    def a_shop(self) -> PropertyShop:
        """Empty, at its beginning."""
        return PropertyShop(self.shop)

    def before_it_is_gone(self) -> None:
        """What is closed keeps what the OLTP loses as it was last read: then it must be read."""
        if self.it.books.ends:
            self.settle()

    def may_open(self, product: int, when: Any) -> bool:
        """Whether an opening would change nothing that is closed, which is refused."""
        end, closed = self.it.books.end, self.it.books.closed
        if end is None:
            return True
        opened = self.shop.olap_rows(
            "SELECT fecha FROM dw.apertura WHERE id_producto = %s", product
        )
        begins = [when, *(row["fecha"] for row in opened)]
        return product not in closed and all(f is not None and f >= end for f in begins)

    @initialize(
        levels=told,
        versions=st.sampled_from([None, False, True, True]),
        adjust=st.booleans(),
    )
    def first_told(self, levels: Any, versions: bool | None, adjust: bool) -> None:
        self.it.adjust(adjust)
        if versions is not None:
            self.it.tell_stock(levels, versions=versions)

    # At the till

    @rule(tipo=tipos, offset=offsets, lines=lines, branch=branches)
    def document(self, tipo: str, offset: timedelta, lines: Any, branch: int | None) -> None:
        self.it.document(tipo, self.it.initial + offset, lines, branch)

    @rule(
        data=st.data(),
        tipo=any_tipos,
        offset=offsets,
        product=products,
        cantidad=any_quantities,
        precio=any_amounts,
        costo=any_amounts,
        importe=importes,
        impuesto=rates,
        con_impuesto=with_tax,
        branch=branches,
        other=branches,
    )
    def movement(
        self,
        data: Any,
        tipo: str,
        offset: timedelta,
        product: int,
        cantidad: Decimal | None,
        precio: Decimal | None,
        costo: Decimal | None,
        importe: Decimal | None,
        impuesto: Decimal | None,
        con_impuesto: bool | None,
        branch: int | None,
        other: int | None,
    ) -> None:
        self.it.movement(
            tipo,
            self.it.initial + offset,
            id_producto=product,
            cantidad=cantidad,
            precio_unitario=precio,
            costo_unitario=costo,
            importe=importe,
            impuesto=impuesto,
            precio_con_impuesto=con_impuesto,
            id_sucursal=branch,
            id_sucursal_destino=other,
            id_origen=self.an_origin(data),
        )

    @rule(data=st.data(), tipo=st.sampled_from(WITH_ORIGIN), offset=offsets, amount=amounts)
    def what_names_its_origin(self, data: Any, tipo: str, offset: Any, amount: Decimal) -> None:
        """Of the product that its origin is of, as most are."""
        origin = self.an_origin(data)
        with self.shop.oltp.cursor() as cursor:
            cursor.execute(
                "SELECT id_producto FROM detalle_transaccion WHERE id_detalle = %s", (origin,)
            )
            product = cursor.fetchone() or (1,)
        self.it.movement(
            tipo,
            self.it.initial + offset,
            id_producto=product[0],
            cantidad=data.draw(st.integers(1, 4)),
            precio_unitario=amount,
            costo_unitario=data.draw(st.sampled_from([amount, None, -amount])),
            id_origen=origin,
            id_sucursal=data.draw(branches),
        )

    def an_origin(self, data: Any) -> int | None:
        """A line of the shop's, usable as an origin or not; or none."""
        return data.draw(st.one_of(st.none(), st.sampled_from([10**9, *self.it.lines])))

    @rule(tipo=tipos, lines=lines, days=st.sampled_from([None, 3]))
    def document_without_a_possible_date(self, tipo: str, lines: Any, days: int | None) -> None:
        self.it.document(tipo, self.it.now + days * DAY if days else None, lines, None)

    @rule(tipo=tipos, offset=offsets, product=products, bad=bad_numbers, price=amounts)
    def bad_line(self, tipo: str, offset: Any, product: int, bad: Any, price: Decimal) -> None:
        when = self.it.initial + offset
        self.it.document(tipo, when, [(product, bad, price), (product, Decimal(1), bad)], 1)

    @rule(tipo=wrong_tipos, offset=offsets, lines=lines)
    def document_of_a_wrong_type(self, tipo: Any, offset: timedelta, lines: Any) -> None:
        self.it.document(tipo, self.it.initial + offset, lines, None)

    @precondition(lambda self: len(self.it.open) < 3)
    @rule(tipo=tipos, offset=offsets, lines=lines, savepoint=st.booleans(), prepared=st.booleans())
    def begin(self, tipo: str, offset: Any, lines: Any, savepoint: bool, prepared: bool) -> None:
        self.it.begin(tipo, self.it.initial + offset, lines, savepoint=savepoint, prepared=prepared)

    @precondition(lambda self: self.it.open)
    @rule(data=st.data(), commit=st.booleans())
    def end(self, data: Any, commit: bool) -> None:
        self.it.end(data.draw(st.integers(0, len(self.it.open) - 1)), commit=commit)

    @precondition(lambda self: self.it.lines)
    @rule(data=st.data(), edit=LINE_EDITS)
    def correct_line(self, data: Any, edit: dict[str, Any]) -> None:
        self.shop.correct_line(data.draw(st.sampled_from(self.it.lines)), **edit)

    @precondition(lambda self: self.it.lines)
    @rule(
        data=st.data(),
        offset=offsets,
        tipo=st.one_of(any_tipos, wrong_tipos),
        branch=branches,
        what=st.integers(0, 5),
    )
    def correct_header(self, data: Any, offset: Any, tipo: Any, branch: Any, what: int) -> None:
        edit: dict[str, Any] = (
            {"fecha": self.it.initial + offset},
            {"tipo": tipo},
            {"id_sucursal": branch},
            {"anulada": True},
            {"anulada": False},
            {"id_sucursal_destino": branch},
        )[what]
        self.shop.correct_document(data.draw(st.sampled_from(self.it.lines)), **edit)

    @precondition(lambda self: self.it.lines)
    @rule(data=st.data())
    def correct_origin(self, data: Any) -> None:
        line = data.draw(st.sampled_from(self.it.lines))
        self.shop.correct_line(line, id_origen=self.an_origin(data))

    @rule(product=products, category=st.sampled_from([None, "Abarrotes", "Lácteos"]))
    def catalogue(self, product: int, category: str | None) -> None:
        self.shop.product(product, category)

    @rule(
        product=products,
        stock=st.sampled_from([True, False, None]),
        active=st.sampled_from([True, None, False]),
        supplier=st.sampled_from([None, "Ñandú S.A.", " "]),
    )
    def what_is_no_stock(
        self, product: int, stock: bool | None, active: bool | None, supplier: str | None
    ) -> None:
        self.shop.till(
            "UPDATE productos SET inventariable = %s, activo = %s, proveedor = %s"
            " WHERE id_producto = %s",
            stock,
            active,
            supplier,
            product,
        )

    @rule(scope=st.sampled_from(sorted(SCOPES)))
    def query_edited(self, scope: str) -> None:
        self.before_it_is_gone()
        self.it.edit_query(scope)

    @rule(levels=levels, versions=st.booleans())
    def stock_told(self, levels: Any, versions: bool) -> None:
        self.before_it_is_gone()
        if levels == "right":
            levels = right(self.it.replayed) if self.it.replayed else {}
        self.it.tell_stock(levels, versions=versions)

    @rule(
        product=products,
        cost=st.sampled_from([None, 0, 3, Decimal("2.5000004"), -1, "NaN"]),
    )
    def cost_known(self, product: int, cost: Any) -> None:
        self.shop.till(
            "UPDATE productos SET costo_referencia = %s WHERE id_producto = %s", cost, product
        )

    @rule(on=st.sampled_from([True, True, False]))
    def stock_adjusted(self, on: bool) -> None:
        self.it.adjust(on)

    @rule(product=st.sampled_from(PRODUCTS))
    def product_deleted(self, product: int) -> None:
        self.before_it_is_gone()
        self.shop.till("DELETE FROM productos WHERE id_producto = %s", product)

    @precondition(lambda self: self.it.lines)
    @rule(data=st.data())
    def delete(self, data: Any) -> None:
        self.before_it_is_gone()
        line = data.draw(st.sampled_from(self.it.lines))
        self.it.lines.remove(line)
        self.shop.till("DELETE FROM detalle_transaccion WHERE id_detalle = %s", line)
        self.settled = False

    @precondition(lambda self: self.it.lines)
    @rule(data=st.data(), tipo=tipos, offset=offsets, line=lines.map(lambda drawn: drawn[0]))
    def number_used_again(self, data: Any, tipo: str, offset: Any, line: Any) -> None:
        number = data.draw(st.sampled_from(self.it.lines))
        self.shop.till("DELETE FROM detalle_transaccion WHERE id_detalle = %s", number)
        self.it.lines.remove(number)
        self.it.document(tipo, self.it.initial + offset, [line], 1)
        self.shop.till(
            "UPDATE detalle_transaccion SET id_detalle = %s WHERE id_detalle = %s",
            number,
            self.it.lines.pop(),
        )
        self.it.lines.append(number)

    @precondition(lambda self: not self.it.open)
    @rule(tipo=tipos, offset=offsets, lines=lines)
    def numbers_begin_anew(self, tipo: str, offset: Any, lines: Any) -> None:
        self.before_it_is_gone()
        self.shop.till("TRUNCATE transacciones, detalle_transaccion RESTART IDENTITY")
        self.it.lines = []
        self.it.document(tipo, self.it.initial + offset, lines, None)

    @precondition(lambda self: not self.it.open)
    @rule(offset=offsets)
    def purge(self, offset: timedelta) -> None:
        self.archive(self.it.initial + offset)

    def archive(self, before: Any) -> None:
        """The documents before a moment are not in the OLTP any more."""
        self.before_it_is_gone()
        self.shop.till(
            "DELETE FROM detalle_transaccion WHERE id_transaccion IN"
            " (SELECT id_transaccion FROM transacciones WHERE fecha < %s)",
            before,
        )
        left = self.shop.oltp.cursor()
        left.execute("SELECT id_detalle FROM detalle_transaccion")
        self.it.lines = [number for (number,) in left]

    @rule(
        statement=st.sampled_from(
            [
                "VACUUM (FREEZE) detalle_transaccion",
                "VACUUM (FREEZE) transacciones",
                "CLUSTER transacciones USING transacciones_pkey",
                "ALTER TABLE detalle_transaccion ALTER cantidad TYPE text, "
                "ALTER cantidad TYPE numeric USING cantidad::numeric",
            ]
        )
    )
    def maintain(self, statement: str) -> None:
        if self.it.open and not statement.startswith("VACUUM"):
            return
        if "TYPE" in statement:
            for step in ("text", "numeric USING cantidad::numeric"):
                self.shop.till(f"ALTER TABLE detalle_transaccion ALTER cantidad TYPE {step}")
        else:
            self.shop.till(statement)

    # In the OLAP

    @rule(within=st.booleans())
    def prices_have_tax_within(self, within: bool) -> None:
        self.shop.env.pop("ETL_PRICES_INCLUDE_TAX", None)
        if not within:
            self.shop.env["ETL_PRICES_INCLUDE_TAX"] = "false"

    @rule(
        key=st.sampled_from([(None, "Abarrotes"), (2, None), (None, None)]),
        margin=st.sampled_from(["0.25", "0.5"]),
        tax=st.sampled_from(["0", "0.18"]),
        step=st.sampled_from(["0.05", "1"]),
        offset=st.one_of(st.none(), offsets),
    )
    def policy(self, key: Any, margin: str, tax: str, step: str, offset: Any) -> None:
        since = None if offset is None else (self.it.initial + offset).date()
        with self.shop.olap.cursor() as cursor:
            cursor.execute(
                "DELETE FROM dw.politica_precio WHERE id_producto IS NOT DISTINCT FROM %s"
                " AND categoria IS NOT DISTINCT FROM %s AND desde IS NOT DISTINCT FROM %s",
                (*key, since),
            )
            cursor.execute(
                "INSERT INTO dw.politica_precio VALUES (%s, %s, %s, %s, %s, %s)",
                (*key, margin, tax, step, since),
            )

    @rule(
        product=st.sampled_from(PRODUCTS),
        stock=st.dictionaries(
            st.sampled_from([0, 1, 2]), st.integers(0, 20).map(Decimal), min_size=1
        ),
        cost=amounts,
        offset=st.one_of(st.none(), offsets),
    )
    def opening(self, product: int, stock: Any, cost: Decimal, offset: Any) -> None:
        when = None if offset is None else self.it.initial + offset
        if self.may_open(product, when):
            self.before_it_is_gone()
            self.it.give_opening(product, stock, cost, when)
            self.before_it_is_gone()

    # Runs

    @rule()
    def run(self) -> None:
        self.it.run()

    @rule(death=deaths)
    def run_that_dies(self, death: str) -> None:
        self.it.run(death)

    @rule()
    def race(self) -> None:
        self.it.race()

    @rule()
    def rebuild(self) -> None:
        self.it.run(request=Request(everything=True, rebuild=True))

    @rule(days=st.integers(1, 2))
    def earlier_history(self, days: int) -> None:
        since = self.it.initial - days * DAY
        with self.it.settings() as configured:
            if not self.shop.olap_rows("SELECT FROM etl.control WHERE hasta IS NOT NULL"):
                return
            # What was before the beginning is not late, and would all be booked at one moment.
            if self.it.books.ends:
                return
            backfill.backfill(configured, since)
        self.it.initial = since

    @rule(keep=st.booleans())
    def backup_or_restore(self, keep: bool) -> None:
        if keep:
            self.before_it_is_gone()
            self.it.back_up()
            self.kept_initial = self.it.initial
        elif self.it.backup:
            self.it.restore()
            self.it.initial = self.kept_initial

    @rule()
    def settle(self) -> None:
        """Everything at the till is ended, and the next run brings the OLAP to the replay."""
        while self.it.open:
            self.it.end(0, commit=True)
        self.it.run()
        with self.it.settings() as configured:
            findings = verify(configured, None)
        assert not findings.missing
        assert not findings.different
        assert not findings.books
        if findings.extra:
            self.it.run(request=Request(recheck=tuple(findings.movements)))
        self.it.assert_equal()


class TwoOlaps(History):
    """The same, at whose end a `fresh` OLAP reads the OLTP once; openings and policy are given."""

    fresh: Shop

    def teardown(self) -> None:
        """What was carried along and what is made anew are equal row for row."""
        super().teardown()
        it = PropertyShop(self.fresh)
        it.as_of = self.it.as_of - timedelta(seconds=1)
        self.fresh.env["ETL_INITIAL_SINCE"] = self.it.initial.isoformat()
        if "ETL_OLTP_SQL_DIR" in self.shop.env:
            self.fresh.env["ETL_OLTP_SQL_DIR"] = self.shop.env["ETL_OLTP_SQL_DIR"]
        if within := self.shop.env.get("ETL_PRICES_INCLUDE_TAX"):
            self.fresh.env["ETL_PRICES_INCLUDE_TAX"] = within
        for table in (
            "dw.apertura",
            "dw.apertura_sucursal",
            "dw.politica_precio",
            "dw.ajuste_existencias",
        ):
            self._copy(table)
        it.run()
        assert figures(self.shop) == figures(self.fresh)

    def _copy(self, table: str) -> None:
        with self.shop.olap.cursor() as old, self.fresh.olap.cursor() as new:
            old.execute(f"SELECT coalesce(json_agg(t), '[]')::text FROM {table} AS t")
            new.execute("SET session_replication_role = replica")
            new.execute(f"TRUNCATE {table} CASCADE")
            new.execute("RESET session_replication_role")
            new.execute(
                f"INSERT INTO {table} SELECT * FROM json_populate_recordset(NULL::{table}, %s)",
                old.fetchone(),
            )


@pytest.mark.longest
@pytest.mark.parametrize("shard", range(3))
def test_any_history_ends_in_the_replay(shop: Shop, request: pytest.FixtureRequest, shard: int):
    # A shard has a seed of its own.
    try_histories(
        request, type("ThisHistory", (History,), {"shop": shop}), shard, HISTORIES, LONG_HISTORIES
    )


@pytest.mark.longest
def test_any_history_and_its_end_alone_make_the_same_olap(
    shop: Shop, shop_server: ShopServer, tmp_path: Path, request: pytest.FixtureRequest
):
    folder = tmp_path / "fresh"
    folder.mkdir()
    with new_shop(folder, shop_server) as fresh:
        fresh.env |= {name: value for name, value in shop.env.items() if name.startswith("OLTP_")}
        machine = type("ThisHistory", (TwoOlaps,), {"shop": shop, "fresh": fresh})
        try_histories(request, machine, 3, TWICE, LONG_TWICE)


def try_histories(
    request: pytest.FixtureRequest, machine: Any, number: int, some: int, many: int
) -> None:
    """So many histories, of that seed; with --long many, and others each time."""
    long = request.config.getoption("--long")
    run_state_machine_as_test(
        machine if long else seed(number)(machine),
        settings=settings(
            max_examples=many if long else some,
            stateful_step_count=20,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
            phases=[Phase.generate, Phase.shrink],
            print_blob=True,
        ),
    )

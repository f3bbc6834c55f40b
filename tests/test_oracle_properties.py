"""What MOVEMENTS.md promises of any history, asked of the oracle itself."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import assume, given, settings
from hypothesis import strategies as st
from oracle import replay
from oracle_rows import ZERO, KardexRow, Opening, Product, Replay, Rules, State
from oracle_rules import EXACT, round_six
from oracle_summaries import report_class
from oracle_types import (
    ALL_TYPES,
    COUNT,
    CUSTOMER_RETURN,
    LANDED_COST,
    RECEIPT,
    SALE,
    SUPPLIER_RETURN,
    TRANSFER,
)

START = datetime(2026, 1, 1, tzinfo=UTC)
END = START + timedelta(days=100)
RULES = Rules(initial=START, snapshot=END, types=ALL_TYPES)
PRODUCTS = {
    1: Product("A", "A", None),
    2: Product("B", "B", "X", costo_referencia=Decimal("3.7")),
    3: Product("C", "C", None, inventariable=False),
}
OPENED = {2: Opening(Decimal(9), Decimal("2.5"), START, {0: Decimal(4), 1: Decimal(5)})}
MANY = settings(max_examples=30, deadline=None, database=None)

amounts = st.decimals(0, 20, places=2) | st.decimals(0, 3, places=6) | st.sampled_from([0, 1, 3])
quantities = st.decimals("0.000001", 30, places=6) | st.integers(1, 12)


def movement(number: int, tipo: str, cantidad: Any, day: int = 0, **other: Any) -> dict[str, Any]:
    """A line of product 1 at no branch; without a cost, at a price of 1."""
    own = {
        "id_movimiento": number,
        "tipo": tipo,
        "id_producto": 1,
        "id_sucursal": None,
        "cantidad": None if cantidad is None else Decimal(cantidad),
        "precio_unitario": Decimal(1),
        "costo_unitario": None,
        "fecha": START + timedelta(days=day),
        "anulado": False,
    }
    return own | other


@st.composite
def histories(draw: st.DrawFn) -> list[dict[str, Any]]:
    """A few weeks of everything, with origins of any kind, voids and ties of date."""
    lines = []
    for number in range(1, draw(st.integers(2, 16)) + 1):
        tipo = draw(st.sampled_from([*ALL_TYPES, SALE, RECEIPT]))
        cost: Any = Decimal(draw(amounts))
        if tipo == LANDED_COST:
            cost = cost * draw(st.sampled_from([1, -1]))
        elif tipo != RECEIPT and draw(st.booleans()):
            cost = None
        sign = -1 if ALL_TYPES[tipo].negative_is and draw(st.integers(0, 4)) == 0 else 1
        importe = draw(st.none() | amounts)
        lines.append(
            movement(
                number,
                tipo,
                sign * Decimal(draw(quantities)),
                draw(st.integers(0, 5)),
                costo_unitario=cost,
                id_producto=draw(st.sampled_from([1, 1, 1, 2, 3])),
                id_sucursal=draw(st.sampled_from([None, 1, 2])),
                id_sucursal_destino=3 if tipo == TRANSFER else None,
                id_origen=draw(st.none() | st.integers(1, 16)),
                importe=None if importe is None else sign * Decimal(importe),
                anulado=draw(st.integers(0, 9)) == 0,
            )
        )
    return lines


def run(lines: list[dict[str, Any]], **other: Any) -> Replay:
    return replay(lines, PRODUCTS, RULES, OPENED, **other)


def start(product: int) -> State:
    return State(Decimal(9), Decimal("22.5"), Decimal("2.5")) if product == 2 else State()


def added(done: Replay) -> KardexRow:
    """The last row of product 1."""
    return done.ledgers[1][-1]


@MANY
@given(histories())
def test_every_row_foots_and_its_value_is_that_of_its_stock(lines):
    done = run(lines)
    assert not done.rejects
    for product, ledger in done.ledgers.items():
        before = start(product)
        for row in ledger:
            moved = ALL_TYPES[row.tipo].signo * row.costo_total
            assert row.valor == before.valor + moved + row.ajuste
            assert row.existencias == before.existencias + row.variacion
            if row.existencias > 0:
                assert row.valor >= 0
            else:
                assert row.valor == round_six(EXACT.multiply(row.existencias, row.costo_promedio))
            assert row.costo_promedio >= 0
            before = row.state


@MANY
@given(histories(), st.randoms(use_true_random=False))
def test_the_order_of_arrival_has_no_effect(lines, random):
    shuffled = list(lines)
    random.shuffle(shuffled)
    first, second = run(lines), run(shuffled)
    assert (first.ledgers, first.inventory, first.by_day) == (
        second.ledgers,
        second.inventory,
        second.by_day,
    )
    assert first.branches == second.branches


@MANY
@given(histories())
def test_a_void_leaves_no_trace(lines):
    assert run(lines).ledgers == run([line for line in lines if not line["anulado"]]).ledgers


@MANY
@given(histories())
def test_the_branches_add_up_to_the_stock(lines):
    done = run(lines)
    for product, row in done.inventory.items():
        stands = [stock for (p, _), stock in done.branches.items() if p == product]
        assert sum(stands, ZERO) == row.existencias


@MANY
@given(histories(), st.integers(0, 16), st.integers(0, 16))
def test_the_report_classes_explain_the_value_of_any_span(lines, one, other):
    for product, ledger in run(lines).ledgers.items():
        first, last = sorted((min(one, len(ledger)), min(other, len(ledger))))
        values = [start(product).valor, *(row.valor for row in ledger)]
        change = ZERO
        for row in ledger[first:last]:
            name, sign = report_class(row)
            change += row.ajuste + (sign if name == "compras" else -sign) * row.costo_total
        assert values[last] == values[first] + change


@MANY
@given(histories(), quantities)
def test_a_return_at_once_restores_everything(lines, cantidad):
    done = run(lines)
    assume(done.ledgers.get(1))
    before = added(done).state
    sale = movement(101, SALE, cantidad, 20)
    back = movement(102, CUSTOMER_RETURN, cantidad, 20, id_origen=101)
    after = added(run([*lines, sale, back]))
    assert after.id_movimiento == 102
    assert (after.state, after.ajuste) == (before, 0)


@MANY
@given(histories(), quantities, amounts)
def test_a_receipt_returned_at_once_restores_stock_and_value(lines, cantidad, cost):
    done = run(lines)
    assume(done.ledgers.get(1) and added(done).existencias > 0)
    before = added(done)
    own = movement(101, RECEIPT, cantidad, 20, costo_unitario=Decimal(cost))
    back = movement(102, SUPPLIER_RETURN, cantidad, 20, id_origen=101)
    after = added(run([*lines, own, back]))
    assert (after.existencias, after.valor) == (before.existencias, before.valor)


@MANY
@given(histories(), st.sampled_from([None, 0, 1, 2, 3]), st.none() | amounts)
def test_a_count_of_what_is_there_changes_nothing(lines, branch, cost):
    done = run(lines)
    assume(done.ledgers.get(1))
    before = added(done)
    there = before.existencias if branch is None else done.branches.get((1, branch), ZERO)
    assume(there >= 0)
    cost = None if cost is None else Decimal(cost)
    once = movement(101, COUNT, there, 20, id_sucursal=branch, costo_unitario=cost)
    after = run([*lines, once])
    last = added(after)
    assert (last.state, last.variacion, last.costo_total, last.ajuste) == (before.state, 0, 0, 0)
    assert not last.provisional


@MANY
@given(histories(), quantities, st.sampled_from([None, 1, 2]))
def test_a_count_twice_is_a_count_once(lines, found, branch):
    one = movement(101, COUNT, found, 20, id_sucursal=branch)
    done = run([*lines, one, one | {"id_movimiento": 102}])
    assert added(done).state == done.ledgers[1][-2].state
    assert added(done).variacion == 0


@MANY
@given(histories())
def test_a_negative_quantity_is_its_opposite_written_out(lines):
    """The sign of a quantity is its type: the same history written with positive ones."""
    written = []
    for line in lines:
        other = ALL_TYPES[line["tipo"]].negative_is
        if line["cantidad"] < 0:
            turned = {"tipo": other, "cantidad": -line["cantidad"]}
            line = line | turned | {"importe": line["importe"] and -line["importe"]}
            # What a supplier's return was credited as a whole, only a negative receipt can say.
            assume(other != SUPPLIER_RETURN or line["importe"] is None)
        written.append(line)
    assert run(written).ledgers == run(lines).ledgers

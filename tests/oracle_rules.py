"""The rules of state of MOVEMENTS.md, one function each, in plain Decimal."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Context, Decimal

from oracle_rows import ZERO, KardexRow, State

# Ample, so that the only roundings are those of the rule: with 60 digits a quotient of two
# amounts of at most 38 never looks like a tie at the sixth decimal without being one.
EXACT = Context(prec=60, rounding=ROUND_HALF_UP)
SIXTH_DECIMAL = Decimal("0.000001")


def round_six(number: Decimal) -> Decimal:
    """Half up, away from zero on ties as PostgreSQL's numeric; never a negative zero."""
    return EXACT.plus(number.quantize(SIXTH_DECIMAL, context=EXACT))


def on_entry(number: Decimal | None) -> Decimal | None:
    """A quantity, price or cost as it is before anything is checked; NaN and infinite as None."""
    if number is None or not number.is_finite():
        return None
    # What is too large for six decimals in 60 digits is far beyond any limit as it is.
    return round_six(number) if number.adjusted() < 50 else number


def fits_a_price(price: Decimal | None) -> bool:
    """Whether a price that takes no part in anything can be kept."""
    return price is None or abs(price) < Decimal(10) ** 11


def at_average(before: State, change: Decimal) -> State:
    """`al_promedio(n)`, n of either sign."""
    existencias = before.existencias + change
    return State(existencias, round_six(existencias * before.costo_promedio), before.costo_promedio)


def receive(
    before: State,
    cantidad: Decimal,
    costo_unitario: Decimal,
    extra: Decimal = ZERO,
    importe: Decimal | None = None,
) -> State:
    """`recibir(q, c, A)`; `importe` stands wherever q·c does, and is V' itself at Q = 0."""
    goods = cantidad * costo_unitario if importe is None else importe
    existencias = before.existencias + cantidad
    if before.existencias > 0:
        valor = before.valor + max(round_six(goods) + extra, ZERO)
        return State(existencias, valor, round_six(valor / existencias))
    whole = max(goods + extra, ZERO)
    costo = round_six(whole / cantidad)
    if before.existencias == 0 and importe is not None:
        return State(existencias, round_six(whole), costo)
    return State(existencias, round_six(existencias * costo), costo)


def take_back(before: State, cantidad: Decimal, brought: Decimal) -> State:
    """`devolver_venta(q, K)`."""
    existencias, costo = before.existencias + cantidad, before.costo_promedio
    at_cost = round_six(existencias * costo)
    if existencias <= 0:
        return State(existencias, at_cost, costo)
    valor = max(before.valor + brought, ZERO)
    mean = costo if valor == at_cost else round_six(valor / existencias)
    if before.existencias >= 0 or mean == costo:
        return State(existencias, valor, mean)
    own = round_six(max(brought, ZERO) / cantidad)
    return State(existencias, round_six(existencias * own), own)


def send_back(before: State, cantidad: Decimal, worth: Decimal) -> tuple[State, bool]:
    """`devolver_compra(q, K)`, and whether it was valued at the average."""
    existencias, valor = before.existencias - cantidad, before.valor - worth
    if existencias > 0 and valor >= 0:
        return State(existencias, valor, round_six(valor / existencias)), False
    return at_average(before, -cantidad), True


def add_cost(before: State, amount: Decimal) -> State:
    """`sumar_costo(A)`."""
    if before.existencias > 0 and abs(amount) <= before.valor:
        valor = before.valor + amount
        return State(before.existencias, valor, round_six(valor / before.existencias))
    return before


def below_zero(sale: KardexRow) -> Decimal:
    """b of K: the units of a sale that left below zero."""
    return min(sale.cantidad, max(-sale.existencias, ZERO))


def brought_back(sale: KardexRow, cantidad: Decimal, costo_promedio: Decimal) -> Decimal:
    """K: what a customer's return of a sale brings back, at today's average."""
    assert sale.costo_unitario is not None
    corrected = below_zero(sale) * (costo_promedio - sale.costo_unitario)
    return round_six(cantidad * (sale.costo_total + corrected) / sale.cantidad)

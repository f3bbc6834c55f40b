"""Honey that is the supplier's until it is taken, and the shop's until the customer uses it.

The supplier's lies in the shop's own storage, under a location of type supplier; the shop's lies at
the customer's, under a location of type storage in no warehouse. Taking from the one is a receipt,
using of the other is a sale: Tryton writes the prices, which here are those of its price lists.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from proteus import Model
from tryton_clicks import DONE, click

PRICE = Decimal("4.2000")  # dollars, of the supplier's price list
BILLED = Decimal("4.0000")


def prepare(trade: Any) -> None:
    """The places, and what the supplier's price list says of honey."""
    Location, honey = Model.get("stock.location"), trade.products["honey"]
    storage = trade.store[trade.shop.id]
    trade.theirs = Location(name="Supplier's own", type="supplier", parent=storage)
    trade.theirs.consignment_party = trade.supplier
    # Where counts book what is lost is asked of the place above, not of the place itself.
    above = Location(name="At customers'", type="storage", parent=trade.out)
    above.lost_found_location = trade.lost
    above.save()
    trade.there = Location(name="At the customer's", type="storage", parent=above)
    trade.there.consignment_party = trade.customer
    trade.theirs.save()
    trade.there.save()
    # The supplier's own at the customer's: what is used of it never is the shop's.
    trade.beneath = Location(name="Supplier's at the customer's", type="supplier")
    trade.beneath.parent, trade.beneath.consignment_party = trade.there, trade.supplier
    trade.beneath.save()
    trade.places += [trade.there, trade.theirs, trade.beneath]
    offer = Model.get("purchase.product_supplier")(template=honey.template, party=trade.supplier)
    offer.currency = trade.dollar
    offer.prices.new(quantity=1, unit_price=PRICE)
    offer.save()


def day(trade: Any, number: int, day: date) -> None:
    """What happens on the day so many days after the first."""
    storage = trade.store[trade.shop.id]
    if number in (0, 32):  # neither is anybody's but the supplier's
        trade.shift(day, trade.source, trade.theirs, "honey", 40)
        trade.shift(day, trade.source, trade.beneath, "honey", 5)
    if number in (3, 29):
        _taken(trade, trade.shift(day, trade.theirs, storage, "honey", 6), day, 6)
    if number == 8:
        trade.sell(day, trade.shop, [("honey", "2", "9.0000")])
    if number in (11, 38):
        _sell_more_than_is_own(trade, day, 3)
    if number == 10:
        price = ("4.5000", trade.dollar)
        move = trade.shift(day, storage, trade.theirs, "honey", 1, price)
        own = trade.in_own(Decimal(price[0]), trade.dollar, day)
        trade.note(move, "DEVOLUCION_COMPRA", "honey", trade.shop, day, cantidad=1, precio=own)
    if number == 16:
        trade.shift(day, trade.theirs, trade.source, "honey", 2)  # back to where it came from
        _count(trade, day, trade.theirs, -1)
    if number in (18, 41):
        trade.order(day, "honey", 10, "3.9000")
        move = trade.shift(day, storage, trade.there, "honey", 8)
        more = {"cantidad": 8, "destino": trade.there.id}
        trade.note(move, "TRASLADO", "honey", trade.shop, day, **more)
    if number in (23, 42):
        move = trade.shift(day, trade.there, trade.out, "honey", 3)
        trade.note(move, "VENTA", "honey", trade.there, day, **trade._told("honey", "3", "10"))
        trade.shift(day, trade.beneath, trade.out, "honey", 1)
    if number == 24:
        _count(trade, day, trade.there, -1)
        move = trade.shift(day, trade.there, storage, "honey", 2)
        more = {"cantidad": 2, "destino": trade.shop.id}
        trade.note(move, "TRASLADO", "honey", trade.there, day, **more)
    if number == 30:
        _bill(trade, day)


def _taken(trade: Any, move: Any, day: date, quantity: int) -> None:
    """What was taken of the supplier's is a receipt at the price of its list, in its currency."""
    price = trade.in_own(PRICE, trade.dollar, day)
    more = {"cantidad": quantity, "precio": price, "importe": quantity * price}
    trade.note(move, "ENTRADA_MERCANCIA", "honey", trade.shop, day, **more)


def _sell_more_than_is_own(trade: Any, day: date, more: int) -> None:
    """An ordinary sale, for which Tryton itself looks what lies where, and takes the supplier's."""
    honey, storage = trade.products["honey"], trade.store[trade.shop.id]
    own = _lies(trade, honey, storage)
    quantity = str(own + more)
    sale = trade.sale_of(day, trade.shop, [("honey", quantity, "9.0000")])
    (shipment,) = sale.shipments
    shipment.effective_date = day
    shipment.save()
    click(shipment, "assign_try")
    assert shipment.state == "assigned"
    click(shipment, "pick", "pack", DONE)
    (move,) = shipment.outgoing_moves
    told = trade._told("honey", quantity, "9.0000")
    trade.note(move, "VENTA", "honey", trade.shop, day, **told)
    picked = {m.from_location.id: m for m in shipment.inventory_moves}
    assert set(picked) == {trade.theirs.id} | ({storage.id} if own else set())
    _taken(trade, picked[trade.theirs.id], day, more)


def _lies(trade: Any, honey: Any, place: Any) -> int:
    """How much honey the book says is in the shop's storage."""
    known = 0
    for said in trade.book.values():
        if said["producto"] == honey.id:
            enters = said["tipo"] in ("ENTRADA_MERCANCIA", "AJUSTE_ENTRADA", "DEVOLUCION_VENTA")
            if said["sucursal"] == trade.shop.id:
                known += int(said["cantidad"]) * (1 if enters else -1)
            if said.get("destino") == str(trade.shop.id):
                known += int(said["cantidad"])
    return known


def _count(trade: Any, day: date, place: Any, difference: int) -> None:
    """A count that finds so much more, or less, honey than is known at that place."""
    inventory = Model.get("stock.inventory")(location=place, date=day)
    inventory.empty_quantity = "keep"
    inventory.save()
    click(inventory, "complete_lines")
    (line,) = inventory.lines
    line.quantity = line.expected_quantity + difference
    inventory.save()
    click(inventory, "confirm")
    (move,) = inventory.lines[0].moves
    if place == trade.there:
        trade.note(move, "AJUSTE_SALIDA", "honey", place, day, cantidad=abs(difference))


def _bill(trade: Any, day: date) -> None:
    """The supplier bills what was taken, at a price of its own: what was taken cost that."""
    lines = Model.get("account.invoice.line").find(
        [("invoice_type", "=", "in"), ("invoice", "=", None), ("currency", "=", trade.dollar.id)]
    )
    taken = [line for line in lines if line.stock_moves[0].to_location.type == "storage"]
    invoice = Model.get("account.invoice")(type="in", party=trade.supplier)
    invoice.payment_term, invoice.invoice_date = trade.term, day
    invoice.currency = trade.dollar
    for line in taken:
        invoice.lines.append(line)
    invoice.save()
    for line in invoice.lines:
        line.unit_price = BILLED
    invoice.save()
    click(invoice, "post")
    numbers = [move.id for line in invoice.lines for move in line.stock_moves]
    assert len(numbers) > 2
    for number in numbers:
        said = trade.book[number]
        price = trade.in_own(BILLED, trade.dollar, date.fromisoformat(said["fecha"]))
        said |= {"precio": str(price), "importe": str(int(said["cantidad"]) * price)}

"""A small company that trades in a real Tryton: run by Tryton's own Python, not by the tests'.

`TRYTOND_CONFIG=… tryton_trade.py DATABASE` takes a request a line, as JSON, and answers each with a
line: what it was asked to do is done and committed by then. It drives Tryton as a user does, by
documents and their buttons, and keeps a book of what the documents say that it never reads from
Tryton's tables: the quantities, prices and rates that it typed itself.
"""

from __future__ import annotations

import json
import os
import random
import sys
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import tryton_consignment as consignment
import tryton_second as second
from proteus import Model, Wizard, config
from tryton_clicks import DONE, OLDEST, PACK, click, lot_of, split, work_for
from trytond.modules.account.tests.tools import create_chart, create_fiscalyear, get_accounts
from trytond.modules.account_invoice.tests.tools import (
    create_payment_term,
    set_fiscalyear_invoice_sequences,
)
from trytond.modules.company.tests.tools import create_company
from trytond.modules.currency.tests.tools import get_currency

# The rate of the day: dollars, and the company's own money, for one unit of what rates are of.
FIRST_DAY = date(2026, 9, 1)
RATES = {FIRST_DAY: "1.25", FIRST_DAY + timedelta(days=25): "1.6"}
UNIT = {"milk": "Unit", "cheese": "Kilogram", "screws": "Unit", "flour": "Kilogram",
        "bread": "Unit", "lamp": "Unit", "yogurt": "Unit", "honey": "Unit"}  # fmt: skip
PRICES = {"milk": "1.2000", "cheese": "14.5000", "screws": "0.0333", "flour": "0.9000",
          "bread": "3.0000", "lamp": "30.0000", "yogurt": "0.8000", "honey": "5.0000"}  # fmt: skip
CENTI = Decimal("0.01")


class Trade:
    """The company, its book, and what may happen on a day."""

    def __init__(self) -> None:
        self.book: dict[int, dict[str, Any]] = {}
        self.gone: list[int] = []
        self.sold: list[tuple[Any, list[int]]] = []
        self.bought: list[tuple[Any, list[int]]] = []
        self.sold_lots: list[tuple[Any, list[int]]] = []
        self.bought_lots: list[tuple[Any, list[int]]] = []
        self.received: list[tuple[Any, int]] = []
        self.lots: dict[int, str | None] = {}  # of the moves in the book
        self.chance = random.Random(82)

    # What is there before the first day

    def prepare(self) -> None:
        """Two companies. The first has two warehouses, a supplier, a customer, two currencies."""
        self.company = self._company("EUR")
        self._currencies()
        self._parties()
        self._places()
        Category = Model.get("product.category")
        self.category = Category(name="Account", accounting=True)
        self.book_in(self.category)
        self.food = Category(name="Food")
        self.food.save()
        self.products = {name: self._product(name) for name in UNIT}
        self._recipe()
        self._freight()
        self._lots()
        consignment.prepare(self)
        self.second = second.prepare(Trade(), self)
        work_for(self.company)

    def _company(self, currency: str) -> Any:
        """A company that works in that currency, with a year to book in; the user works for it."""
        Company = Model.get("company.company")
        party = Model.get("party.party")(name=f"Company in {currency}")
        party.save()
        create_company(party=party, currency=get_currency(currency))
        (company,) = Company.find([("party", "=", party.id)])
        work_for(company)
        create_chart(company)
        years = FIRST_DAY - timedelta(days=1), FIRST_DAY + timedelta(days=200)
        year = set_fiscalyear_invoice_sequences(create_fiscalyear(company, today=years))
        click(year, "create_period")
        return company

    def book_in(self, category: Any) -> None:
        """What the company books goods of that category in."""
        accounts = get_accounts(self.company)
        category.account_expense = accounts["expense"]
        category.account_revenue = accounts["revenue"]
        category.save()

    def _currencies(self) -> None:
        Rate = Model.get("currency.currency.rate")
        self.euro, self.dollar = get_currency("EUR"), get_currency("USD")
        for currency in (self.euro, self.dollar):
            Rate.delete(list(currency.rates))
            currency.reload()
        Rate(currency=self.euro, date=FIRST_DAY - timedelta(days=400), rate=Decimal(2)).save()
        for day, rate in RATES.items():
            Rate(currency=self.dollar, date=day, rate=Decimal(rate)).save()

    def in_own(self, amount: Decimal, currency: Any, day: date) -> Decimal:
        """In the company's own currency at the rate of the day, unrounded."""
        own = self.company.currency.id
        if currency.id == own:
            return amount
        dollar = Decimal(RATES[max(d for d in RATES if d <= day)])
        return amount * dollar / 2 if own == self.dollar.id else amount * 2 / dollar

    def _parties(self) -> None:
        Party = Model.get("party.party")
        self.supplier, self.customer = Party(name="Supplier"), Party(name="Customer")
        for party in (self.supplier, self.customer):
            party.save()
        self.term = create_payment_term()
        self.term.save()

    def _places(self) -> None:
        Location = Model.get("stock.location")

        def one(**named: str) -> Any:
            (found,) = Location.find([(key, "=", value) for key, value in named.items()])
            return found

        self.shop = one(code="WH")
        self.depot = self.shop.duplicate({"name": "Depot", "code": "WH2"})[0]
        self.depot.reload()
        self.store = {w.id: w.storage_location for w in (self.shop, self.depot)}
        self.input = {w.id: w.input_location for w in (self.shop, self.depot)}
        self.lost, self.out = one(type="lost_found"), one(code="CUS")
        self.road, self.source = one(name="Transit"), one(code="SUP")
        self.workshop = one(type="production")
        self.places = [self.shop, self.depot, self.road]
        # Where things lie: a shelf within the shop's storage.
        self.shelf = Location(name="Shelf", type="storage", parent=self.store[self.shop.id])
        self.shelf.save()

    def _product(self, name: str) -> Any:
        Unit = Model.get("product.uom")
        (unit,) = Unit.find([("name", "=", UNIT[name])])
        template = Model.get("product.template")(name=name.title(), default_uom=unit)
        template.type = "goods"
        template.cost_price_method = "average"
        template.list_price = Decimal(PRICES[name]) * 2
        template.purchasable = template.salable = True
        template.producible = name == "bread"
        template.account_category = self.category
        template.categories.append(Model.get("product.category")(self.food.id))
        if name == "cheese":
            (template.sale_uom,) = Unit.find([("symbol", "=", "g")])
        if name == "lamp":
            template.supply_on_sale = "always"
        (product,) = template.products
        product.cost_price = Decimal(0)
        product.suffix_code = name.upper()
        template.save()
        (product,) = template.products
        if name == "lamp":
            offer = Model.get("purchase.product_supplier")(template=template, party=self.supplier)
            offer.drop_shipment, offer.lead_time = True, timedelta(0)
            offer.save()
        return product

    def _lots(self) -> None:
        """Yogurt never moves without its lot, which has a day until when it is good."""
        template = self.products["yogurt"].template
        template.lot_required = ["supplier", "customer", "lost_found", "storage"]
        template.shelf_life_state = "optional"
        template.save()

    def _recipe(self) -> None:
        self.bom = Model.get("production.bom")(name="Bread")
        ingredient = self.bom.inputs.new(product=self.products["flour"])
        ingredient.quantity = 0.6
        result = self.bom.outputs.new(product=self.products["bread"])
        result.quantity = 1
        self.bom.save()
        bread = self.products["bread"]
        bread.boms.append(Model.get("product.product-production.bom")(bom=self.bom))
        bread.save()

    def _freight(self) -> None:
        template = Model.get("product.template")(name="Freight", type="service")
        (template.default_uom,) = Model.get("product.uom").find([("name", "=", "Unit")])
        template.landed_cost, template.purchasable = True, True
        template.list_price = Decimal(10)
        template.account_category = self.category
        template.save()
        (self.freight,) = template.products

    # The book

    def note(self, move: Any, tipo: str, name: str, place: Any, day: date, **more: Any) -> int:
        """What a document's line says, under the number of its move."""
        self.book[move.id] = {
            "id_movimiento": move.id,
            "tipo": tipo,
            "producto": self.products[name].id,
            "sucursal": place.id,
            "fecha": day.isoformat(),
            **{key: str(value) for key, value in more.items() if value is not None},
        }
        self.lots[move.id] = lot_of(move)
        return int(move.id)

    def _first(self, ids: list[int], move: Any) -> int:
        """Of the lines that were sold or bought, which a line of their return is of."""
        (first,) = (
            i
            for i in ids
            if self.book[i]["producto"] == move.product.id and self.lots[i] == lot_of(move)
        )
        return first

    def _name(self, product: int) -> str:
        return next(name for name, p in self.products.items() if p.id == product)

    def _place(self, number: int) -> Any:
        return next(place for place in (self.shop, self.depot) if place.id == number)

    # What happens

    def buy(self, day: date, place: Any, lines: list[tuple[str, str, str]], currency: Any) -> Any:
        """A supplier's delivery: quantity and price in the product's unit, in that currency."""
        shipment = Model.get("stock.shipment.in")(supplier=self.supplier, warehouse=place)
        shipment.effective_date = day
        for name, quantity, price in lines:
            move = shipment.incoming_moves.new(product=self.products[name])
            move.from_location, move.to_location = self.source, self.input[place.id]
            move.quantity, move.unit_price = float(quantity), Decimal(price)
            move.currency = currency
        shipment.save()
        click(shipment, "receive", DONE)
        for name, quantity, price in lines:
            (move,) = (m for m in shipment.incoming_moves if m.product == self.products[name])
            more = {
                "precio": self.in_own(Decimal(price), currency, day),
                "importe": self.in_own(Decimal(quantity) * Decimal(price), currency, day),
            }
            self.note(move, "ENTRADA_MERCANCIA", name, place, day, cantidad=quantity, **more)
            self.received.append((shipment, move.id))
        return shipment

    def order(
        self,
        day: date,
        name: str,
        quantity: int,
        price: str,
        lots: dict[str, int] | None = None,
        until: date | None = None,
    ) -> None:
        """A purchase order of goods that arrive the same day; it can be returned."""
        order = Model.get("purchase.purchase")(party=self.supplier, warehouse=self.shop)
        order.currency = self.company.currency
        order.payment_term, order.invoice_method, order.purchase_date = self.term, "manual", day
        line = order.lines.new(product=self.products[name])
        line.quantity, line.unit_price = quantity, Decimal(price)
        click(order, "quote", "confirm")
        shipment = Model.get("stock.shipment.in")(supplier=self.supplier, warehouse=self.shop)
        shipment.effective_date = day
        (waiting,) = order.moves
        shipment.incoming_moves.append(Model.get("stock.move")(waiting.id))
        shipment.save()
        if lots:
            split(shipment.incoming_moves[0], lots, until)
            shipment.reload()
        click(shipment, "receive", DONE)
        ids = []
        for move in shipment.incoming_moves:
            of_it = lots[str(lot_of(move))] if lots else quantity
            more = {"cantidad": of_it, "precio": price, "importe": of_it * Decimal(price)}
            ids.append(self.note(move, "ENTRADA_MERCANCIA", name, self.shop, day, **more))
        assert len(ids) == len(lots or "1")
        (self.bought_lots if lots else self.bought).append((order, ids))

    def send_back(self, day: date, bought: list[tuple[Any, list[int]]]) -> None:
        """The last of these orders goes back whole, if nothing of it has before."""
        order, ids = bought.pop()
        wizard = Wizard("purchase.return_purchase", [order])
        wizard.execute("return_")
        (returned,) = Model.get("purchase.purchase").find([("state", "=", "draft")])
        returned.purchase_date = day
        click(returned, "quote", "confirm")
        (shipment,) = returned.shipment_returns
        shipment.effective_date = day
        shipment.save()
        self._split_alike(shipment.moves, ids)
        shipment.reload()
        click(shipment, "assign_force", DONE)
        for move in shipment.moves:
            first = self._first(ids, move)
            said = self.book[first]
            more = {"cantidad": said["cantidad"], "precio": said["precio"], "origen": first}
            name = self._name(said["producto"])
            self.note(move, "DEVOLUCION_COMPRA", name, self.shop, day, **more)
        assert len(shipment.moves) == len(ids)

    def _split_alike(self, moves: Any, ids: list[int]) -> None:
        """The lines of a return are of the lots that came, the last of them first."""
        for move in list(moves):
            came = [i for i in reversed(ids) if self.book[i]["producto"] == move.product.id]
            lots = {self.lots[i]: int(self.book[i]["cantidad"]) for i in came if self.lots[i]}
            if lots:
                split(move, {str(number): quantity for number, quantity in lots.items()})

    def sell(
        self,
        day: date,
        place: Any,
        lines: list[tuple[str, str, str]],
        lots: dict[str, int] | None = None,
    ) -> None:
        """A sale that is delivered the same day: quantity and price in the unit of sale."""
        sale = self.sale_of(day, place, lines)
        (shipment,) = sale.shipments
        shipment.effective_date = day
        shipment.save()
        if lots:
            split(shipment.inventory_moves[0], lots)
            shipment.reload()
        click(shipment, "assign_force", "pick", "pack", DONE)
        ids = []
        for name, quantity, price in lines:
            moves = [m for m in shipment.outgoing_moves if m.product == self.products[name]]
            assert len(moves) == len(lots or "1")
            for move in moves:
                of_it = str(lots[str(lot_of(move))]) if lots else quantity
                told = self._told(name, of_it, price)
                ids.append(self.note(move, "VENTA", name, place, day, **told))
        (self.sold_lots if lots else self.sold).append((sale, ids))

    def sale_of(self, day: date, place: Any, lines: list[tuple[str, str, str]]) -> Any:
        """A sale that is confirmed; what is to be delivered waits."""
        sale = Model.get("sale.sale")(party=self.customer, warehouse=place)
        sale.currency = self.company.currency
        sale.payment_term, sale.invoice_method, sale.sale_date = self.term, "manual", day
        for name, quantity, price in lines:
            line = sale.lines.new(product=self.products[name])
            line.quantity, line.unit_price = float(quantity), Decimal(price)
        click(sale, "quote", "confirm")
        return sale

    def _told(self, name: str, quantity: str, price: str) -> dict[str, Any]:
        """In the product's unit, as Tryton rounds it, and its amount; cheese goes in grams."""
        amount = Decimal(quantity) * Decimal(price)
        if name != "cheese":
            return {"cantidad": quantity, "precio": price, "importe": amount}
        rounded = (Decimal(quantity) / 1000).quantize(CENTI, ROUND_HALF_UP)
        return {"cantidad": rounded, "precio": Decimal(price) * 1000, "importe": amount}

    def take_back(self, day: date, sold: list[tuple[Any, list[int]]]) -> None:
        """A customer brings back the whole of a sale, the first of these."""
        sale, ids = sold.pop(0)
        wizard = Wizard("sale.return_sale", [sale])
        wizard.execute("return_")
        (returned,) = Model.get("sale.sale").find([("state", "=", "draft")])
        returned.sale_date = day
        click(returned, "quote", "confirm")
        (shipment,) = returned.shipment_returns
        shipment.effective_date = day
        shipment.save()
        self._split_alike(shipment.incoming_moves, ids)
        shipment.reload()
        click(shipment, "receive", DONE)
        for move in shipment.incoming_moves:
            first = self._first(ids, move)
            said = self.book[first]
            more = {key: said[key] for key in ("cantidad", "precio", "importe")} | {"origen": first}
            name, place = self._name(said["producto"]), self._place(said["sucursal"])
            self.note(move, "DEVOLUCION_VENTA", name, place, day, **more)
        assert len(shipment.incoming_moves) == len(ids)

    def count(self, day: date, name: str, difference: str) -> None:
        """A count of the shop's storage that finds so much more, or less, than is known."""
        inventory = Model.get("stock.inventory")(location=self.store[self.shop.id], date=day)
        line = inventory.lines.new(product=self.products[name])
        with settings.set_context(locations=[self.store[self.shop.id].id], stock_date_end=day):
            known = Decimal(str(Model.get("product.product")(self.products[name].id).quantity))
        line.quantity = float(max(known + Decimal(difference), Decimal(0)))
        changed = Decimal(str(line.quantity)) - known
        inventory.save()
        click(inventory, "confirm")
        if changed:
            ((move,),) = ([*line.moves] for line in inventory.lines)
            tipo = "AJUSTE_ENTRADA" if changed > 0 else "AJUSTE_SALIDA"
            self.note(move, tipo, name, self.shop, day, cantidad=abs(changed))

    def count_lots(self, day: date, differences: dict[str, int], found: str = "") -> None:
        """A sheet with all that the shop's storage has, a line a lot; here lots differ by so many.

        Of a lot that nobody knew, two are found.
        """
        inventory = Model.get("stock.inventory")(location=self.store[self.shop.id], date=day)
        inventory.empty_quantity = "keep"
        inventory.save()
        click(inventory, "complete_lines")
        yogurt, changed = self.products["yogurt"], dict(differences)
        for line in inventory.lines:
            if line.product == yogurt:
                line.quantity = line.expected_quantity + differences.get(lot_of(line), 0)
        if found:
            lot = Model.get("stock.lot")(product=yogurt, number=found)
            lot.save()
            inventory.lines.new(product=yogurt, lot=lot, quantity=2)
            changed[found] = 2
        inventory.save()
        click(inventory, "confirm")
        for move in (move for line in inventory.lines for move in line.moves):
            difference = changed.pop(str(lot_of(move)))
            tipo = "AJUSTE_ENTRADA" if difference > 0 else "AJUSTE_SALIDA"
            self.note(move, tipo, "yogurt", self.shop, day, cantidad=abs(difference))
        assert not changed

    def transfer(
        self, day: date, name: str, quantity: int, days: int, lots: dict[str, int] | None = None
    ) -> None:
        """From the shop to the depot; by the road, if it takes some days."""
        shipment = Model.get("stock.shipment.internal")()
        shipment.from_location = self.store[self.shop.id]
        shipment.to_location = self.store[self.depot.id]
        shipment.planned_start_date, shipment.planned_date = day, day + timedelta(days=days)
        move = shipment.moves.new(product=self.products[name])
        move.from_location, move.to_location = shipment.from_location, shipment.to_location
        move.quantity = quantity
        shipment.effective_start_date, shipment.effective_date = day, day + timedelta(days=days)
        shipment.save()
        click(shipment, "wait")
        if lots:
            (leaving,) = (m for m in shipment.moves if m.from_location == shipment.from_location)
            split(leaving, lots)
            shipment.reload()
        click(shipment, "assign_force", *PACK, "ship", DONE)
        moves = [m for m in sorted(shipment.moves, key=lambda m: m.id) if m.quantity]
        by_road = any(m.to_location != shipment.to_location for m in moves)
        assert len(moves) == len(lots or "1") * (1 + by_road)
        for leg in moves:
            begins = leg.from_location == shipment.from_location
            source, target = (self.shop, self.road) if begins else (self.road, self.depot)
            if not by_road:
                target = self.depot
            on = day if begins else shipment.effective_date
            of_it = lots[str(lot_of(leg))] if lots else quantity
            more = {"cantidad": of_it, "destino": target.id}
            self.note(leg, "TRASLADO", name, source, on, **more)

    def shift(
        self,
        day: date,
        source: Any,
        target: Any,
        name: str,
        quantity: int,
        price: tuple[str, Any] | None = None,
    ) -> Any:
        """From one location to another, such as a shelf, as an internal shipment; its move.

        What goes back to a supplier that way has a price, and its currency.
        """
        shipment = Model.get("stock.shipment.internal")(planned_date=day, effective_date=day)
        shipment.from_location, shipment.to_location = source, target
        move = shipment.moves.new(product=self.products[name], quantity=quantity)
        move.from_location, move.to_location = source, target
        if price:
            move.unit_price, move.currency = Decimal(price[0]), price[1]
        shipment.save()
        click(shipment, "wait", "assign_force", DONE)
        (move,) = shipment.moves
        return move

    def bake(self, day: date, loaves: int) -> None:
        """Flour becomes bread, at what the flour costs."""
        production = Model.get("production")(effective_date=day, effective_start_date=day)
        production.warehouse, production.location = self.shop, self.workshop
        production.product, production.bom = self.products["bread"], self.bom
        production.quantity = loaves
        click(production, "wait", "assign_force", "run", DONE)
        production.reload()
        (used,), (made,) = production.inputs, production.outputs
        flour = (Decimal("0.6") * loaves).quantize(CENTI)
        self.note(used, "AJUSTE_SALIDA", "flour", self.shop, day, cantidad=flour)
        # What Tryton says that a loaf cost is the document's own figure, as a price is.
        more = {"cantidad": loaves, "precio": made.unit_price}
        self.note(made, "AJUSTE_ENTRADA", "bread", self.shop, day, **more)

    def drop(self, day: date) -> None:
        """A lamp goes from the supplier to the customer, past the shop."""
        sale = self.sale_of(day, self.shop, [("lamp", "1", "60.0000")])
        requests = Model.get("purchase.request").find([("state", "=", "draft")])
        Wizard("purchase.request.create_purchase", requests)
        (order,) = Model.get("purchase.purchase").find([("state", "=", "draft")])
        order.payment_term, order.invoice_method = self.term, "manual"
        order.purchase_date = day
        for line in order.lines:
            line.unit_price = Decimal(20)
        click(order, "quote", "confirm")
        sale.reload()
        (shipment,) = sale.drop_shipments
        shipment.effective_date = day
        shipment.save()
        click(shipment, "ship", DONE)

    def freight_of(self, day: date, amount: str) -> None:
        """The last delivery's freight is billed: it makes what was delivered dearer."""
        shipment, _last = self.received[-1]
        invoice = Model.get("account.invoice")(type="in", party=self.supplier)
        invoice.payment_term, invoice.invoice_date = self.term, day
        line = invoice.lines.new(product=self.freight)
        line.quantity, line.unit_price = 1, Decimal(amount)
        click(invoice, "post")
        landed = Model.get("account.landed_cost")(allocation_method="value")
        landed.shipments.append(Model.get("stock.shipment.in")(shipment.id))
        landed.invoice_lines.append(Model.get("account.invoice.line")(invoice.lines[0].id))
        landed.save()
        wizard = click(landed, "post_wizard")
        wizard.execute("post")
        # By value, a price of four decimals each: what the form showed is what is added.
        moves = [i for s, i in self.received if s.id == shipment.id]
        whole = sum(Decimal(self.book[i]["importe"]) for i in moves)
        for number in moves:
            said = self.book[number]
            part = Decimal(amount) * Decimal(said["importe"]) / whole
            quantity = Decimal(said["cantidad"])
            price = (Decimal(said["importe"]) + part) / quantity
            price = price.quantize(Decimal("0.0001"), ROUND_HALF_UP)
            said |= {"precio": str(price), "importe": str(price * quantity)}

    def cancel_a_sale(self, back: int, delete: bool) -> None:
        """A sale's delivery is cancelled, the last but so many, and perhaps deleted as well."""
        sale, ids = self.sold.pop(-1 - back)
        (shipment,) = sale.shipments
        moves = [
            Model.get("stock.move")(m.id)
            for m in (*shipment.outgoing_moves, *shipment.inventory_moves)
        ]
        shipment = Model.get("stock.shipment.out")(shipment.id)
        click(shipment, "cancel")
        if OLDEST:  # There what is done has no such button: it was passed over, without a word.
            assert shipment.state == "done"
            for move in moves:
                click(move, "cancel")
        for number in ids:
            self.gone.append(self.book.pop(number)["id_movimiento"])
        if delete:
            Model.get("stock.move").delete(moves)

    def rename(self, name: str, to: str, language: str) -> None:
        """A product's name is typed anew, by somebody who works in that language."""
        with settings.set_context(language=language):
            template = Model.get("product.template")(self.products[name].template.id)
            template.name = to
            template.save()

    # A day, and what Tryton says

    def day(self, number: int) -> None:
        """What happens on the day so many days after the first."""
        day, chance = FIRST_DAY + timedelta(days=number), self.chance
        self._usual(number, day, chance)
        self._day_of_lots(number, day)
        consignment.day(self, number, day)
        work_for(self.second.company)
        second.day(self.second, number, day)
        work_for(self.company)

    def _usual(self, number: int, day: date, chance: random.Random) -> None:
        if number % 10 == 0:
            self.buy(day, self.shop, [
                ("milk", "60", "1.1500"), ("cheese", "12.5", "13.3333"),
                ("flour", "20", f"0.{chance.randint(70, 95)}00")], self.euro)  # fmt: skip
            self.buy(day, self.depot, [("milk", "10", "1.1200")], self.euro)
        if number % 10 == 3:
            self.buy(
                day, self.shop, [("screws", "1000", f"0.0{chance.randint(200, 400)}")], self.dollar
            )
        if number % 10 == 4:
            self.order(day, "milk", 12, f"1.{chance.randint(1000, 3000)}")
            self.bake(day, chance.randint(4, 9))
        if number % 4 == 0:
            grams = chance.choice([102, 251, 347, 498])
            self.sell(day, self.shop, [
                ("milk", str(chance.randint(1, 6)), "2.4000"), ("cheese", str(grams), "0.0290"),
                ("screws", str(chance.randint(1, 90)), "0.0700")])  # fmt: skip
        if number % 8 == 1:
            self.sell(day, self.depot, [("milk", "1", "2.3000")])
        if number % 10 == 9:
            self.sell(day, self.shop, [("bread", str(chance.randint(1, 4)), "6.0000")])
        if number % 14 == 6:
            self.count(day, "milk", str(chance.choice([-2, -1, 1, 3])))
            self.transfer(day, "milk", 3, chance.choice([0, 2]))
        if number % 14 == 13:
            self.count(day, "cheese", str(chance.choice(["-0.15", "0.08"])))
            self.shift(day, self.store[self.shop.id], self.shelf, "screws", 10)
        if number in (12, 31, 44):
            self.take_back(day, self.sold)
        if number in (15, 35):
            self.send_back(day, self.bought)
        if number in (21, 51):
            self.freight_of(day, "13.0000")
        if number in (25, 46):
            self.drop(day)
        if number == 40:
            self.rename("milk", "Leche", "es")
            self.rename("flour", "Harina", "es")
        if number == 43:
            self.rename("flour", "White flour", "en")
        if number == 28:  # which a window has seen
            self.cancel_a_sale(5, delete=False)
        if number == 48:  # which none has
            self.cancel_a_sale(0, delete=True)

    def _day_of_lots(self, number: int, day: date) -> None:
        if number in (1, 19, 33):
            lots = {f"A{number}": 12, f"B{number}": 18}
            until = FIRST_DAY + timedelta(days=30 + number)
            self.order(day, "yogurt", 30, f"0.{60 + number}00", lots, until)
        if number in (2, 20):
            lots = {f"A{number - 1}": 3, f"B{number - 1}": 4}
            self.sell(day, self.shop, [("yogurt", "7", "1.5000")], lots)
        if number in (5, 22):
            self.transfer(day, "yogurt", 4, number % 5, {"A1": 2, "B1": 2})
        if number == 9:
            self.count_lots(day, {"A1": -2, "B1": 1})
        if number in (12, 27):
            self.take_back(day, self.sold_lots)
        if number == 34:
            self.send_back(day, self.bought_lots)
        if number == 39:  # A1 and B1 are good no more, and thrown away
            self.count_lots(day, {"A1": -6, "B1": -15}, found="C39")

    def stock(self) -> list[list[Any]]:
        """Tryton's own figure for each product and place of ours, all zones of a warehouse."""
        Product = Model.get("product.product")
        found = []
        for place in self.places:
            with settings.set_context(
                locations=[place.id], with_childs=True, stock_date_end=date(2030, 1, 1)
            ):
                found += [
                    [product.id, place.id, str(Product(product.id).quantity)]
                    for product in self.products.values()
                ]
        return found

    def consigned(self) -> list[list[int]]:
        """Where goods lie that are the supplier's own, and which of our places they lie in."""
        return [[self.theirs.id, self.shop.id], [self.beneath.id, self.there.id]]

    def names(self) -> dict[str, str]:
        """What each product is called where somebody works in Spanish."""
        Product = Model.get("product.product")
        with settings.set_context(language="es"):
            return {p.suffix_code: Product(p.id).name for p in self.products.values()}

    def costs(self) -> dict[str, str]:
        """Tryton's own average of each product, now."""
        Product = Model.get("product.product")
        return {str(p.id): str(Product(p.id).cost_price) for p in self.products.values()}

    def recompute(self) -> None:
        """What Tryton's nightly task does with costs."""
        (cron,) = Model.get("ir.cron").find(
            [("method", "=", "product.product|recompute_cost_price_from_moves")]
        )
        click(cron, "run_once")


def main() -> None:
    """Answer request by request until there are no more."""
    global settings
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # whatever else is printed
    settings = config.set_trytond(database=sys.argv[1])
    trade = Trade()
    for line in sys.stdin:
        name, *arguments = json.loads(line)
        whose = trade
        if name == "second":
            name, *arguments = arguments
            whose = trade.second
            work_for(whose.company)
        if name == "book":
            answer: Any = list(whose.book.values())
        else:
            answer = getattr(whose, name)(*arguments)
        if whose is not trade:
            work_for(trade.company)
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()

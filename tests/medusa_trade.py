"""A shop that trades in a real Medusa, by its admin and store API alone.

What happened stands in a book that is never read from Medusa's tables.
"""

from __future__ import annotations

import json
import random
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

LOGIN = {"email": "a@example.com", "password": "only for this test"}
OPENING = {"Tienda": 300, "Deposito": 100}

Place = tuple[str, str]  # (sku, name of the location when it was made)


class Api:
    """Medusa's API, as whoever has logged in, and as the web shop."""

    def __init__(self, url: str) -> None:
        self.url, self.token, self.key = url, "", ""

    def log_in(self) -> None:
        """The token is of a day, and days pass quickly here."""
        self.token = self.post("/auth/user/emailpass", **LOGIN)["token"]

    def get(self, path: str) -> Any:
        """What is there."""
        return self._call("GET", path)

    def post(self, path: str, **body: Any) -> Any:
        """Have something done; raises AssertionError with what Medusa says against it."""
        return self._call("POST", path, body)

    def delete(self, path: str) -> Any:
        """Have something deleted."""
        return self._call("DELETE", path)

    def _call(self, method: str, path: str, body: Any = None) -> Any:
        headers = {"content-type": "application/json"}
        if path.startswith("/store"):
            headers["x-publishable-api-key"] = self.key
        elif self.token and not path.startswith("/auth"):
            headers["authorization"] = f"Bearer {self.token}"
        data = None if body is None else json.dumps(body).encode()
        asked = urllib.request.Request(self.url + path, data, headers, method=method)
        try:
            with urllib.request.urlopen(asked, timeout=120) as answer:
                return json.load(answer, parse_float=Decimal)
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{method} {path} {body}: {error.read().decode()}") from error


class Trade:
    """The shop, its book, and what may happen on a day."""

    def __init__(self, url: str, clock: Path) -> None:
        self.api, self.clock = Api(url), clock
        self.chance = random.Random(42)
        self.today = -1
        self.places: dict[str, str] = {}
        self.variants: dict[str, str] = {}
        self.items: dict[str, str] = {}
        self.products: dict[str, str] = {}
        self.regions: dict[str, tuple[str, str]] = {}
        self.lines: dict[str, dict[str, str]] = {}  # of each order, by SKU
        # Each correction by hand: day, sku, place, by how much; what Medusa did not bring back.
        self.by_hand: list[tuple[int, str, str, int]] = []
        self.forgotten: Counter[Place] = Counter()
        self.refused = 0

    # The shop

    def prepare(self) -> None:
        """Two places, three regions, four products, one of which is a kit, and a discount."""
        api = self.api
        api.log_in()
        store = api.get("/admin/stores")["stores"][0]
        currencies = [{"currency_code": "pen", "is_default": True}, {"currency_code": "usd"}]
        api.post(f"/admin/stores/{store['id']}", supported_currencies=currencies)
        self.channel = api.get("/admin/sales-channels")["sales_channels"][0]["id"]
        self.profile = api.get("/admin/shipping-profiles")["shipping_profiles"][0]["id"]
        for country, currency, rate in (("pe", "pen", 18), ("cl", "pen", 19), ("us", "usd", 7)):
            self._region(country, currency, rate)
        for name in OPENING:
            self._place(name)
        self._ways_to_ship()
        key = api.post("/admin/api-keys", title="web", type="publishable")["api_key"]
        api.post(f"/admin/api-keys/{key['id']}/sales-channels", add=[self.channel])
        api.key = key["token"]
        self._product("A", "Arroz", "10.00")
        self._product("B", "Bolsa", "3.33")
        self._product("D", "Dulce", "4.10")
        self._product("S", "Servicio", "25.00", manage_inventory=False)
        self._product("K", "Kit", "32.99", of={"A": 2, "B": 3})
        for sku in ("A", "B", "D"):
            api.post(f"/admin/inventory-items/{self.items[sku]}", metadata={"costo": "2.5"})
            for name, quantity in OPENING.items():
                levels = f"/admin/inventory-items/{self.items[sku]}/location-levels"
                api.post(levels, location_id=self.places[name], stocked_quantity=quantity)
        for code, inclusive_too in (("DIEZ", False), ("SIETE", True)):
            api.post(
                "/admin/promotions", code=code, type="standard", status="active",
                is_tax_inclusive=inclusive_too,
                application_method={
                    "type": "percentage", "target_type": "items", "allocation": "across",
                    "value": 10 if code == "DIEZ" else 7, "currency_code": "pen",
                },
            )  # fmt: skip

    def _region(self, country: str, currency: str, rate: int) -> None:
        """Of one region prices have the tax within, of the others not: see _product()."""
        made = self.api.post(
            "/admin/regions", name=country, currency_code=currency, countries=[country],
            payment_providers=["pp_system_default"], is_tax_inclusive=country == "cl",
        )  # fmt: skip
        self.regions[country] = made["region"]["id"], currency
        tax = {"rate": rate, "code": "T", "name": "T"}
        self.api.post(
            "/admin/tax-regions",
            country_code=country,
            provider_id="tp_system",
            default_tax_rate=tax,
        )

    def _place(self, name: str) -> None:
        place = self.api.post("/admin/stock-locations", name=name)["stock_location"]["id"]
        self.places[name] = place
        self.api.post(f"/admin/stock-locations/{place}/sales-channels", add=[self.channel])
        providers = f"/admin/stock-locations/{place}/fulfillment-providers"
        self.api.post(providers, add=["manual_manual"])

    def _ways_to_ship(self) -> None:
        api, place = self.api, self.places["Tienda"]
        sets = f"/admin/stock-locations/{place}/fulfillment-sets?fields=*fulfillment_sets"
        made = api.post(sets, name="envio", type="shipping")["stock_location"]
        zones = f"/admin/fulfillment-sets/{made['fulfillment_sets'][0]['id']}/service-zones"
        countries = [{"type": "country", "country_code": code} for code in self.regions]
        made = api.post(zones, name="todo", geo_zones=countries)["fulfillment_set"]
        prices = [{"currency_code": code, "amount": 8} for code in ("pen", "usd")]
        back = [{"attribute": "is_return", "operator": "eq", "value": "true"}]
        self.shipping, self.label = (
            api.post(
                "/admin/shipping-options", name=name,
                service_zone_id=made["service_zones"][0]["id"],
                shipping_profile_id=self.profile, provider_id="manual_manual", price_type="flat",
                type={"label": name, "description": name, "code": name}, prices=prices, rules=rules,
            )["shipping_option"]["id"]
            for name, rules in (("envio", []), ("etiqueta", back))
        )  # fmt: skip

    def _product(
        self, sku: str, title: str, price: str, of: dict[str, int] | None = None, **variant: Any
    ) -> None:
        """A price of each currency, and one of the region whose own prices have the tax within."""
        amount, (region, currency) = float(price), self.regions["cl"]
        prices: list[dict[str, Any]] = [
            {"currency_code": code, "amount": amount} for code in ("pen", "usd")
        ]
        rules = {"region_id": region}
        prices.append({"currency_code": currency, "amount": amount, "rules": rules})
        if of:
            variant["inventory_items"] = [
                {"inventory_item_id": self.items[part], "required_quantity": quantity}
                for part, quantity in of.items()
            ]
        variant |= {"title": "Default variant", "sku": sku, "prices": prices}
        made = self.api.post(
            "/admin/products?fields=*variants,*variants.inventory_items", title=title,
            status="published", options=[{"title": "T", "values": ["t"]}],
            variants=[variant | {"options": {"T": "t"}}], sales_channels=[{"id": self.channel}],
            shipping_profile_id=self.profile,
        )["product"]  # fmt: skip
        self.products[sku] = made["id"]
        self.variants[sku] = made["variants"][0]["id"]
        if not of and made["variants"][0]["inventory_items"]:
            self.items[sku] = made["variants"][0]["inventory_items"][0]["inventory_item_id"]

    # What a customer does

    def buy(self, lines: dict[str, int], country: str = "pe", code: str | None = None) -> str:
        """Somebody orders at the web shop, and has it paid; the order's id."""
        api, (region, _currency) = self.api, self.regions[country]
        address = {"country_code": country, "first_name": "A", "last_name": "B",
                   "address_1": "C 1", "city": "D", "postal_code": "1"}  # fmt: skip
        cart = api.post(
            "/store/carts", region_id=region, email="c@example.com", shipping_address=address
        )["cart"]["id"]
        for sku, quantity in lines.items():
            api.post(
                f"/store/carts/{cart}/line-items",
                variant_id=self.variants[sku],
                quantity=quantity,
            )
        if code:
            api.post(f"/store/carts/{cart}/promotions", promo_codes=[code])
        api.post(f"/store/carts/{cart}/shipping-methods", option_id=self.shipping)
        payment = api.post("/store/payment-collections", cart_id=cart)["payment_collection"]["id"]
        sessions = f"/store/payment-collections/{payment}/payment-sessions"
        api.post(sessions, provider_id="pp_system_default")
        made = api.post(f"/store/carts/{cart}/complete")["order"]
        self.lines[made["id"]] = {line["variant_sku"]: line["id"] for line in made["items"]}
        return str(made["id"])

    def write_out(self, lines: dict[str, int], title: str, quantity: int, price: int) -> str:
        """A clerk drafts an order, with a line of no product, and makes it one; the order's id."""
        variants = [
            {"variant_id": self.variants[sku], "quantity": number} for sku, number in lines.items()
        ]
        drafted = self.api.post(
            "/admin/draft-orders", email="c@example.com", region_id=self.regions["pe"][0],
            sales_channel_id=self.channel,
            shipping_address={"country_code": "pe", "address_1": "C 1"},
            items=[*variants, {"title": title, "quantity": quantity, "unit_price": price}],
            shipping_methods=[{"name": "envio", "shipping_option_id": self.shipping, "amount": 8}],
        )["draft_order"]["id"]  # fmt: skip
        made = self.api.post(f"/admin/draft-orders/{drafted}/convert-to-order")["order"]
        self.lines[drafted] = {
            line["variant_sku"] or line["title"]: line["id"] for line in made["items"]
        }
        return str(drafted)

    def order(self, order: str) -> Any:
        """The order as Medusa's API has it, with all the totals that it works out."""
        return self.api.get(f"/admin/orders/{order}")["order"]

    def some(self, order: str, quantities: dict[str, int]) -> list[dict[str, Any]]:
        """So many of each of its lines, as the API takes them."""
        return [{"id": self.lines[order][sku], "quantity": n} for sku, n in quantities.items()]

    # What the shop does with it

    def fulfil(self, order: str, lines: dict[str, int], place: str = "Tienda") -> str:
        """So many of each line are packed, and stock goes down; the fulfilment's id."""
        made = self.api.post(
            f"/admin/orders/{order}/fulfillments?fields=*fulfillments",
            items=self.some(order, lines),
            location_id=self.places[place],
        )["order"]["fulfillments"]
        # Their ids are in the order of their time.
        return str(max(fulfilment["id"] for fulfilment in made))

    def unpack(self, order: str, fulfilment: str) -> None:
        """A fulfilment is cancelled, and stock goes up."""
        self.api.post(f"/admin/orders/{order}/fulfillments/{fulfilment}/cancel")

    def ship(self, order: str, fulfilment: str, lines: dict[str, int]) -> None:
        """It leaves the house: nothing moves by that."""
        shipments = f"/admin/orders/{order}/fulfillments/{fulfilment}/shipments"
        self.api.post(shipments, items=self.some(order, lines))

    def ask_back(self, order: str, lines: dict[str, int], place: str = "Tienda") -> str:
        """A customer is to send something back, with a label for the parcel; the return's id."""
        api = self.api
        made = api.post("/admin/returns", order_id=order, location_id=self.places[place])
        number: str = made["return"]["id"]
        api.post(f"/admin/returns/{number}/request-items", items=self.some(order, lines))
        api.post(f"/admin/returns/{number}/shipping-method", shipping_option_id=self.label)
        api.post(f"/admin/returns/{number}/request")
        return number

    def receive_back(
        self, order: str, number: str, good: dict[str, int], broken: dict[str, int]
    ) -> None:
        """Some of it has come back."""
        api = self.api
        api.post(f"/admin/returns/{number}/receive")
        for what, lines in (("receive", good), ("dismiss", broken)):
            if lines:
                api.post(f"/admin/returns/{number}/{what}-items", items=self.some(order, lines))
        api.post(f"/admin/returns/{number}/receive/confirm")

    def edit(self, order: str, sku: str, **change: Any) -> None:
        """A line of an order gets another quantity or price."""
        self.api.post("/admin/order-edits", order_id=order)
        self.api.post(f"/admin/order-edits/{order}/items/item/{self.lines[order][sku]}", **change)
        self.api.post(f"/admin/order-edits/{order}/request")
        self.api.post(f"/admin/order-edits/{order}/confirm")

    def refund(self, order: str, amount: int) -> None:
        """Some of the money goes back, and no goods."""
        (payment,) = self.order(order)["payment_collections"][0]["payments"]
        self.api.post(f"/admin/payments/{payment['id']}/capture")
        self.api.post(f"/admin/payments/{payment['id']}/refund", amount=amount)

    # What somebody types in the page of the inventory

    def level(self, sku: str, place: str) -> int:
        """Medusa's own figure."""
        levels = f"/admin/inventory-items/{self.items[sku]}/location-levels?limit=100"
        (found,) = (
            row["stocked_quantity"]
            for row in self.api.get(levels)["inventory_levels"]
            if row["location_id"] == self.places[place]
        )
        return int(found)

    def type_in(self, sku: str, place: str, change: int) -> None:
        """A new figure over the old one: a receipt, breakage, a count."""
        level = f"/admin/inventory-items/{self.items[sku]}/location-levels/{self.places[place]}"
        self.api.post(level, stocked_quantity=self.level(sku, place) + change)
        self.by_hand.append((self.today, sku, place, change))

    def move(self, sku: str, source: str, target: str, quantity: int) -> None:
        """There is no transfer: two figures are typed."""
        self.type_in(sku, source, -quantity)
        self.type_in(sku, target, quantity)

    # The days

    def day(self, number: int, offset: int) -> None:
        """What happens so many days after the first, `offset` seconds from the real now."""
        self.today = number
        self.clock.write_text(str(offset))
        self.api.log_in()
        self._trade()
        for day, event in self._events():
            if day == number:
                event()

    def _trade(self) -> None:
        """Orders, and what was ordered before is packed."""
        chance = self.chance
        wanted = chance.sample(["A", "B", "K", "S"], chance.randint(1, 3))
        country = chance.choice(("pe", "pe", "cl"))
        code = chance.choice((None, "DIEZ", "SIETE"))
        lines = {sku: chance.randint(1, 5) for sku in wanted}
        order = self.buy(lines, country, code)
        place = chance.choice(("Tienda", "Deposito"))
        first = {sku: chance.randint(1, n) for sku, n in lines.items()}
        packed = self.fulfil(order, first, place)
        rest = {sku: n - first[sku] for sku, n in lines.items() if n > first[sku]}
        what = chance.randint(0, 5)
        if what == 0:
            self.unpack(order, packed)
        elif what == 1:
            self.ship(order, packed, first)
            sku = chance.choice(list(first))
            number = self.ask_back(order, {sku: first[sku]}, place if sku != "S" else "Tienda")
            self.receive_back(order, number, {sku: 1}, {})
            if first[sku] > 1:
                self.receive_back(order, number, {sku: first[sku] - 1}, {})
        elif what in (2, 3) and rest:
            self.fulfil(order, rest, chance.choice(("Tienda", "Deposito")))

    def _events(self) -> list[tuple[int, Callable[[], None]]]:
        return [
            (2, lambda: self.type_in("A", "Tienda", 40)),
            (3, lambda: self._refused()),
            (4, lambda: self.move("B", "Tienda", "Deposito", 25)),
            (5, lambda: self._cancelled()),
            (6, lambda: self._sweets()),
            (7, lambda: self.type_in("B", "Deposito", -3)),
            (8, lambda: self._abroad()),
            (9, lambda: self._edited()),
            (11, lambda: self._unpacked_later()),
            (12, lambda: self._broken()),
            (13, lambda: self._renamed()),
            (15, lambda: self._fair()),
            (17, lambda: self._of_no_variant()),
            (18, lambda: self._forgotten()),
            (21, lambda: self._deleted()),
            (23, lambda: self.type_in("A", "Deposito", 17)),
        ]

    def _refused(self) -> None:
        """More than was ordered cannot be packed; the try leaves a fulfilment all the same."""
        order = self.buy({"A": 2})
        try:
            self.fulfil(order, {"A": 3})
        except AssertionError as error:
            assert "exceeds the reserved quantity" in str(error)
            self.refused += 1

    def _sweets(self) -> None:
        self.fulfil(self.buy({"D": 3}), {"D": 3})

    def _cancelled(self) -> None:
        self.api.post(f"/admin/orders/{self.buy({'A': 2, 'K': 1})}/cancel")

    def _abroad(self) -> None:
        """In another currency."""
        self.abroad = self.buy({"B": 4}, "us")
        self.fulfil(self.abroad, {"B": 4})

    def _edited(self) -> None:
        """What was packed in part is modified, cheaper and fewer; some money goes back."""
        order = self.buy({"A": 5, "B": 4}, "cl", "DIEZ")
        self.fulfil(order, {"A": 2})
        self.refund(order, 5)
        self.edit(order, "A", quantity=4, unit_price=8.5)
        self.edit(order, "B", quantity=6)
        self.fulfil(order, {"A": 1, "B": 6})

    def _unpacked_later(self) -> None:
        """Packed a week ago, and cancelled today."""
        order = self.buy({"K": 2, "A": 3})
        self.clock.write_text(str(float(self.clock.read_text()) - 7 * 86400))
        packed = self.fulfil(order, {"K": 2, "A": 3})
        self.clock.write_text(str(float(self.clock.read_text()) + 7 * 86400))
        self.unpack(order, packed)

    def _broken(self) -> None:
        """Of four kits one comes back, and one broken."""
        order = self.buy({"K": 4}, "cl", "SIETE")
        self.fulfil(order, {"K": 4}, "Deposito")
        number = self.ask_back(order, {"K": 3}, "Deposito")
        self.receive_back(order, number, {"K": 1}, {"K": 1})

    def _renamed(self) -> None:
        self.api.post(f"/admin/products/{self.products['A']}", title="Arroz extra")
        self.api.post(f"/admin/stock-locations/{self.places['Deposito']}", name="Almacen")

    def _fair(self) -> None:
        """A place that is closed with what was left there, and a level that is removed."""
        self._place("Feria")
        for sku in ("A", "B"):
            levels = f"/admin/inventory-items/{self.items[sku]}/location-levels"
            self.api.post(levels, location_id=self.places["Feria"], stocked_quantity=12)
            self.by_hand.append((self.today, sku, "Feria", 12))
        self.type_in("B", "Feria", -12)
        self.api.delete(
            f"/admin/inventory-items/{self.items['B']}/location-levels/{self.places['Feria']}"
        )
        self.api.delete(f"/admin/stock-locations/{self.places['Feria']}")

    def _of_no_variant(self) -> None:
        """An embroidery is sold beside what it is on, and one of the two comes back."""
        order = self.write_out({"A": 2}, "Bordado", 2, 7)
        # What needs no shipping is packed apart.
        self.fulfil(order, {"A": 2})
        self.fulfil(order, {"Bordado": 2})
        number = self.ask_back(order, {"Bordado": 1})
        self.receive_back(order, number, {"Bordado": 1}, {})

    def _forgotten(self) -> None:
        """A product and a kit that holds it come back at once: Medusa brings one of them back."""
        order = self.buy({"A": 1, "K": 1})
        self.fulfil(order, {"A": 1, "K": 1})
        number = self.ask_back(order, {"A": 1, "K": 1})
        before = self.level("A", "Tienda")
        self.receive_back(order, number, {"A": 1, "K": 1}, {})
        self.forgotten[("A", "Tienda")] += 3 - (self.level("A", "Tienda") - before)

    def _deleted(self) -> None:
        """A product is deleted with its stock, of which nothing is reserved."""
        self.deleted = {place: self.level("D", place) for place in OPENING}
        self.api.delete(f"/admin/products/{self.products['D']}")

    # What Medusa says

    def stock(self) -> dict[Place, Decimal]:
        """Its own figure of each product at each place."""
        names = {number: name for name, number in self.places.items()}
        return {
            (sku, names[row["location_id"]]): Decimal(row["stocked_quantity"])
            for sku, item in self.items.items()
            if sku != "D" or not hasattr(self, "deleted")
            for row in self.api.get(
                f"/admin/inventory-items/{item}/location-levels?limit=100"
            )["inventory_levels"]
        }  # fmt: skip

    def net_sales(self) -> dict[str, Decimal]:
        """Of each order, net of tax and discounts, what was fulfilled and not brought back."""
        found = {}
        for order in map(self.order, self.lines):
            net = Decimal(0)
            for line in order["items"]:
                detail = line["detail"]
                gone = Decimal(detail["return_received_quantity"])
                gone += Decimal(detail["return_dismissed_quantity"])
                there = Decimal(line["quantity"]) - gone
                if there:
                    worth = Decimal(line["subtotal"]) - Decimal(line["discount_subtotal"])
                    net += worth / there * (Decimal(detail["fulfilled_quantity"]) - gone)
            found[f"#{order['display_id']}"] = net
        return found

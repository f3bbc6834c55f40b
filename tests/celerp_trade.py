"""A shop that trades in a real Celerp: run by its own Python, not by the tests'.

`celerp_trade.py postgresql://user:password@host:port/database folder` takes a request a line, as
JSON, and answers each with a line. All is asked of Celerp's own HTTP API, in this process; what was
sold, bought and lost stands in a book that is never read from Celerp's tables.
"""

from __future__ import annotations

import json
import logging
import os
import random
import subprocess
import sys
from collections import Counter
from decimal import Decimal
from pathlib import Path
from typing import Any

LOGIN = {"email": "a@example.com", "password": "only for this test 1"}
MODULES = ("contacts", "inventory", "docs", "accounting", "manufacturing")
TAX = [{"code": "IGV", "label": "IGV", "rate": 18}]
# SKU: unit, cost, price.
GOODS = {
    "A-1": ("piece", "4", "10"),
    "B-2": ("piece", "2.5", "3.33"),
    "C-3": ("kg", "7.35", "12.49"),
    "D-4": ("piece", "1", "2.5"),
}
CENT = Decimal("0.01")


def set_up(url: str, folder: Path) -> None:
    """Celerp's own tables and settings, made by Celerp, with the modules of a shop."""
    os.chdir(folder)  # where it puts what it keeps beside its database
    config = folder / "config.toml"
    os.environ["CELERP_CONFIG"] = str(config)
    if not config.exists():
        program = Path(sys.executable).with_name("celerp")
        # Of PostgreSQL's drivers it brings these two; a bare address asks for a third.
        address = url.replace("postgresql:", "postgresql+asyncpg:", 1)
        subprocess.run([program, "init", "--db-url", address, "--no-start", "-y"], check=True)
        named = ", ".join(f'"celerp-{name}"' for name in MODULES)
        text = config.read_text().replace("enabled = []", f"enabled = [{named}]")
        config.write_text(text)
    if "JWT_SECRET" not in os.environ:
        from celerp import cli

        # What `celerp start` gives its API; nobody supervises this one.
        environment = cli._config_to_env(cli._read_config())
        environment.pop("CELERP_SUPERVISED", None)
        os.execve(sys.executable, [sys.executable, *sys.argv], environment)


class Shop:
    """The API, as its owner."""

    def __init__(self, folder: Path) -> None:
        from celerp import main
        from celerp.modules import outcome
        from starlette.testclient import TestClient

        logging.disable(logging.INFO)
        self._client = TestClient(main.app, base_url="http://localhost:8000")
        self._client.__enter__()
        outcome._awaiting_ui = False  # There are no pages here that it could wait for.
        code = (folder / "setup-code").read_text().strip()
        signed = self.ask("POST", "/auth/register", company_name="Bodega", name="A",
                          setup_code=code, **LOGIN)  # fmt: skip
        self._client.headers["Authorization"] = "Bearer " + signed["access_token"]

    def ask(self, method: str, path: str, **body: Any) -> Any:
        """What it answers; anything but a success ends the script."""
        answer = self._client.request(method, path, json=body or None)
        if answer.status_code != 200:
            raise SystemExit(f"{method} {path} {body}: {answer.status_code} {answer.text}")
        return answer.json()

    def items(self) -> list[dict[str, Any]]:
        """All lots, whatever became of them."""
        found: list[dict[str, Any]] = []
        while True:
            page = self.ask("GET", f"/items?status=all&limit=200&offset={len(found)}")
            found += page["items"]
            if not page["items"] or len(found) >= page["total"]:
                return found

    def lines(self, document: str) -> list[dict[str, Any]]:
        """The lines of a document."""
        found: list[dict[str, Any]] = self.ask("GET", f"/docs/{document}")["line_items"]
        return found

    def ids(self, document: str) -> list[str]:
        """Their ids."""
        return [line["line_id"] for line in self.lines(document)]


class Trade:
    """The shop, its book, and what may happen on a day."""

    def __init__(self, shop: Shop) -> None:
        self.shop = shop
        self.chance = random.Random(42)
        self.stock: Counter[str] = Counter()  # in thousandths, so that they are exact
        self.sold: dict[str, Decimal] = {}  # net, by the document's number
        self.first: dict[str, str] = {}

    def prepare(self) -> None:
        """Two places, two contacts, and what there is at the beginning."""
        ask = self.shop.ask
        for item in self.shop.items():
            ask("POST", "/items/bulk/status", entity_ids=[item["id"]], status="archived")
            self.stock["DEMO-001"] = int(item["quantity"]) * 1000
        ask("PATCH", "/companies/me/books", currency="PEN")
        ask("POST", "/companies/me/locations", name="Norte", type="warehouse")
        places = ask("GET", "/companies/me/locations")["items"]
        self.places = {place["name"]: place["id"] for place in places}
        self.home, self.north = self.places["Head Office"], self.places["Norte"]
        self.vendor = ask("POST", "/crm/contacts", name="Molino", contact_type="vendor")["id"]
        self.buyer = ask("POST", "/crm/contacts", name="Rosa", contact_type="customer")["id"]
        for sku, (unit, cost, price) in GOODS.items():
            self.first[sku] = ask(
                "POST", "/items", sku=sku, name=f"Product {sku}", quantity=100, sell_by=unit,
                cost_price=float(cost), retail_price=float(price), status="available",
                location_id=self.home, category="Granos",
            )["id"]  # fmt: skip
            self.stock[sku] += 100_000

    # What a day brings

    def line(self, sku: str, quantity: float, price: str, **more: Any) -> dict[str, Any]:
        """A line of a document."""
        return {"item_id": self.first[sku], "sku": sku, "name": sku, "quantity": quantity,
                "unit_price": float(price), **more}  # fmt: skip

    def make(self, kind: str, lines: list[dict[str, Any]], **more: Any) -> str:
        """A document, issued; its id."""
        who = (
            (self.vendor, "Molino") if kind in ("bill", "purchase_order") else (self.buyer, "Rosa")
        )
        made: str = self.shop.ask("POST", "/docs", doc_type=kind, contact_id=who[0],
                                  contact_name=who[1], line_items=lines, **more)["id"]  # fmt: skip
        self.shop.ask("POST", f"/docs/{made}/finalize")
        return made

    def told(self, document: str, share: Decimal = Decimal(1)) -> None:
        """Into the book: what a document says of its goods, in the shop's money."""
        said = self.shop.ask("GET", f"/docs/{document}")
        rate = Decimal(str(said.get("conversion_rate") or 1))
        net = Decimal(str(said["subtotal"])) - Decimal(str(said["discount_amount"]))
        sign = -1 if said["doc_type"] == "credit_note" else 1
        number = said.get("doc_number") or said["ref_id"]
        self.sold[number] = self.sold.get(number, Decimal()) + sign * net * rate * share

    def some(self, sku: str) -> float:
        """So much of it as somebody may want."""
        if GOODS[sku][0] == "kg":
            return self.chance.randint(1, 2500) / 1000
        return float(self.chance.randint(1, 4))

    def moved(self, sku: str, quantity: float) -> None:
        """Into the book."""
        self.stock[sku] += round(quantity * 1000)

    def sell(self, **more: Any) -> str:
        """An invoice of a few lines, shipped at once."""
        lines = []
        for sku in self.chance.sample(list(GOODS), self.chance.randint(1, 3)):
            quantity = self.some(sku)
            price = str(Decimal(GOODS[sku][2]) + self.chance.randint(0, 40) * CENT)
            taxed = {"taxes": TAX} if self.chance.random() < 0.7 else {}
            lines.append(self.line(sku, quantity, price, **taxed))
            self.moved(sku, -quantity)
        invoice = self.make("invoice", lines, **more)
        self.shop.ask("POST", f"/docs/{invoice}/fulfill-lines", line_ids=self.shop.ids(invoice))
        self.told(invoice)
        return invoice

    def buy(self, kind: str, place: str) -> str:
        """A bill, or an order, received at a place."""
        sku = self.chance.choice(list(GOODS))
        cost = str(Decimal(GOODS[sku][1]) + self.chance.randint(-20, 20) * CENT)
        made = self.make(kind, [self.line(sku, 25, cost, receive_as="stock")])
        self.receive(made, sku, 25, place)
        return made

    def receive(self, document: str, sku: str, quantity: float, place: str) -> None:
        """What was ordered comes in."""
        (line,) = self.shop.ids(document)
        self.shop.ask(
            "POST", f"/docs/{document}/receive", location_id=place,
            received_items=[{"source_line_id": line, "item_id": self.first[sku], "sku": sku,
                             "name": sku, "quantity_received": quantity}],
        )  # fmt: skip
        self.moved(sku, quantity)

    def lot(self, sku: str, place: str, least: float = 5) -> dict[str, Any]:
        """The greatest lot of it at a place."""
        there = [
            lot for lot in self.shop.items()
            if lot["sku"] == sku and lot["status"] == "available"
            and lot.get("location_id") == place and lot["quantity"] >= least
        ]  # fmt: skip
        return max(there, key=lambda lot: float(lot["quantity"]))

    def on_approval(self) -> None:
        """Six go out on memo, two of them come back, and four are sold."""
        memo = self.make("memo", [self.line("B-2", 6, "3.5")])
        lines = self.shop.ids(memo)
        self.shop.ask("POST", f"/docs/{memo}/fulfill-lines", line_ids=lines)
        self.shop.ask(
            "POST", f"/docs/{memo}/revert-lines", line_ids=lines, quantities={lines[0]: 2}
        )
        invoice = self.shop.ask("POST", f"/docs/{memo}/convert")["target_doc_id"]
        self.shop.ask("POST", f"/docs/{invoice}/finalize")
        self.moved("B-2", -4)
        self.told(invoice)

    def bring_back(self, undo: bool) -> None:
        """Three are sold, one comes back for a credit, and perhaps it does not after all."""
        invoice = self.make("invoice", [self.line("A-1", 3, "9.95", taxes=TAX)])
        self.shop.ask("POST", f"/docs/{invoice}/fulfill-lines", line_ids=self.shop.ids(invoice))
        self.moved("A-1", -3)
        self.told(invoice)
        (line,) = self.shop.lines(invoice)
        credit = self.make(
            "credit_note",
            [{**self.line("A-1", 1, "9.95", source_line_id=line["line_id"]),
              "item_id": line["item_id"]}],
            original_doc_id=invoice,
        )  # fmt: skip
        back = f"/docs/{credit}/receive-return"
        self.shop.ask("POST", back, items=[{"sku": "A-1", "quantity": 1}])
        self.moved("A-1", 1)
        self.told(credit)
        if undo:
            self.shop.ask("DELETE", back)
            self.moved("A-1", -1)

    def take_back(self) -> None:
        """An invoice is shipped, taken back whole, and voided."""
        invoice = self.make(
            "invoice", [self.line("A-1", 2, "9.99"), self.line("C-3", 0.75, "12.5")]
        )
        lines = self.shop.ids(invoice)
        self.shop.ask("POST", f"/docs/{invoice}/fulfill-lines", line_ids=lines)
        self.shop.ask("POST", f"/docs/{invoice}/revert-lines", line_ids=lines)
        self.shop.ask("POST", f"/docs/{invoice}/void", reason="typed twice")

    def count(self, sku: str, place: str, differs: float) -> None:
        """A place is counted, and so much of it is there more than there should be."""
        lot = self.lot(sku, place)
        audit = self.shop.ask("POST", "/lists/audit", location_id=place)["id"]
        self.shop.ask("POST", f"/lists/{audit}/finalize")
        counted = round(float(lot["quantity"]) + differs, 3)
        self.shop.ask("PATCH", f"/lists/{audit}/line/{lot['id']}", counted_qty=counted)
        self.shop.ask("POST", f"/lists/{audit}/adjust")
        self.moved(sku, differs)

    def write_off(self, sku: str, quantity: float) -> None:
        """So much of a lot is spoilt."""
        lot = self.lot(sku, self.home)
        made = self.shop.ask("POST", "/lists/writeoff", entity_ids=[lot["id"]])["id"]
        (line,) = self.shop.ask("GET", f"/lists/{made}")["line_items"]
        self.shop.ask("POST", f"/lists/{made}/writeoff-line", line_id=line["line_id"],
                      qty_out=quantity, comment="wet")  # fmt: skip
        self.shop.ask("POST", f"/lists/{made}/finalize")
        self.shop.ask("POST", f"/lists/{made}/write-off")
        self.moved(sku, -quantity)

    def part(self, sku: str, quantity: int) -> tuple[str, str]:
        """A lot is split by hand, and the part moved; the lot and the part."""
        lot: str = self.lot(sku, self.home, quantity + 1)["id"]
        children = [{"sku": sku, "quantity": quantity}]
        made = self.shop.ask("POST", f"/items/{lot}/split", children=children)["children"]
        part: str = made[0]["id"]
        self.shop.ask("POST", f"/items/{part}/transfer", to_location_id=self.north)
        return lot, part

    def regroup(self) -> None:
        """A lot is split by hand, the part moved, brought home, and merged with the rest."""
        lot, part = self.part("D-4", 10)
        self.shop.ask("POST", f"/items/{part}/transfer", to_location_id=self.home)
        merged = {"source_entity_ids": [lot, part], "target_sku_from": lot}
        plan = self.shop.ask("POST", "/items/merge/preview", **merged)["plan_fingerprint"]
        made = self.shop.ask("POST", "/items/merge", plan_fingerprint=plan, **merged)
        self.first["D-4"] = made["id"]

    def drafts(self) -> None:
        """An item and an invoice are begun and thrown away."""
        draft = self.shop.ask(
            "POST", "/items", sku="E-5", name="Never", quantity=5, sell_by="piece"
        )
        self.shop.ask("POST", "/items/bulk/delete", entity_ids=[draft["id"]])
        lines = [self.line("A-1", 2, "9.99")]
        begun = self.shop.ask("POST", "/docs", doc_type="invoice", contact_id=self.buyer,
                              line_items=lines)["id"]  # fmt: skip
        self.shop.ask("DELETE", f"/docs/{begun}")

    def send_back(self) -> None:
        """Five of a receipt go back to the supplier."""
        bill = self.buy("bill", self.home)
        (line,) = self.shop.lines(bill)
        self.shop.ask("POST", f"/docs/{bill}/return-items",
                      lines=[{"line_id": line["line_id"], "quantity_returned": 5}])  # fmt: skip
        self.moved(line["sku"], -5)

    def unreceive(self) -> None:
        """A receipt that was none."""
        bill = self.buy("bill", self.north)
        (line,) = self.shop.lines(bill)
        self.shop.ask("DELETE", f"/docs/{bill}/receive")
        self.moved(line["sku"], -25)

    def rename(self) -> None:
        """A product gets another name, and a place."""
        new = {"name": {"old": "Product A-1", "new": "Arroz"}}
        self.shop.ask("PATCH", f"/items/{self.first['A-1']}", fields_changed=new)
        self.shop.ask("PATCH", f"/companies/me/locations/{self.north}", name="Almacen Norte")

    def day(self, number: int) -> None:
        """What happens on the day so many days after the first."""
        chance = self.chance
        discount = {0: {}, 1: {"discount": 0.37}, 2: {}}[number % 3]
        self.sell(**discount)
        if number % 4 == 1:
            self.buy("bill", chance.choice([self.home, self.north]))
        if number % 4 == 3:
            self.buy("purchase_order", self.home)
        events = {
            2: self.on_approval, 4: lambda: self.bring_back(False), 5: self.take_back,
            6: lambda: self.count("A-1", self.home, -2), 8: lambda: self.write_off("C-3", 1.25),
            9: self.regroup, 10: self.send_back, 11: self.unreceive, 12: self.rename,
            13: self.drafts, 14: lambda: self.count("C-3", self.home, 0.4),
            16: lambda: self.bring_back(True),
        }  # fmt: skip
        if number % 18 in events:
            events[number % 18]()
        if number % 7 == 6:
            self.part("D-4", 5)
            self.buy("bill", self.home)
        if number % 10 == 7:
            lot = self.lot("B-2", self.home, 1)
            self.shop.ask("POST", f"/items/{lot['id']}/adjust", new_qty=lot["quantity"] + 3)
            self.moved("B-2", 3)
        if number == 20:
            self.sell(currency="USD", conversion_rate=3.75)

    # What it is asked for

    def levels(self) -> list[tuple[str, str | None, float]]:
        """Celerp's own figure of each lot that it has: product, place, quantity."""
        return [
            (lot.get("catalog_item_id") or lot["id"], lot.get("location_id"), lot["quantity"])
            for lot in self.shop.items()
            if lot["status"] in ("available", "reserved", "memo_out", "archived") and (
                lot["status"] != "archived" or lot.get("inventory_on_books"))
        ]  # fmt: skip

    def book(self) -> dict[str, Any]:
        """What was traded, by SKU in thousandths, and net by document; the account of sales."""
        lines = self.shop.ask("GET", "/accounting/pnl")["revenue"]["lines"]
        (sales,) = [line["amount"] for line in lines if line["code"] == "4100"]
        return {"stock": self.stock, "sales": str(sales),
                "sold": {number: str(net) for number, net in self.sold.items()}}  # fmt: skip


def main() -> None:
    """Answer request by request until there are no more."""
    url, folder = sys.argv[1], Path(sys.argv[2])
    answers = os.fdopen(int(os.environ.setdefault("ANSWERS", str(os.dup(1)))), "w")
    os.set_inheritable(answers.fileno(), True)
    os.dup2(2, 1)  # whatever else is printed
    set_up(url, folder)
    trade = Trade(Shop(folder))
    for line in sys.stdin:
        name, *arguments = json.loads(line)
        answers.write(json.dumps(getattr(trade, name)(*arguments)) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()

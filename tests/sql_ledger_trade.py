"""A small shop that keeps its books in a real SQL-Ledger, by its pages, for six weeks.

It keeps a book of what it typed: the quantities, prices and rates of its documents, what is on the
shelf, and what SQL-Ledger makes of its own figure of stock. None of it is read from SQL-Ledger's
tables, but for the numbers of documents and lines.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from sql_ledger_pages import Clerk, Line

DAYS = 42
SUPPLIER, CUSTOMER, TAXED = "Supplier", "Customer", "Taxpayer"
TAX = Decimal("0.10")  # the first of the Default chart, within the prices of the taxed customer
RATE = Decimal("1.1735")
GOODS = {"RICE": "Rice", "OIL": "Oil", "BAG": "Bag", "TEA": "Tea"}
# What baskets (put together before) and sets (taken apart by the sale) are made of.
MADE = {"BASKET": {"RICE": 2, "BAG": 1}, "SET": {"OIL": 1, "BAG": 1}}


def rounded(amount: Decimal, places: int = 2) -> Decimal:
    """As SQL-Ledger rounds."""
    return amount.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)


class Trade:
    """The shop, its book, and what may happen on a day; today is the last.

    `numbers` tells of an invoice's number the id of the document and its lines, (id, part's id,
    whether it is a part of a set, and whether that one has the price of the whole, which SQL-Ledger
    gives to any), and `part_ids` each part's id.
    """

    def __init__(
        self,
        clerk: Clerk,
        today: date,
        numbers: Callable[[str], tuple[int, list[tuple[Any, ...]]]],
        part_ids: Callable[[], dict[str, int]],
    ) -> None:
        self.clerk, self.first = clerk, today - timedelta(days=DAYS - 1)
        self.numbers, self.part_ids = numbers, part_ids
        self.book: dict[int, dict[str, Any]] = {}
        self.parts: dict[str, int] = {}
        # What is there; and what SQL-Ledger says of it, since somebody typed that.
        self.shelf: dict[str, Decimal] = defaultdict(Decimal)
        self.typed: dict[str, Decimal] = defaultdict(Decimal)
        self.documents: dict[str, tuple[str, date, int, list[int]]] = {}
        self.issued = 0
        self.chance = random.Random(42)

    def prepare(self) -> None:
        """Who the shop deals with, and in what."""
        clerk = self.clerk
        clerk.add_party("vendor", SUPPLIER)
        clerk.add_party("customer", CUSTOMER)
        clerk.add_party("customer", TAXED, tax_2310="1", taxincluded="1")
        for number, name in GOODS.items():
            clerk.add_part("part", number, name)
        clerk.add_part("service", "FREIGHT", "Freight")
        clerk.add_part("part", "SPARE", "Spare")
        for kind, number in (("assembly", "BASKET"), ("kit", "SET")):
            parts = [(part, quantity, 0) for part, quantity in MADE[number].items()]
            clerk.add_part(kind, number, number.title(), parts)
        self.parts = self.part_ids()

    # The book

    def note(self, number: str, lines: Sequence[Line], rate: Decimal = Decimal(1),
             discount: int = 0, taxed: bool = False) -> None:  # fmt: skip
        """What a document says now, in the place of what it said before."""
        page, day, sign, old = self.documents.get(number, ("", date.min, 1, []))
        for line in old:
            self.leave(self.book.pop(line), -1)
        document, found = self.numbers(number)
        names = {part: name for name, part in self.parts.items()}
        said = {part: (Decimal(quantity), Decimal(price)) for part, quantity, price in lines}
        kept, lost = [], Decimal(0)
        for line, part, of_a_set, dear in found:
            name, amount, each = names[part], Decimal(0), Decimal(0)
            if of_a_set:
                (made,) = [made for made in MADE if made in said]
                quantity = said[made][0] * MADE[made][name]
                if made == "SET" and dear:
                    each, amount = said[made][1], said[made][0] * said[made][1]
            else:
                quantity, price = said[name]
                places = max(2, len(str(price).partition(".")[2]))
                off = rounded(price * discount / 100, places) if name == lines[0][0] else 0
                amount = rounded(rounded((price - off) * quantity) * rate)
                lost += rounded((price - off) * quantity) * rate - amount
                tax = amount * TAX / (1 + TAX) if taxed else Decimal(0)
                each = rounded((price - off - tax / quantity) * rate, places)
                amount = Decimal(0) if name == "SET" else amount - rounded(tax)
            sale = page == "is"
            self.book[line] = {
                "id_movimiento": line, "tipo": "VENTA" if sale else "ENTRADA_MERCANCIA",
                "id_producto": part, "fecha": day, "documento": number, "id_documento": document,
                "cantidad": sign * quantity, "importe": sign * amount,
                "precio_unitario" if sale else "costo_unitario": each,
            }  # fmt: skip
            self.leave(self.book[line], 1)
            kept.append(line)
        if rate != 1 and rounded(lost):  # what rounding lost in all is on the greatest line
            largest = max((self.book[line] for line in kept), key=lambda said: said["importe"])
            largest["importe"] += rounded(lost)
        self.documents[number] = (page, day, sign, kept)

    def leave(self, said: dict[str, Any], times: int) -> None:
        """What a line says leaves the shelf or comes to it."""
        (name,) = [name for name, part in self.parts.items() if part == said["id_producto"]]
        if name in GOODS:
            moved = said["cantidad"] if said["tipo"] == "ENTRADA_MERCANCIA" else -said["cantidad"]
            self.shelf[name] += moved * times

    # What happens

    def post(self, page: str, kind: str, party: str, day: date, lines: Sequence[Line],
             rate: Decimal | None = None, discount: int = 0) -> str:  # fmt: skip
        """An invoice, in euros where there is a rate; the discount is that of its first line."""
        self.issued += 1
        number = f"{page}-{self.issued}"
        fields = {"discount_1": str(discount)} if discount else {}
        if rate:
            fields |= {"currency": "EUR", "exchangerate": str(rate)}
        self.clerk.post(page, kind, party, day, number, lines, **fields)
        self.documents[number] = (page, day, 1 if kind == "invoice" else -1, [])
        self.note(number, lines, rate or Decimal(1), discount, party == TAXED)
        return number

    def buy(self, day: date, lines: Sequence[Line], rate: Decimal | None = None) -> str:
        """A supplier's invoice."""
        return self.post("ir", "invoice", SUPPLIER, day, lines, rate)

    def sell(self, day: date, lines: Sequence[Line], **more: Any) -> str:
        """A customer's invoice."""
        return self.post("is", "invoice", more.pop("party", CUSTOMER), day, lines, **more)

    def correct(self, number: str, lines: Sequence[Line]) -> None:
        """A posted invoice is opened, typed over, and posted again."""
        document, _lines = self.numbers(number)
        self.clerk.post_again(number.partition("-")[0], document, lines)
        self.note(number, lines)

    def delete(self, number: str) -> None:
        """A posted invoice is deleted."""
        document, _lines = self.numbers(number)
        self.clerk.delete(number.partition("-")[0], document)
        for line in self.documents.pop(number)[3]:
            self.leave(self.book.pop(line), -1)

    def type_stock(self, part: str, more: int) -> None:
        """Somebody types a figure over what SQL-Ledger has, which nothing else tells."""
        self.typed[part] += more
        made = sum(MADE["BASKET"].get(part, 0) * kits for kits in [self.shelf["BASKET"]])
        self.clerk.type_stock(part, int(self.shelf[part] + self.typed[part] - made))

    def day(self, number: int) -> None:
        """What happens on the day so many days after the first."""
        day, chance = self.first + timedelta(days=number), self.chance
        if number % 7 == 0:
            last = self.buy(day, [("RICE", 40, f"2.{chance.randint(10, 99)}"), ("OIL", 30, "6.333"),
                                  ("BAG", 60, f"0.{chance.randint(10, 40)}")],
                            RATE if number == 14 else None)  # fmt: skip
            if number == 21:  # before any window saw it
                self.correct(last, [("RICE", 38, "2.20"), ("BAG", 60, "0.25"), ("OIL", 30, "6.3")])
        if number == 1:
            self.tea = self.buy(day, [("TEA", 12, "3.10"), ("FREIGHT", 1, "9.00")])
        if number % 3 == 1:
            sold = self.sell(
                day, [("RICE", chance.randint(1, 6), "4.504"), ("OIL", chance.randint(1, 3), "9")],
                discount=10 if number % 2 else 0,
            )  # fmt: skip
            if number in (10, 28):
                self.kept = sold
        if number % 6 == 4:
            self.sell(day, [("BAG", chance.randint(1, 9), "1.05")], party=TAXED)
        if number % 10 == 6:
            self.sell(day, [("RICE", 3, "3.333"), ("FREIGHT", 1, "7.00"), ("TEA", 1, "6.00")],
                      rate=RATE)  # fmt: skip
        if number in (9, 24):
            self.post("is", "credit_invoice", CUSTOMER, day, [("RICE", 1, "4.50")])
        if number == 12:
            self.post("ir", "debit_invoice", SUPPLIER, day, [("OIL", 2, "6.33")])
        if number in (12, 30):  # after a window
            self.correct(self.kept, [("OIL", 2, "9.50"), ("RICE", 1, "4.00"), ("TEA", 1, "6.00")])
        if number in (18, 31):  # after the next, and before it
            self.correct(self.kept, [("RICE", 2, "4.00")])
        if number == 17:
            self.delete(self.sell(day, [("TEA", 1, "6.00")]))
            self.type_stock("BAG", -4)
        if number == 20:
            self.clerk.change_part(self.parts["OIL"], description="Olive oil")
            self.correct(self.tea, [("TEA", 12, "3.30"), ("FREIGHT", 1, "9.00")])
        if number == 22:
            self.clerk.put_together("BASKET", 3)
            self.shelf["BASKET"] += 3
        if number in (23, 31):
            self.sell(day, [("BASKET", 2, "15.00")])  # the last of them before it is there
            self.shelf["BASKET"] -= 2
            self.sell(day, [("SET", 2, "11.00")])
        if number == 36:
            self.clerk.change_part(self.parts["TEA"], obsolete="1")
            self.clerk.delete_part(self.parts["SPARE"])

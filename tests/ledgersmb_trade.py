"""A small shop that keeps its books in a real LedgerSMB, by its pages, for six weeks.

It keeps a book of what it typed: the quantities, prices and rates of its documents, what is on the
shelf, and what LedgerSMB makes of its own figure of stock. None of it is read from LedgerSMB's
tables, but for the numbers of the lines.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from ledgersmb_pages import Clerk, Line
from web_pages import Fields

DAYS = 42
SUPPLIER, CUSTOMER, TAXED = "Supplier", "Customer", "Taxpayer"
TAX = Decimal("0.05")  # of General.sql, within the prices of the taxed customer
RATE = Decimal("1.1735")
GOODS = {"RICE": "Rice", "OIL": "Oil", "BAG": "Bag", "TEA": "Tea"}
KIT = {"RICE": 2, "BAG": 1}


def cents(amount: Decimal, places: int = 2) -> Decimal:
    """As LedgerSMB rounds money."""
    return amount.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)


class Trade:
    """The shop, its book, and what may happen on a day; today is the last.

    `numbers` tells the lines of a document, (part, line), which no page shows of counts and kits,
    and `credited` what it took off the account of goods.
    """

    def __init__(
        self,
        clerk: Clerk,
        today: date,
        numbers: Callable[[str], list[tuple[int, int]]],
        credited: Callable[[str], Decimal],
    ) -> None:
        self.clerk, self.first = clerk, today - timedelta(days=DAYS - 1)
        self.numbers, self.credited = numbers, credited
        self.book: dict[int, dict[str, Any]] = {}
        self.parts: dict[str, int] = {}
        # What is there; what LedgerSMB says is there; what its drafts have moved of that.
        self.shelf: dict[str, Decimal] = defaultdict(Decimal)
        self.theirs: dict[str, Decimal] = defaultdict(Decimal)
        self.drafts: dict[str, Decimal] = defaultdict(Decimal)
        self.counted: dict[str, date] = {}
        self.counts = 0
        # All lines of invoices, drafts as well: (day, part, what it moves).
        self.moved: list[tuple[date, str, Decimal]] = []
        self.sales: list[tuple[date, Fields, Sequence[Line], list[int]]] = []
        self.waiting: list[tuple[date, Fields, Sequence[Line]]] = []
        self.chance = random.Random(42)

    def prepare(self) -> None:
        """Who the shop deals with, and in what."""
        clerk = self.clerk
        clerk.add_party(1, SUPPLIER)
        clerk.add_party(2, CUSTOMER)
        clerk.add_party(2, TAXED, taxact_41="41", taxincluded="1")
        for number, name in GOODS.items():
            self.parts[number] = clerk.add_part("part", number, name)
        self.parts["FREIGHT"] = clerk.add_part("service", "FREIGHT", "Freight")
        self.parts["CUP"] = clerk.add_part("part", "CUP", "Cup")
        parts = [(number, quantity, 0) for number, quantity in KIT.items()]
        self.parts["BASKET"] = clerk.add_part("assembly", "BASKET", "Basket", parts)

    # The book

    def note(self, line: int, tipo: str, part: str, day: date, document: str, **more: Any) -> None:
        """What a line says, under its number."""
        self.book[line] = {
            "id_movimiento": line, "tipo": tipo, "id_producto": self.parts[part], "fecha": day,
            "documento": document, **more,
        }  # fmt: skip

    def move(self, part: str, day: date, quantity: Decimal) -> None:
        """Goods come or go; what is dated before the last count is in that count already."""
        if part == "FREIGHT":
            return
        self.theirs[part] += quantity
        if day > self.counted.get(part, date.min):
            self.shelf[part] += quantity

    def note_lines(self, page: str, form: Fields, day: date, lines: Sequence[Line], sign: int,
                   origins: Sequence[int] = (), rate: Decimal = Decimal(1),
                   taxed: bool = False) -> list[int]:  # fmt: skip
        """An approved invoice of sales or purchases, in the book; the numbers of its lines."""
        ids = []
        for n, (part, quantity, price) in enumerate(lines, 1):
            count, each = Decimal(quantity) * sign, Decimal(price)
            # A price that is typed is kept with two places, one that is shown again with its own.
            places = len(str(price).partition(".")[2]) if origins else 2
            each -= cents(each * Decimal(form.get(f"discount_{n}") or 0) / 100, places)
            amount = cents(each * count * rate)
            if taxed:
                tax = amount * TAX / (1 + TAX)
                amount, each = amount - cents(tax), each - tax / count
            name = "precio_unitario" if page == "is" else "costo_unitario"
            more = {"cantidad": count, "importe": amount, name: cents(each * rate, places)}
            tipo = "VENTA" if page == "is" else "ENTRADA_MERCANCIA"
            ids.append(int(form[f"invoice_id_{n}"]))
            if origins:
                more["id_origen"] = origins[n - 1]
            self.note(ids[-1], tipo, part, day, form["invnumber"], **more)
            self.move(part, day, -count if page == "is" else count)
        return ids

    # What happens

    def post(self, page: str, kind: str, party: str, day: date, lines: Sequence[Line],
             **fields: str) -> Fields:  # fmt: skip
        """A draft: LedgerSMB's figure of stock has moved, and nothing else."""
        form = self.clerk.post(page, kind, party, day.isoformat(), lines, **fields)
        sign = (-1 if page == "is" else 1) * (1 if kind == "invoice" else -1)
        self.moved += [(day, part, sign * Decimal(quantity)) for part, quantity, _price in lines]
        return form

    def buy(self, day: date, lines: Sequence[Line], rate: Decimal | None = None) -> None:
        """A supplier's invoice, in euros where there is a rate."""
        fields = {"currency": "EUR", "exchangerate": str(rate)} if rate else {}
        form = self.clerk.approve("ir", self.post("ir", "invoice", SUPPLIER, day, lines, **fields))
        self.note_lines("ir", form, day, lines, 1, rate=rate or Decimal(1))

    def sell(self, day: date, lines: Sequence[Line], party: str = CUSTOMER, **fields: str) -> None:
        """A customer's invoice."""
        form = self.clerk.approve("is", self.post("is", "invoice", party, day, lines, **fields))
        rate = Decimal(fields.get("exchangerate", 1))
        ids = self.note_lines("is", form, day, lines, 1, rate=rate, taxed=party == TAXED)
        self.sales.append((day, form, lines, ids))

    def credit(self, day: date, lines: Sequence[Line]) -> None:
        """A customer brings something back."""
        form = self.post("is", "credit_invoice", CUSTOMER, day, lines)
        self.note_lines("is", self.clerk.approve("is", form), day, lines, -1)

    def send_back(self, day: date, lines: Sequence[Line]) -> None:
        """Something goes back to the supplier."""
        form = self.post("ir", "debit_invoice", SUPPLIER, day, lines)
        self.note_lines("ir", self.clerk.approve("ir", form), day, lines, -1)

    def void(self, back: int) -> None:
        """The last sale but so many is voided: a second document takes it back, under its day."""
        day, form, lines, ids = self.sales.pop(-1 - back)
        self.moved += [(day, part, Decimal(quantity)) for part, quantity, _price in lines]
        form = self.clerk.approve("is", self.clerk.void("is", form))
        self.note_lines("is", form, day, lines, -1, origins=ids)

    def draft(self, day: date, lines: Sequence[Line]) -> None:
        """A sale that nobody approves yet."""
        form = self.post("is", "invoice", CUSTOMER, day, lines)
        self.waiting.append((day, form, lines))
        for part, quantity, _price in lines:
            self.drafts[part] -= Decimal(quantity)

    def approve_draft(self) -> None:
        """The oldest draft counts from now on, under its own day."""
        day, form, lines = self.waiting.pop(0)
        for part, quantity, _price in lines:
            self.drafts[part] += Decimal(quantity)
        self.note_lines("is", self.clerk.approve("is", form), day, lines, 1)

    def count(self, day: date, found: dict[str, int]) -> None:
        """So many more or fewer are there than should be. LedgerSMB sets the count against what it
        expects: the invoices until that day, drafts too, and no earlier count."""
        counted = {part: self.shelf[part] + more for part, more in found.items()}
        self.clerk.count(day.isoformat(), counted)
        self.counts += 1
        self.clerk.approve_count(self.counts)
        reference = f"invadj-{self.counts}"
        lines = dict(self.numbers(reference))
        for part, quantity in counted.items():
            expected = sum(q for moved, name, q in self.moved if name == part and moved <= day)
            self.theirs[part] += quantity - expected
            self.shelf[part], self.counted[part] = quantity, day
            line = lines[self.parts[part]]
            self.note(line, "CONTEO", part, day, reference, cantidad=quantity)

    def put_together(self, day: date, kits: int) -> None:
        """So many baskets are made of what is there; they cost what LedgerSMB takes for it."""
        self.clerk.stock_kits("BASKET", kits)
        cost = self.credited("mfg-1") / kits
        for part, line in self.numbers("mfg-1"):
            name = next(name for name, number in self.parts.items() if number == part)
            if name == "BASKET":
                more = {"cantidad": Decimal(kits), "costo_unitario": cost}
                self.note(line, "AJUSTE_ENTRADA", name, day, "mfg-1", **more)
                self.move(name, day, Decimal(kits))
            else:
                quantity = Decimal(kits * KIT[name])
                self.note(line, "AJUSTE_SALIDA", name, day, "mfg-1", cantidad=quantity)
                self.move(name, day, -quantity)

    def day(self, number: int) -> None:
        """What happens on the day so many days after the first."""
        day, chance = self.first + timedelta(days=number), self.chance
        if number % 7 == 0:
            self.buy(day, [("RICE", 40, f"2.{chance.randint(10, 99)}"), ("OIL", 30, "6.333"),
                           ("BAG", 60, f"0.{chance.randint(10, 40)}"), ("FREIGHT", 1, "12.00")],
                     RATE if number == 14 else None)  # fmt: skip
        if number == 1:
            self.buy(day, [("TEA", 12, "3.10")])
        if number % 2:
            self.sell(day, [("RICE", chance.randint(1, 6), "4.50"),
                            ("OIL", chance.randint(1, 3), "9.999")], discount_2="10")  # fmt: skip
        if number % 6 == 4:
            self.sell(day, [("BAG", chance.randint(1, 9), "1.05")], TAXED)
        if number % 10 == 6:
            self.sell(day, [("RICE", 3, "3.333"), ("FREIGHT", 1, "7.00"), ("TEA", 1, "6.00")],
                      currency="EUR", exchangerate=str(RATE))  # fmt: skip
        if number in (9, 24):
            self.credit(day, [("RICE", 1, "4.50"), ("OIL", 1, "9.00")])
        if number == 12:
            self.send_back(day, [("OIL", 2, "6.333")])
        if number == 16:
            self.count(day, {"RICE": -2, "OIL": 1})
        if number == 18:
            self.draft(day, [("RICE", 2, "4.00"), ("TEA", 1, "6.00")])
        if number == 20:
            self.clerk.change_part(self.parts["OIL"], description="Olive oil")
        if number == 22:  # of before the count, of which rice and oil are counted
            self.void(6)
        if number == 26:  # of after it
            self.void(1)
        if number == 27:
            self.approve_draft()
        if number == 30:
            self.count(day, {"RICE": -1})
        if number == 33:
            self.draft(day, [("OIL", 3, "9.00")])
        if number == 36:
            self.clerk.change_part(self.parts["CUP"], obsolete="1")  # refused with stock
        if number == DAYS - 1:
            self.buy(day, [("RICE", 20, "2.50"), ("BAG", 20, "0.20")])
            self.put_together(day, 3)
            self.sell(day, [("BASKET", 1, "15.00")])

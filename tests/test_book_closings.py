"""The book and closings: what was closed stays, and what corrects it is told and foots."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, NamedTuple

import pytest
from shop_database import Shop
from test_book import book, folder_of, number, refused, rows_of
from test_kardex_command import BEGINNING, DAY, Page, figure, show, trade_all

ZERO = Decimal(0)
MARCH = ("--desde=2026-03-01", "--hasta=2026-03-31")
APRIL = ("--desde=2026-04-01", "--hasta=2026-04-30")


class Held:
    """The moving average, by the book: in units, value and average, rounded to six decimals."""

    def __init__(self) -> None:
        self.units, self.value, self.average = ZERO, ZERO, ZERO

    def enters(self, units: Decimal, cost: Decimal) -> Decimal:
        """What came, or what had left and comes back, at what it cost."""
        self.units, self.value = self.units + units, self.value + cost
        self.average = six(self.value / self.units)
        return cost

    def leaves(self, units: Decimal, cost: Decimal) -> Decimal:
        """What had come and goes back, at what it had cost."""
        return -self.enters(-units, -cost)

    def is_sold(self, units: Decimal) -> Decimal:
        """What leaves at the average; its cost."""
        before = self.value
        self.units -= units
        self.value = six(self.units * self.average)
        return before - self.value


class Expected(NamedTuple):
    """A line of April: of which movement, how and of when; units and cost on its side."""

    number: int
    asiento: str
    document: date
    operation: str
    entry: tuple[Decimal, Decimal] | None
    exit: tuple[Decimal, Decimal] | None
    after: tuple[Decimal, Decimal, Decimal]


def six(number: Decimal) -> Decimal:
    return number.quantize(Decimal("0.000001"), ROUND_HALF_UP)


def correct_march(shop: Shop) -> list[Expected]:
    """March is closed; then a sale is corrected, a receipt and a transfer voided, one comes late.

    What April must show: its five corrections, a transfer of two lines, and a sale of its own.
    """
    shop.env["ETL_INITIAL_SINCE"] = "2026-03-01"
    shop.product(1, codigo="SKU-1")
    shop.branch(3)
    (bought,) = shop.receipt(BEGINNING, (1, 10, 5))
    (sold,) = shop.sale(BEGINNING + 4 * DAY, (1, 4, 9))
    (voided,) = shop.receipt(BEGINNING + 7 * DAY, (1, 6, 8))
    shop.sale(BEGINNING + 9 * DAY, (1, 3, 9))
    moved = shop.movement("TRASLADO", BEGINNING + 11 * DAY, 1, 2, id_sucursal_destino=3)
    shop.run_in_process()
    assert bought
    shop.succeed("close", "2026-03-31")
    shop.correct_line(sold, cantidad=5)
    for document in (voided, moved):
        shop.correct_document(document, anulada=True)
    (late,) = shop.receipt(BEGINNING + 19 * DAY, (1, 2, 7))
    (last,) = shop.sale(BEGINNING + 40 * DAY, (1, 1, 9))
    shop.run_in_process()

    held = Held()
    held.enters(Decimal(10), Decimal(50))
    cost = held.is_sold(Decimal(4))
    held.enters(Decimal(6), Decimal(48))
    held.is_sold(Decimal(3))
    found: list[Expected] = []

    def add(
        number: int, asiento: str, day: int, operation: str, side: str, units: int, cost: Decimal
    ) -> None:
        amounts = (Decimal(units), cost)
        found.append(
            Expected(
                *(number, asiento, (BEGINNING + day * DAY).date(), operation),
                *((amounts, None) if side == "entry" else (None, amounts)),
                (held.units, held.average, held.value),
            )
        )

    held.enters(Decimal(4), cost)
    add(sold, "reverso", 4, "01", "exit", -4, -cost)
    add(sold, "corrección", 4, "01", "exit", 5, held.is_sold(Decimal(5)))
    held.leaves(Decimal(6), Decimal(48))
    add(voided, "reverso", 7, "02", "entry", -6, Decimal(-48))
    # At the average of now, and of the two only the second leaves things as they were.
    there = six(2 * held.average)
    here = (held.units, held.average, held.value)
    add(moved, "reverso", 11, "11", "exit", -2, -there)
    found[-1] = found[-1]._replace(after=(held.units + 2, held.average, held.value + there))
    add(moved, "reverso", 11, "21", "entry", -2, -there)
    assert found[-1].after == here
    held.enters(Decimal(2), Decimal(14))
    add(late, "tarde", 19, "02", "entry", 2, Decimal(14))
    add(last, "", 40, "01", "exit", 1, held.is_sold(Decimal(1)))
    return found


def sums_of(lines: list[Expected]) -> tuple[Decimal, ...]:
    """Units and cost of the entries, and of the exits."""
    return tuple(
        sum((side[at] for line in lines if (side := getattr(line, name))), ZERO)
        for name in ("entry", "exit")
        for at in (0, 1)
    )


def amounts_of(row: dict[str, str], side: str) -> tuple[Decimal, Decimal] | None:
    if row[f"{side}_costo_total"] == "":
        assert row[f"{side}_cantidad"] == ""
        return None
    return Decimal(row[f"{side}_cantidad"]), Decimal(row[f"{side}_costo_total"])


def as_expected(rows: list[dict[str, str]]) -> Iterator[Expected]:
    for row in rows:
        names = ("saldo_cantidad", "saldo_costo_unitario", "saldo_costo_total")
        yield Expected(
            *(int(row["numero"]), row["asiento"], date.fromisoformat(row["fecha_emision"])),
            row["tipo_operacion"],
            *(amounts_of(row, side) for side in ("entrada", "salida")),
            (Decimal(row[names[0]]), Decimal(row[names[1]]), Decimal(row[names[2]])),
        )


def test_what_corrects_a_closed_month_is_told_and_foots(shop: Shop):
    expected = correct_march(shop)
    opening, *lines = rows_of(shop.succeed("kardex", "SKU-1", "--csv", *APRIL).stdout)
    assert list(as_expected(lines)) == expected
    assert [row["fecha_asiento"] for row in lines] == ["2026-04-01"] * 6 + ["2026-04-10"]
    # A transfer goes back to where it came from.
    assert [row["establecimiento"] for row in lines[3:5]] == ["Sin sucursal", "Sucursal 3"]
    assert not any("-0.000000" in row.values() for row in lines)
    # The unit cost is that of the row that is undone.
    assert [Decimal(lines[at]["salida_costo_unitario"]) for at in (0,)] == [5]
    assert Decimal(lines[2]["entrada_costo_unitario"]) == 8
    entered, entry_cost, left, exit_cost = sums_of(expected)
    assert Decimal(opening["saldo_cantidad"]) + entered - left == expected[-1].after[0]
    assert Decimal(opening["saldo_costo_total"]) + entry_cost - exit_cost == expected[-1].after[2]

    shown = show(shop, "SKU-1", *APRIL)
    totals = [Decimal(cell) for cell in shown["totals"].values()]
    assert totals == [entered, entry_cost, left, exit_cost, 0]
    assert [(m["capa"], m["reverso"], m["asiento"]) for m in shown["movements"]] == [
        (1, True, "reverso"),
        (2, False, "corrección"),
        (1, True, "reverso"),
        (1, True, "reverso"),
        (0, False, "tarde"),
        (0, False, ""),
    ]
    for movement, line in zip(shown["movements"][:3], expected, strict=False):
        assert movement["fecha"].startswith("2026-04-01T00:00:00")
        assert movement["fecha_documento"].startswith(f"{line.document}T12:00:00")

    text = shop.succeed("kardex", "SKU-1", *APRIL).stdout.splitlines()
    assert [line[:10] for line in text if "VENTA" in line or "ENTRADA" in line] == [
        *["2026-04-01"] * 4,
        "2026-04-10",
    ]
    for told in (
        "VENTA (reverso, del 2026-03-05)",
        "VENTA (corrección, del 2026-03-05)",
        "ENTRADA_MERCANCIA (reverso, del 2026-03-08)",
        "ENTRADA_MERCANCIA (tarde, del 2026-03-20)",
    ):
        assert sum(told in line for line in text) == 1, told
    # Nothing of it in what was closed.
    assert "(" not in shop.succeed("kardex", "SKU-1", *MARCH).stdout.partition("\n\n")[2]


def test_the_page_tells_it_too(shop: Shop):
    expected = correct_march(shop)
    for language, told, note in (
        ("es", "Venta (reverso, asentado el 01/04/2026)", "Un reverso"),
        ("en", "Sale (reversal, booked on 2026-04-01)", "A reversal"),
    ):
        for text in (
            shop.succeed("kardex", "SKU-1", "--html", *APRIL, ETL_LANG=language).stdout,
            book(shop, "2026-04", ETL_LANG=language)["kardex-2026-04.html"],
        ):
            page = Page(text)
            assert note in page.text and "{" not in page.text.partition("</style>")[2]
            rows = [row for row in page.rows if row and row[0] and row[3].isdigit()][:7]
            assert [int(row[3]) for row in rows] == [line.number for line in expected]
            assert rows[0][4] == f"01 {told}"
            assert rows[6][4] in ("01 Venta", "01 Sale")
            days = [f"{line.document:%d/%m/%Y}" for line in expected]
            if language == "es":
                assert [row[0] for row in rows] == days
                for row, line in zip(rows, expected, strict=True):
                    assert figure(row[7]) == (line.entry and line.entry[1])
                    assert figure(row[10]) == (line.exit and line.exit[1])
        closed = shop.succeed("kardex", "SKU-1", "--html", *MARCH, ETL_LANG=language).stdout
        assert note not in closed


def test_the_totals_are_those_of_the_closing(shop: Shop):
    expected = correct_march(shop)
    (march,) = shop.olap_rows("SELECT * FROM dw.cierre")
    files = book(shop, "2026-03", ETL_LANG="es") | book(shop, "2026-04", ETL_LANG="es")
    total = rows_of(files["kardex-2026-03-totales.csv"])[-1]
    assert (total["cierre"], total["huella"]) == ("2026-03-31", march["huella"])
    assert (number(total["movimientos"]), number(total["saldo_final_cantidad"])) == (5, 9)
    assert number(total["saldo_final_costo_total"]) == march["valor"] == Decimal("58.5")
    page = files["kardex-2026-03.html"]
    assert f"<dt>Cierre</dt><dd>31/03/2026, huella {march['huella']}" in page
    assert "Como en el cierre del 31/03/2026: existencias 9, valor 58,50, movimientos 5" in page
    total = rows_of(files["kardex-2026-04-totales.csv"])[-1]
    assert (total["cierre"], total["huella"], total["movimientos"]) == ("abierto", "", "6")
    assert [number(cell) for cell in list(total.values())[4:8]] == list(sums_of(expected))
    assert "Aún abierto" in files["kardex-2026-04.html"]
    output = f"--output={folder_of(shop)}"
    assert (
        "still open: what comes late changes it" in shop.succeed("book", "2026-04", output).stdout
    )

    shop.succeed("close", "2026-04-30")
    told = shop.succeed("book", "2026-04", output).stdout
    (april,) = shop.olap_rows("SELECT * FROM dw.cierre WHERE dia = '2026-04-30'")
    assert april["movimientos"] == 6
    assert f"closed by the closing of 2026-04-30, huella {april['huella']}" in told.splitlines()
    done = json.loads(shop.succeed("book", "2026-04", output, "--json").stdout)
    assert done["closing"] == {"day": "2026-04-30", "huella": april["huella"]}
    assert done["totals"]["closing_value"] == f"{april['valor']:.6f}"
    # What was closed is what it was.
    again = book(shop, "2026-03", ETL_LANG="es")
    assert again["kardex-2026-03.csv"] == files["kardex-2026-03.csv"]
    for name in ("totales", "sucursales"):
        assert again[f"kardex-2026-03-{name}.csv"] == files[f"kardex-2026-03-{name}.csv"]


@pytest.mark.one_postgres
@pytest.mark.parametrize(
    ("column", "told"),
    [
        ("movimientos", "movements 5 instead of 6"),
        ("existencias", "stock 9.000000 instead of 10.000000"),
        ("valor", "value 58.500000 instead of 59.500000"),
    ],
)
def test_a_book_that_is_not_what_was_closed_is_one_line(shop: Shop, column: str, told: str):
    correct_march(shop)
    shop.olap.cursor().execute(f"UPDATE dw.cierre SET {column} = {column} + 1")
    said = refused(shop, "2026-03", f"--output={folder_of(shop)}")
    assert f"the book is not what the closing of 2026-03-31 says: {told}; run" in said
    assert list(folder_of(shop).iterdir()) == []
    done = shop.command("kardex", "--all", *MARCH)
    assert done.returncode == 1 and len(done.stdout.splitlines()) == 1
    # Of what ends otherwise the closing says nothing.
    shop.succeed("kardex", "--all", MARCH[0], "--hasta=2026-03-30")


def total_of(shop: Shop, month: str) -> dict[str, str]:
    return rows_of(book(shop, month)[f"kardex-{month}-totales.csv"])[-1]


@pytest.mark.one_postgres
def test_closings_that_are_no_months(shop: Shop):
    """Two within one, and one that ends amid the next but one."""
    shop.env["ETL_INITIAL_SINCE"] = BEGINNING.isoformat()
    shop.product(1)
    shop.product(2)
    (shop.folder / "conteo.csv").write_text(
        "id_producto,existencias,costo_promedio,fecha\n2,4,3,2026-03-02\n", encoding="utf-8"
    )
    for day in range(0, 120, 9):
        shop.receipt(BEGINNING + day * DAY, (1, 2, 3))
    shop.run_in_process()
    shop.succeed("opening", "conteo.csv")
    for day in ("2026-03-10", "2026-03-31", "2026-05-15"):
        shop.succeed("close", day)
        if day != "2026-03-10":
            continue
        # Nothing of the month is left as it is but its first days.
        assert total_of(shop, "2026-03")["cierre"] == "abierto"
    march, april, may = (total_of(shop, month) for month in ("2026-03", "2026-04", "2026-05"))
    assert (march["cierre"], april["cierre"], may["cierre"]) == (
        "2026-03-31",
        "2026-05-15",
        "abierto",
    )
    huellas = {row["dia"]: row["huella"] for row in shop.olap_rows("SELECT * FROM dw.cierre")}
    assert march["huella"] == huellas[date(2026, 3, 31)]
    assert april["huella"] == huellas[date(2026, 5, 15)]
    # Both closings of March are needed to know how many.
    shop.olap.cursor().execute(
        "UPDATE dw.cierre SET movimientos = movimientos + 1 WHERE dia = '2026-03-10'"
    )
    said = refused(shop, "2026-03", f"--output={folder_of(shop)}")
    assert "movements 4 instead of 5" in said
    # A book that begins amid a closed period is compared but for that.
    shop.succeed("kardex", "--all", "--desde=2026-03-05", "--hasta=2026-03-31")
    shop.olap.cursor().execute("UPDATE dw.cierre SET valor = 1 WHERE dia = '2026-03-31'")
    done = shop.command("kardex", "--all", "--desde=2026-03-05", "--hasta=2026-03-31")
    assert done.returncode == 1 and "value 36.000000 instead of 1" in done.stdout


def sides(rows: list[dict[str, str]]) -> dict[tuple[str, str], list[Any]]:
    """By movement and operation, its amounts; a transfer's costs, at the average, left out."""
    found = {}
    for row in rows:
        amounts = [amounts_of(row, side) for side in ("entrada", "salida")]
        if row["tipo_operacion"] in ("11", "21"):
            amounts = [side and side[:1] for side in amounts]
        found[row["numero"], row["tipo_operacion"]] = amounts
    return found


def test_a_month_that_is_voided_as_a_whole(shop: Shop):
    """Each type's reversal takes from the side where it stood, and nothing remains."""
    trade_all(shop)
    shop.run_in_process()
    shop.succeed("close", "2026-03-31", "--anyway")
    shop.till("UPDATE transacciones SET anulada = true")
    shop.run_in_process()
    files = book(shop, "2026-04") | book(shop, "2026-03")
    closed = sides(rows_of(files["kardex-2026-03.csv"])[1:])
    undone = rows_of(files["kardex-2026-04.csv"])[1:]
    assert {row["asiento"] for row in undone} == {"reverso"}
    assert sides(undone) == {
        key: [side and tuple(-amount for amount in side) for side in amounts]
        for key, amounts in closed.items()
    }
    total = rows_of(files["kardex-2026-04-totales.csv"])[-1]
    assert (number(total["saldo_final_cantidad"]), number(total["saldo_final_costo_total"])) == (
        0,
        0,
    )
    assert "kardex-2026-04-sucursales.csv" in files
    assert rows_of(files["kardex-2026-04-sucursales.csv"]) == []

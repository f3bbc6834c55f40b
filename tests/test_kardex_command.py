"""The kardex command: every line against the oracle, in each format, and what it refuses."""

from __future__ import annotations

import csv
import io
import json
import os
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from olap_comparison import replay_shop
from oracle import RECEIPT, SALE, opening_state
from oracle_rows import ZERO, KardexRow, Replay, State
from shop_database import Shop
from shop_server import REPOSITORY

from pipeline.kardex.formats import CSV_COLUMNS

BEGINNING = datetime(2026, 3, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)
VOID_TAGS = {"meta"}


def trade(shop: Shop) -> None:
    """Twelve days of product 1: receipts that average badly, a sale below zero, and product 2."""
    shop.env["ETL_INITIAL_SINCE"] = BEGINNING.isoformat()
    shop.product(1, codigo="SKU-1")
    shop.product(2, codigo="SKU-2")
    shop.branch(3)
    shop.receipt(BEGINNING, (1, "3", "1.10"), (2, 7, 7))
    shop.sale(BEGINNING + DAY, (1, "1.333333", 9))
    shop.receipt(BEGINNING + 2 * DAY, (1, "7", "2.345678"), id_sucursal=3)
    shop.sale(BEGINNING + 4 * DAY, (1, "20.5", 9), id_sucursal=3)
    shop.sale(BEGINNING + 5 * DAY, (1, "1", 9), (2, 8, 8))
    shop.receipt(BEGINNING + 7 * DAY, (1, "5", "3.03"))
    shop.receipt(BEGINNING + 9 * DAY, (1, "40", "2.777777"))
    shop.sale(BEGINNING + 11 * DAY, (1, "0.000007", 9))


def large_numbers(shop: Shop) -> None:
    """A product whose values have more than 28 digits."""
    shop.env["ETL_INITIAL_SINCE"] = BEGINNING.isoformat()
    shop.product(1)
    shop.receipt(BEGINNING, (1, "1", "50000000000.000001"))
    shop.run_in_process()
    (shop.folder / "conteo.csv").write_text(
        "id_producto,existencias,costo_promedio\n1,99999999999.999999,99999999999.999999\n"
    )
    shop.succeed("opening", "conteo.csv")


def show(shop: Shop, *arguments: str, zone: str = "UTC") -> dict[str, Any]:
    """The ledger as the command's JSON has it."""
    return json.loads(shop.succeed("kardex", *arguments, "--json", ETL_TIMEZONE=zone).stdout)


def refused(shop: Shop, *arguments: str) -> str:
    """What the command says, in one line, when it refuses."""
    done = shop.command("kardex", *arguments)
    assert done.returncode == 1, done.stdout
    assert len(done.stdout.splitlines()) == 1, done.stdout
    return done.stdout


def amounts(record: dict[str, Any], *names: str) -> tuple[Decimal, ...]:
    """These fields of a JSON object as they stand, to the last digit."""
    for name in names:
        assert len(record[name].partition(".")[2]) == 6, record[name]
    return tuple(Decimal(record[name]) for name in names)


def balance(record: dict[str, Any]) -> State:
    """A balance of the JSON as the oracle has it."""
    return State(*amounts(record, "existencias", "valor", "costo_promedio"))


def state(row: KardexRow) -> State:
    """The oracle's state after a row."""
    return State(row.existencias, row.valor, row.costo_promedio)


def assert_ledger_is(
    shown: dict[str, Any], replay: Replay, product: int, desde: date | None, hasta: date | None
) -> list[KardexRow]:
    """Fail unless it is this product's part of the replay; returns the rows that it must show."""
    whole = replay.ledgers[product]
    days = [replay.rules.day(row.fecha) for row in whole]
    before = [r for r, day in zip(whole, days, strict=True) if desde and day < desde]
    rows = [
        row
        for row, day in zip(whole, days, strict=True)
        if (desde is None or day >= desde) and (hasta is None or day <= hasta)
    ]
    opening = state(before[-1]) if before else opening_state(replay.openings.get(product))
    assert balance(shown["opening"]) == opening
    assert [line["id_movimiento"] for line in shown["movements"]] == [r.id_movimiento for r in rows]
    for line, row in zip(shown["movements"], rows, strict=True):
        assert datetime.fromisoformat(line["fecha"]) == row.fecha
        assert datetime.fromisoformat(line["fecha"]).date() == replay.rules.day(row.fecha)
        assert (line["tipo"], line["id_sucursal"]) == (row.tipo, row.id_sucursal)
        assert line["tipo_operacion"] == {SALE: "01", RECEIPT: "02"}[row.tipo]
        assert line["provisional"] is row.provisional
        assert amounts(line, "cantidad", "costo_unitario", "costo_total", "ajuste") == (
            row.cantidad,
            row.costo_unitario,
            row.costo_total,
            row.ajuste,
        )
        assert balance(line["after"]) == state(row)
    assert amounts(
        shown["totals"],
        *("entries_quantity", "entries_cost", "exits_quantity", "exits_cost", "ajuste"),
    ) == (
        sum((r.cantidad for r in rows if r.tipo == RECEIPT), ZERO),
        sum((r.costo_total for r in rows if r.tipo == RECEIPT), ZERO),
        sum((r.cantidad for r in rows if r.tipo == SALE), ZERO),
        sum((r.costo_total for r in rows if r.tipo == SALE), ZERO),
        sum((r.ajuste for r in rows), ZERO),
    )
    assert balance(shown["closing"]) == (state(rows[-1]) if rows else opening)
    return rows


def test_the_whole_ledger_and_parts_of_it_equal_the_replay(shop: Shop):
    trade(shop)
    shop.run_in_process()
    replay = replay_shop(shop, BEGINNING)
    rows = assert_ledger_is(show(shop, "1"), replay, 1, None, None)
    assert len(rows) == 8
    # The history has what makes a ledger hard: else the comparison tells nothing.
    assert any(row.ajuste for row in rows) and any(row.existencias < 0 for row in rows)
    assert any(row.provisional for row in rows)
    for first, last, expected in [(1, 7, 5), (3, 3, 0), (2, None, 6), (None, 4, 4), (30, 40, 0)]:
        desde = None if first is None else BEGINNING.date() + first * DAY
        hasta = None if last is None else BEGINNING.date() + last * DAY
        options = [f"--desde={desde}"] * (first is not None) + [f"--hasta={hasta}"] * (
            last is not None
        )
        shown = show(shop, "1", *options)
        assert len(assert_ledger_is(shown, replay, 1, desde, hasta)) == expected, options
        assert (shown["desde"], shown["hasta"]) == (desde and str(desde), hasta and str(hasta))
    assert_ledger_is(show(shop, "2"), replay, 2, None, None)


@pytest.mark.one_postgres
def test_an_opening_balance_is_the_first_line(shop: Shop):
    trade(shop)
    shop.product(4)
    shop.run_in_process()
    (shop.folder / "conteo.csv").write_text(
        "id_producto,existencias,costo_promedio,fecha\n1,50,3.333333,2026-03-01\n4,9,2,2026-03-05\n"
    )
    shop.succeed("opening", "conteo.csv")
    shop.sale(BEGINNING + 6 * DAY, (4, 1, 1))
    shop.run_in_process()
    replay = replay_shop(shop, BEGINNING)
    shown = show(shop, "1")
    assert_ledger_is(shown, replay, 1, None, None)
    assert balance(shown["opening"]).existencias == 50
    desde = BEGINNING.date() + 2 * DAY
    assert_ledger_is(show(shop, "1", f"--desde={desde}"), replay, 1, desde, None)
    # Within the period it bears its own date; before that day there was nothing.
    shown = show(shop, "4", "--desde=2026-03-02", "--hasta=2026-03-31")
    assert_ledger_is(shown, replay, 4, date(2026, 3, 2), date(2026, 3, 31))
    assert shown["opening_date"] == "2026-03-05T00:00:00+00:00"
    assert show(shop, "4", "--desde=2026-03-06")["opening_date"] == "2026-03-06T00:00:00+00:00"
    shown = show(shop, "4", "--hasta=2026-03-04")
    assert (balance(shown["opening"]), shown["movements"]) == (State(), [])
    assert balance(shown["closing"]) == State()
    assert "SALDO INICIAL" in shop.succeed("kardex", "4").stdout


@pytest.mark.one_postgres
def test_days_are_those_of_the_shop(shop: Shop):
    """In Lima, five hours behind UTC, a day ends at 05:00 UTC of the next one."""
    zone = ZoneInfo("America/Lima")
    shop.env["ETL_TIMEZONE"] = zone.key
    shop.env["ETL_INITIAL_SINCE"] = "2026-03-01"
    shop.product(1)
    midnight = datetime(2026, 3, 10, tzinfo=zone)
    last = timedelta(microseconds=1)
    shop.receipt(midnight - last, (1, 10, 2))
    (first,) = shop.sale(midnight, (1, 1, 9))
    (latest,) = shop.sale(midnight + DAY - last, (1, 2, 9))
    shop.sale(midnight + DAY, (1, 4, 9))
    shop.run_in_process()
    replay = replay_shop(shop, datetime(2026, 3, 1, tzinfo=zone), zone=zone.key)
    shown = show(shop, "1", "--desde=2026-03-10", "--hasta=2026-03-10", zone=zone.key)
    assert_ledger_is(shown, replay, 1, date(2026, 3, 10), date(2026, 3, 10))
    assert [line["id_movimiento"] for line in shown["movements"]] == [first, latest]
    assert shown["movements"][1]["fecha"] == "2026-03-10T23:59:59.999999-05:00"
    (control,) = shop.olap_rows("SELECT hasta FROM etl.control")
    assert datetime.fromisoformat(shown["data_until"]) == control["hasta"]
    assert shown["data_until"].endswith("-05:00")
    text = shop.succeed("kardex", "1", "--csv").stdout
    days = [row["fecha_emision"] for row in csv.DictReader(io.StringIO(text))]
    assert days == ["", "2026-03-09", "2026-03-10", "2026-03-10", "2026-03-11"]


@pytest.mark.one_postgres
def test_a_product_is_found_by_id_and_by_code(shop: Shop):
    shop.env["ETL_INITIAL_SINCE"] = BEGINNING.isoformat()
    # The code of product 2 is the id of product 1, and two products have one code.
    for product, code in ((1, "pan"), (2, "1"), (3, "sal"), (4, "sal"), (5, "77")):
        shop.product(product, codigo=code)
        shop.receipt(BEGINNING, (product, product, 1))
    shop.run_in_process()
    for named, product in (("1", 1), ("pan", 1), ("2", 2), (" pan ", 1), ("PAN", 1), ("77", 5)):
        assert show(shop, named)["product"]["id_producto"] == product, named
    assert "is of 2 products; give one's id: 3, 4" in refused(shop, "sal")
    for unknown in ("6", "x'--", str(10**18 * 10), "", "a\nb"):
        assert refused(shop, unknown).startswith("error: no product of the OLAP has"), unknown


@pytest.mark.one_postgres
@pytest.mark.parametrize(
    ("options", "cause"),
    [
        (["--desde=2026-13-01"], "--desde is '2026-13-01', but must be a date such as 2026-01-31"),
        (["--hasta=20260301"], "--hasta is '20260301', but must be a date"),
        (["--hasta=2026-W10-1"], "--hasta is '2026-W10-1'"),
        (["--desde="], "--desde is ''"),
        (["--desde=2026-03-02", "--hasta=2026-03-01"], "--hasta 2026-03-01 is before --desde"),
    ],
)
def test_a_wrong_period_is_one_line(shop: Shop, options: list[str], cause: str):
    assert cause in refused(shop, "1", *options)


@pytest.mark.one_postgres
def test_one_format_at_a_time_and_the_ends_of_time(shop: Shop):
    trade(shop)
    shop.run_in_process()
    assert shop.command("kardex", "1", "--csv", "--html").returncode == 2
    shown = show(shop, "1", "--desde=0001-01-01", "--hasta=9999-12-31")
    assert len(shown["movements"]) == 8


@pytest.mark.one_postgres
def test_the_csv_has_the_columns_of_the_format_and_the_same_figures(shop: Shop):
    trade(shop)
    shop.till("UPDATE productos SET nombre = %s WHERE id_producto = 1", 'Ají, "molido"; 1 kg')
    shop.run_in_process()
    # Wherever it is run, what is handed over is UTF-8.
    text = shop.succeed("kardex", "1", "--csv", PYTHONIOENCODING="latin-1").stdout
    rows = list(csv.DictReader(io.StringIO(text)))
    assert tuple(rows[0]) == CSV_COLUMNS
    shown = show(shop, "1")
    assert len(rows) == 1 + len(shown["movements"]) == 9
    opening, *lines = rows
    assert opening["tipo_operacion"] == "16"
    assert opening["saldo_cantidad"] == "0.000000"
    for row, line in zip(lines, shown["movements"], strict=True):
        side, other = ("entrada", "salida") if line["tipo"] == RECEIPT else ("salida", "entrada")
        for name in ("cantidad", "costo_unitario", "costo_total"):
            assert row[f"{side}_{name}"] == line[name]
            assert row[f"{other}_{name}"] == ""
        after = line["after"]
        assert [row[f"saldo_{name}"] for name in ("cantidad", "costo_unitario", "costo_total")] == [
            after["existencias"],
            after["costo_promedio"],
            after["valor"],
        ]
        assert row["ajuste"] == line["ajuste"]
        assert (row["provisional"] == "sí") is line["provisional"]
        assert (row["numero"], row["tipo_operacion"]) == (
            str(line["id_movimiento"]),
            line["tipo_operacion"],
        )
        assert row["establecimiento"] == line["sucursal"]
        assert (row["codigo_existencia"], row["descripcion"]) == ("SKU-1", 'Ají, "molido"; 1 kg')
        # What the data lacks is empty, not invented.
        for name in ("ruc", "denominacion", "tipo_existencia", "unidad_medida", "serie"):
            assert row[name] == ""
        assert row["tipo_documento"] == ""
        assert row["metodo_valuacion"] == "PROMEDIO PONDERADO MÓVIL"
    # Read back, it foots by itself.
    value = Decimal(opening["saldo_costo_total"]) + sum(
        Decimal(row["entrada_costo_total"] or 0)
        - Decimal(row["salida_costo_total"] or 0)
        + Decimal(row["ajuste"])
        for row in lines
    )
    assert value == Decimal(lines[-1]["saldo_costo_total"])


class Page(HTMLParser):
    """What a page says: its tags, its cells by row; fails where tags do not nest."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.attributes: list[str] = []
        self.rows: list[list[str]] = []
        self.widths: list[int] = []
        self.languages: list[str | None] = []
        self.text = ""
        self.feed(text)
        self.close()
        assert not self.open, self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [name for name, _ in attrs]
        if tag == "html":
            self.languages.append(dict(attrs)["lang"])
        if tag not in VOID_TAGS:
            self.open.append(tag)
        if tag == "tr":
            self.rows.append([])
            self.widths.append(0)
        if tag in ("td", "th"):
            self.rows[-1].append("")
            self.widths[-1] += int(dict(attrs).get("colspan") or 1)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data
        if self.open and self.open[-1] in ("td", "th"):
            self.rows[-1][-1] += data


@pytest.mark.one_postgres
def test_the_page_is_whole_escaped_and_has_the_same_figures(shop: Shop):
    trade(shop)
    name = 'Café </title><script>alert(1)</script> & "co"'
    shop.till("UPDATE productos SET nombre = %s, codigo = '<b>' WHERE id_producto = 1", name)
    shop.till("UPDATE sucursales SET nombre = '<i>Norte' WHERE id_sucursal = 3")
    shop.run_in_process()
    # In UTC, which is no country's, Spanish has a comma before its decimals.
    text = shop.succeed("kardex", "1", "--html", ETL_LANG="es").stdout
    page = Page(text)
    assert not {"script", "link", "img", "b", "i", "iframe"} & set(page.tags)
    assert not {"src", "href", "onload"} & set(page.attributes)
    assert "url(" not in text and "@import" not in text
    assert "@media print" in text and '<meta charset="utf-8">' in text
    assert f"Kardex de {name}" in page.text and page.text.count(name) == 2
    assert "PROMEDIO PONDERADO MÓVIL" in page.text
    group, columns, opening, *lines, totals = page.rows
    assert group[2:4] == ["Entradas", "Salidas"]
    assert columns.count("Costo unitario") == 3
    assert len(set(page.widths[2:])) == 1 and page.widths[0] == page.widths[2]
    shown = show(shop, "1")
    assert opening[4] == "16 Saldo inicial"
    assert len(lines) == len(shown["movements"])
    for cells, line in zip(lines, shown["movements"], strict=True):
        numbers = [figure(cell) for cell in cells[5:15]]
        own = [Decimal(line[key]) for key in ("cantidad", "costo_unitario", "costo_total")]
        sides = [*own, None, None, None] if line["tipo"] == RECEIPT else [None, None, None, *own]
        after = [Decimal(line["after"][key]) for key in ("existencias", "costo_promedio", "valor")]
        assert numbers == [*sides, Decimal(line["ajuste"]) or None, *after]
        assert cells[0] == f"{datetime.fromisoformat(line['fecha']):%d/%m/%Y}"
        assert cells[3] == str(line["id_movimiento"])
        assert cells[15] == line["sucursal"]
    assert "<i>Norte" in {cells[15] for cells in lines}
    sums, closing = shown["totals"], shown["closing"]
    assert [figure(cell) for cell in totals[1:11] if cell] == [
        *(Decimal(sums[key]) for key in ("entries_quantity", "entries_cost")),
        *(Decimal(sums[key]) for key in ("exits_quantity", "exits_cost", "ajuste")),
        *(Decimal(closing[key]) for key in ("existencias", "costo_promedio", "valor")),
    ]


def figure(cell: str, decimal: str = ",") -> Decimal | None:
    """A cell's number, with what the country writes before its decimals; None in an empty one."""
    whole, _, decimals = cell.partition(decimal)
    return (
        Decimal(f"{whole.replace({',': '.', '.': ','}[decimal], '')}.{decimals}") if cell else None
    )


@pytest.mark.one_postgres
def test_a_column_of_the_page_has_one_number_of_decimals(shop: Shop):
    """As many as its longest needs: quantities none, amounts two at least, and no digit is lost."""
    shop.env["ETL_INITIAL_SINCE"] = BEGINNING.isoformat()
    for product in (1, 2):
        shop.product(product)
    shop.receipt(BEGINNING, (1, "3000", "1.10"), (2, "4", "2.50"))
    shop.sale(BEGINNING + DAY, (1, "1.5", 9), (2, "1", 3))
    shop.receipt(BEGINNING + 2 * DAY, (1, "7", "2.346"))
    shop.run_in_process()
    pages = {
        p: Page(shop.succeed("kardex", p, "--html", ETL_LANG="es").stdout).rows[2:]
        for p in ("1", "2")
    }
    cells = [[*row[5:15]] for row in pages["1"][:-1]] + [pages["1"][-1][1:11]]
    assert cells[1][:3] == ["3.000", "1,100", "3.300,000"]
    decimals = [
        {len(cell.partition(",")[2]) for cell in column if cell}
        for column in zip(*cells, strict=True)
    ]
    # What is sold has its cost of 1.1; the average is not exact, and the balance is in halves.
    assert decimals == [{0}, {3}, {3}, {1}, {2}, {2}, {2}, {1}, {6}, {3}]
    assert pages["2"][0][12:15] == ["0", "0,00", "0,00"]
    assert pages["2"][1][5:8] == ["4", "2,50", "10,00"]
    assert pages["2"][-1][8:11] == ["3", "2,50", "7,50"]


@pytest.mark.one_postgres
def test_the_page_speaks_the_shops_language_and_writes_its_countrys_numbers(shop: Shop):
    trade(shop)
    shop.env["ETL_TIMEZONE"] = "America/Lima"
    shop.run_in_process()
    options = ("kardex", "1", "--html", "--desde=2026-03-02", "--hasta=2026-03-31")
    spanish = Page(shop.succeed(*options, ETL_LANG="es").stdout)
    english = Page(shop.succeed(*options, ETL_LANG="en").stdout)
    for page, language, said in (
        (spanish, "es", ("Registro de inventario", "Del 02/03/2026 al 31/03/2026", "Fecha")),
        (english, "en", ("Register of the perpetual", "From 2026-03-02 to 2026-03-31", "Date")),
    ):
        assert page.languages == [language]
        assert all(text in page.text for text in said)
        assert "{" not in page.text.partition("</style>")[2]
    shown = show(shop, *options[1:2], *options[3:], zone="America/Lima")["movements"]
    for page, receipt, sale, day, yes in (
        (spanish, "02 Entrada de mercancía", "01 Venta", "03/03/2026", "sí"),
        (english, "02 Goods receipt", "01 Sale", "2026-03-03", "yes"),
    ):
        first, second, *_ = lines = page.rows[3:-1]
        assert (first[4], second[0], second[4]) == (sale, day, receipt)
        assert [cells[16] == yes for cells in lines] == [line["provisional"] for line in shown]
        assert page.rows[-1][0] in ("TOTALES", "TOTALS")
        # Peru has a point before its decimals, in either language.
        assert figure(second[6], ".") == Decimal("2.345678")
    # Every word is of one language: but for names and figures the two have none in common.
    common = {cell for row in spanish.rows[:2] for cell in row if cell} & {
        cell for row in english.rows[:2] for cell in row
    }
    assert common == {"Provisional"}


def trade_all(shop: Shop) -> None:
    """A movement of each type, of product 1."""
    shop.env["ETL_INITIAL_SINCE"] = BEGINNING.isoformat()
    shop.product(1, codigo="SKU-1")
    shop.branch(3)
    bought = shop.movement("ENTRADA_MERCANCIA", BEGINNING, 1, 10, costo_unitario=5)
    shop.movement(
        "COSTO_ADICIONAL", BEGINNING + 9 * DAY, 1, None, costo_unitario=7, id_origen=bought
    )
    sold = shop.movement("VENTA", BEGINNING + DAY, 1, 4, precio_unitario=9)
    after = iter(BEGINNING + DAY + n * timedelta(hours=1) for n in range(1, 20))
    shop.movement("DEVOLUCION_VENTA", next(after), 1, 1, precio_unitario=9, id_origen=sold)
    shop.movement("TRASLADO", next(after), 1, 2, id_sucursal_destino=3)
    shop.movement("AJUSTE_SALIDA", next(after), 1, 1, id_sucursal=3)
    shop.movement("CONTEO", next(after), 1, 4, id_sucursal=3)
    shop.movement("CONTEO", next(after), 1, 9)
    shop.movement("CONTEO", next(after), 1, 8)
    shop.movement("DESCUENTO_VENTA", next(after), 1, None, precio_unitario=2)
    shop.movement("COSTO_ADICIONAL", next(after), 1, None, costo_unitario=3)
    shop.movement("DEVOLUCION_COMPRA", next(after), 1, 1, costo_unitario=6, id_origen=bought)
    shop.movement("AJUSTE_ENTRADA", next(after), 1, 2, costo_unitario=4)
    shop.movement("AJUSTE_ENTRADA", next(after), 1, 1)
    shop.run_in_process()


@pytest.mark.one_postgres
def test_every_type_is_in_the_format_as_it_asks_for(shop: Shop):
    trade_all(shop)
    text = shop.succeed("kardex", "1", "--csv").stdout
    columns = (
        "tipo_operacion",
        "entrada_cantidad",
        "entrada_costo_unitario",
        "entrada_costo_total",
    )
    columns += ("salida_cantidad", "salida_costo_unitario", "salida_costo_total", "establecimiento")

    def short(cell: str) -> str:
        return cell.rstrip("0").rstrip(".") if "." in cell else cell

    _, *rows = csv.DictReader(io.StringIO(text))
    none = ("", "", "")
    here, there = "Sin sucursal", "Sucursal 3"
    assert [tuple(short(row[column]) for column in columns) for row in rows] == [
        # With its freight, whose own line is not there.
        ("02", "10", "5.7", "57", *none, here),
        ("01", *none, "4", "5.7", "22.8", here),
        ("24", "1", "5.7", "5.7", *none, here),
        ("11", *none, "2", "5.7", "11.4", here),
        ("21", "2", "5.7", "11.4", *none, there),
        ("13", *none, "1", "5.7", "5.7", there),
        ("28", "3", "5.7", "17.1", *none, there),
        # A count of what is there is not, nor is a credit note.
        ("28", *none, "1", "5.7", "5.7", here),
        ("99", "0", "", "3", *none, here),
        ("25", *none, "1", "6", "6", here),
        ("19", "2", "4", "8", *none, here),
        ("28", "1", "5.65556", "5.65556", *none, here),
    ]
    quantity = value = Decimal(0)
    for row in rows:
        quantity += Decimal(row["entrada_cantidad"] or 0) - Decimal(row["salida_cantidad"] or 0)
        value += Decimal(row["entrada_costo_total"] or 0) - Decimal(row["salida_costo_total"] or 0)
        value += Decimal(row["ajuste"])
        assert (quantity, value) == (
            Decimal(row["saldo_cantidad"]),
            Decimal(row["saldo_costo_total"]),
        )
    shown = show(shop, "1")
    assert len(shown["movements"]) == 14
    assert Decimal(shown["closing"]["valor"]) == value
    totals = [
        sum(Decimal(row[c] or 0) for row in rows) for c in (columns[1], columns[3], columns[4])
    ]
    names = ("entries_quantity", "entries_cost", "exits_quantity")
    assert totals == [Decimal(shown["totals"][name]) for name in names]
    for language, words in (
        ("es", ("24 Devolución de cliente", "11 Traslado", "21 Traslado", "28 Conteo")),
        ("en", ("24 Customer return", "11 Transfer", "21 Transfer", "28 Count")),
    ):
        page = shop.succeed("kardex", "1", "--html", ETL_LANG=language).stdout
        assert [word for word in words if word not in page] == []
    assert "DESCUENTO_VENTA" in shop.succeed("kardex", "1").stdout


@pytest.mark.one_postgres
def test_the_page_of_large_numbers_is_exact(shop: Shop):
    """Beyond Decimal's own 28 digits, which Babel calculates with."""
    large_numbers(shop)
    shown = show(shop, "1")
    totals = Page(shop.succeed("kardex", "1", "--html", ETL_LANG="es").stdout).rows[-1]
    assert figure(totals[10]) == Decimal(shown["closing"]["valor"]) > 10**21


@pytest.mark.one_postgres
def test_the_page_alone_needs_an_extra(shop: Shop, tmp_path: Path):
    trade(shop)
    shop.run_in_process()
    shop.env["PYTHONPATH"] = f"{tmp_path}{os.pathsep}{REPOSITORY}"
    (tmp_path / "babel").mkdir()
    (tmp_path / "babel" / "__init__.py").write_text("raise ImportError(name='babel')")
    assert shop.command("kardex", "1", "--csv").returncode == 0
    assert refused(shop, "1", "--html") == (
        "error: the page needs babel; pip install '.[report]' in the pipeline's folder\n"
    )


@pytest.mark.one_postgres
def test_the_table_has_a_line_a_movement_between_opening_and_totals(shop: Shop):
    trade(shop)
    shop.run_in_process()
    lines = shop.succeed("kardex", "SKU-1").stdout.splitlines()
    assert lines[0] == "1 SKU-1 Producto 1"
    assert [line.split("  ")[0] for line in lines[4:5]] == ["-"]
    assert "SALDO INICIAL" in lines[4] and "TOTALES" in lines[-1]
    assert len(lines) == 3 + 1 + 1 + 8 + 1
    (row,) = [line for line in lines if "2.345678" in line and RECEIPT in line]
    assert "2026-03-03 12:00:00" in row and "Sucursal 3" in row
    assert row.split()[-1] == "-" and lines[8].split()[-1] == "sí"


@pytest.mark.one_postgres
@pytest.mark.parametrize(
    ("change", "cause"),
    [
        ("valor = valor + 0.000001", "value "),
        ("existencias = existencias + 1", "quantity "),
        ("costo_total = costo_total - 0.000001", "value "),
        ("cantidad = cantidad * 2", "quantity "),
        ("ajuste = ajuste + 1", "value "),
        ("tipo = 'MERMA'", "of type MERMA"),
    ],
)
def test_a_tampered_ledger_is_refused(shop: Shop, change: str, cause: str):
    trade(shop)
    shop.run_in_process()
    (row,) = shop.olap_rows(
        "SELECT id_movimiento FROM dw.kardex WHERE id_producto = 1 ORDER BY fecha OFFSET 3 LIMIT 1"
    )
    movement = row["id_movimiento"]
    cursor = shop.olap.cursor()
    cursor.execute(f"UPDATE dw.kardex SET {change} WHERE id_movimiento = %s", (movement,))
    for form in ("--csv", "--html", "--json"):
        said = refused(shop, "1", form)
        assert f"movement {movement}" in said and cause in said
        assert "MERMA" in change or "python -m pipeline verify" in said
    # What lies wholly before it is as it was, and so is another product's.
    shop.succeed("kardex", "1", "--hasta=2026-03-03")
    shop.succeed("kardex", "2")


@pytest.mark.one_postgres
def test_a_missing_movement_is_noticed_at_the_next_one(shop: Shop):
    trade(shop)
    shop.run_in_process()
    cursor = shop.olap.cursor()
    cursor.execute(
        "DELETE FROM dw.kardex WHERE id_movimiento = (SELECT min(id_movimiento) FROM dw.kardex"
        " WHERE id_producto = 1)"
    )
    assert "does not foot at movement" in refused(shop, "1")


@pytest.mark.one_postgres
def test_sums_beyond_28_digits_are_exact(shop: Shop):
    """Decimal's own context would round what the ledger's columns hold."""
    large_numbers(shop)
    assert_ledger_is(show(shop, "1"), replay_shop(shop, BEGINNING), 1, None, None)


def test_it_reads_only_the_rows_that_it_shows(shop: Shop):
    trade(shop)
    shop.run_in_process()
    cursor = shop.olap.cursor()
    cursor.execute(
        "INSERT INTO dw.kardex (id_producto, fecha, fecha_documento, capa, reverso, id_movimiento,"
        " id_sucursal, version, orden, provisional, tipo, cantidad, costo_unitario, costo_total,"
        " ajuste, existencias, valor, costo_promedio, variacion)"
        " SELECT 1 + n %% 2, fecha, fecha, 0, false, 1000 + n, 0, 1, 0, false,"
        " 'ENTRADA_MERCANCIA', 1, 1, 1, 0, n, n, 1, 1"
        " FROM generate_series(1, 40000) AS n"
        " CROSS JOIN LATERAL (SELECT %s + n * interval '1 hour' AS fecha) AS f",
        (BEGINNING + 20 * DAY,),
    )
    cursor.execute("VACUUM ANALYZE dw.kardex")
    connection = shop.olap_server.connect(shop.olap_name)
    connection.autocommit = False
    with connection.cursor() as cursor:
        # Long after the first and long before the last: neither end may be walked through.
        cursor.execute(
            "SELECT count(*) FROM etl.libro_producto(1, '2027-06-01', '2027-06-10', 'UTC')"
        )
        assert cursor.fetchone() == (1 + 10 * 12,)
        cursor.execute(
            "SELECT seq_scan, idx_tup_fetch FROM pg_stat_xact_user_tables"
            " WHERE relid = 'dw.kardex'::regclass"
        )
        assert cursor.fetchone() == (0, 1 + 10 * 12)
    connection.close()

"""The book of a month: every product against the oracle, its files whole or not there."""

from __future__ import annotations

import csv
import io
import subprocess
import sys
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from olap_comparison import replay_shop
from oracle import RECEIPT, opening_state
from oracle_rows import KardexRow, Replay, State
from shop_database import Shop
from test_kardex_command import BEGINNING, DAY, Page, figure, trade, trade_all

from pipeline.kardex.formats import CSV_COLUMNS

ZERO = Decimal(0)


def folder_of(shop: Shop) -> Path:
    folder = shop.folder / "libros"
    folder.mkdir(exist_ok=True)
    return folder


def book(shop: Shop, month: str, **env: str) -> dict[str, str]:
    """The files that the command writes, by name."""
    folder = folder_of(shop)
    shop.succeed("book", month, f"--output={folder}", **env)
    return {path.name: path.read_text(encoding="utf-8") for path in folder.iterdir()}


def refused(shop: Shop, *arguments: str, **env: str) -> str:
    done = shop.command("book", *arguments, **env)
    assert done.returncode == 1, done.stdout
    assert len(done.stdout.splitlines()) == 1, done.stdout
    return done.stdout


def rows_of(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def number(cell: str) -> Decimal:
    return Decimal(cell or 0)


def trade_months(shop: Shop) -> None:
    """Three months of five products, one of which never moves after the first of them."""
    trade(shop)
    for product, code in ((3, "A-3"), (4, "P4"), (5, "Z")):
        shop.product(product, codigo=code)
    shop.receipt(BEGINNING, (3, 10, "1.234567"))
    shop.sale(BEGINNING + 35 * DAY, (1, 2, 9), (2, 3, 9))
    shop.receipt(BEGINNING + 36 * DAY, (4, "2.5", "3.333333"), id_sucursal=3)
    shop.receipt(BEGINNING + 70 * DAY, (5, 1, 1), (1, 3, 3))
    shop.run_in_process()


def state_at(replay: Replay, product: int, day: date) -> State:
    """What there was of a product before a day."""
    before = [row for row in replay.ledgers.get(product, []) if replay.rules.day(row.fecha) < day]
    if before:
        last = before[-1]
        return State(last.existencias, last.valor, last.costo_promedio)
    return opening_state(replay.openings.get(product))


def in_month(replay: Replay, product: int, first: date, last: date) -> list[KardexRow]:
    return [
        row
        for row in replay.ledgers.get(product, [])
        if first <= replay.rules.day(row.fecha) <= last
    ]


def test_each_month_is_the_replays_and_foots_in_total(shop: Shop):
    trade_months(shop)
    replay = replay_shop(shop, BEGINNING)
    codes = {1: "SKU-1", 2: "SKU-2", 3: "A-3", 4: "P4", 5: "Z"}
    shown: list[int] = []
    for month, (first, last) in {
        "2026-03": (date(2026, 3, 1), date(2026, 3, 31)),
        "2026-04": (date(2026, 4, 1), date(2026, 4, 30)),
        "2026-05": (date(2026, 5, 1), date(2026, 5, 31)),
        "2026-06": (date(2026, 6, 1), date(2026, 6, 30)),
    }.items():
        files = book(shop, month)
        lines, totals = (rows_of(files[f"kardex-{month}{name}.csv"]) for name in ("", "-totales"))
        expected = [
            product
            for product in codes
            if state_at(replay, product, first).existencias
            or in_month(replay, product, first, last)
        ]
        shown.append(len(expected))
        assert Counter(row["codigo_existencia"] for row in lines) == {
            codes[p]: 1 + len(in_month(replay, p, first, last)) for p in expected
        }
        sums = [ZERO] * 9
        for product in expected:
            (row,) = [t for t in totals if t["codigo_existencia"] == codes[product]]
            moved = in_month(replay, product, first, last)
            opening = state_at(replay, product, first)
            closing = state_at(replay, product, last + DAY)
            own = [
                opening.existencias,
                opening.valor,
                sum((r.cantidad for r in moved if r.tipo == RECEIPT), ZERO),
                sum((r.costo_total for r in moved if r.tipo == RECEIPT), ZERO),
                sum((r.cantidad for r in moved if r.tipo != RECEIPT), ZERO),
                sum((r.costo_total for r in moved if r.tipo != RECEIPT), ZERO),
                sum((r.ajuste for r in moved), ZERO),
                closing.existencias,
                closing.valor,
            ]
            assert [Decimal(cell) for cell in list(row.values())[2:11]] == own
            assert Decimal(row["saldo_final_costo_unitario"]) == closing.costo_promedio
            sums = [one + another for one, another in zip(sums, own, strict=True)]
        whole = totals[-1]
        assert len(totals) == len(expected) + 1
        assert [Decimal(cell) for cell in list(whole.values())[2:11]] == sums
        quantity, value = sums[0] + sums[2] - sums[4], sums[1] + sums[3] - sums[5] + sums[6]
        assert (quantity, value) == (sums[7], sums[8])
        # One book's end is the next one's beginning; of the lines themselves, too.
        assert value == sum(
            (
                number(row["entrada_costo_total"]) - number(row["salida_costo_total"])
                for row in lines
            ),
            sums[1],
        ) + sum(number(row["ajuste"]) for row in lines)
    assert shown == [3, 4, 5, 5]


@pytest.mark.one_postgres
def test_the_lines_are_those_of_each_products_own_kardex(shop: Shop):
    trade_months(shop)
    text = book(shop, "2026-03")["kardex-2026-03.csv"]
    span = ("--desde=2026-03-01", "--hasta=2026-03-31")
    apart = [
        shop.succeed("kardex", product, "--csv", *span).stdout
        for product in ("A-3", "SKU-1", "SKU-2")
    ]
    assert text == apart[0] + "".join(one.partition("\n")[2] for one in apart[1:])
    assert text.splitlines()[0] == ",".join(CSV_COLUMNS)
    assert shop.succeed("kardex", "--all", *span).stdout == text
    assert shop.succeed("kardex", "--all", "--csv", *span).stdout == text
    page = Page(shop.succeed("kardex", "--all", "--html", *span).stdout)
    assert page.text.count("TOTALES") + page.text.count("TOTALS") == 4
    # Which of them is wanted must be said, and in what.
    assert shop.command("kardex").returncode == 2
    assert shop.command("kardex", "--all", "SKU-1").returncode == 2
    done = shop.command("kardex", "--all", "--json")
    assert done.returncode == 1 and "--all is for CSV or --html" in done.stdout


@pytest.mark.one_postgres
def test_the_page_has_each_product_and_the_same_sums(shop: Shop):
    trade_months(shop)
    shop.till("UPDATE productos SET nombre = '<b>Ají' WHERE id_producto = 1")
    shop.run_in_process()
    files = book(shop, "2026-04", ETL_LANG="es")
    page = Page(files["kardex-2026-04.html"])
    assert not {"script", "link", "img", "b", "iframe"} & set(page.tags)
    assert "SKU-1 <b>Ají" in page.text and "Resumen" in page.text
    assert page.tags.count("table") == 5
    # A table's rows are as wide as the first, but for the head's second line.
    totals = rows_of(files["kardex-2026-04-totales.csv"])
    feet = [row for row in page.rows if row and row[0] == "TOTALES"]
    assert len(feet) == len(totals) == 5
    for foot, row in zip(feet, totals, strict=True):
        cells = list(row.values())[2:11]
        shown = [figure(cell) for cell in foot[1:]]
        if row is totals[-1]:
            assert shown == [Decimal(cell) for cell in cells]
        else:
            wanted = [cells[2], cells[3], cells[4], cells[5], cells[6], cells[7], cells[8]]
            found = [shown[0], shown[2], shown[3], shown[5], shown[6], shown[7], shown[9]]
            assert found == [Decimal(cell) for cell in wanted]
    assert "Existencias por sucursal al 30/04/2026: Sucursal 3: 2,5" in page.text
    english = Page(book(shop, "2026-04", ETL_LANG="en")["kardex-2026-04.html"])
    assert "Stock by branch on 2026-04-30: " in english.text and "Summary" in english.text
    assert "{" not in english.text.partition("</style>")[2]


def test_branches_hold_at_the_months_end_what_the_ledger_says(shop: Shop):
    trade_all(shop)
    shop.product(2)
    shop.branch(8)
    opening = "id_producto,id_sucursal,existencias,costo_promedio,fecha\n"
    (shop.folder / "conteo.csv").write_text(
        f"{opening}2,0,4,3,2026-04-02\n2,3,5,3,2026-04-02\n", encoding="utf-8"
    )
    shop.succeed("opening", "conteo.csv")
    # After March: what is not there yet when it ends.
    shop.movement("TRASLADO", BEGINNING + 40 * DAY, 1, 2, id_sucursal_destino=3)
    shop.movement("TRASLADO", BEGINNING + 41 * DAY, 2, 5, id_sucursal=3, id_sucursal_destino=8)
    shop.sale(BEGINNING + 42 * DAY, (1, 1, 9), id_sucursal=3)
    shop.run_in_process()
    held = {}
    for month in ("2026-03", "2026-04", "2026-05"):
        held[month] = {
            (row["codigo_existencia"], int(row["id_sucursal"])): Decimal(row["existencias"])
            for row in rows_of(book(shop, month)[f"kardex-{month}-sucursales.csv"])
        }
    # By hand: 10 - 4 + 1 - 2 there; 2 - 1, counted 4; 9 of all, then 8; - 1 + 2 + 1.
    assert held["2026-03"] == {("SKU-1", 0): 6, ("SKU-1", 3): 4}
    assert held["2026-04"] == {
        **{("SKU-1", 0): 4, ("SKU-1", 3): 5},
        **{("P2", 0): 4, ("P2", 8): 5},
    }
    assert held["2026-05"] == held["2026-04"]
    now = {
        (row["codigo"], row["id_sucursal"]): row["existencias"]
        for row in shop.olap_rows(
            "SELECT p.codigo, e.* FROM dw.existencias_sucursal AS e JOIN dw.producto AS p"
            " USING (id_producto) WHERE e.existencias <> 0"
        )
    }
    assert held["2026-05"] == now


@pytest.mark.one_postgres
@pytest.mark.parametrize("nombre", ["a\rb", "a\nb", "a\r\nb", '=a,"b";\r\r'])
def test_a_name_of_any_characters_is_one_cell(shop: Shop, nombre: str):
    trade_months(shop)
    shop.till("UPDATE productos SET nombre = %s", nombre)
    shop.run_in_process()
    shop.succeed("book", "2026-03", f"--output={folder_of(shop)}")
    for path in folder_of(shop).glob("*.csv"):
        if "sucursales" in path.name:
            continue
        with path.open(encoding="utf-8", newline="") as stream:
            rows = list(csv.DictReader(stream))
        assert {row["descripcion"] for row in rows} <= {nombre, "TOTAL"}


def test_without_branches_there_is_no_file_of_them(shop: Shop):
    shop.env["ETL_INITIAL_SINCE"] = BEGINNING.isoformat()
    shop.product(1)
    shop.receipt(BEGINNING, (1, 3, 4))
    shop.run_in_process()
    files = book(shop, "2026-03")
    assert sorted(files) == [
        "kardex-2026-03-totales.csv",
        "kardex-2026-03.csv",
        "kardex-2026-03.html",
    ]
    assert "Stock by branch" not in files["kardex-2026-03.html"]


@pytest.mark.one_postgres
def test_a_month_is_cut_in_the_shops_zone(shop: Shop):
    zone = ZoneInfo("America/Lima")
    shop.env |= {"ETL_TIMEZONE": zone.key, "ETL_INITIAL_SINCE": "2026-03-01"}
    shop.product(1)
    end = datetime(2026, 4, 1, tzinfo=zone)
    shop.receipt(end - timedelta(microseconds=1), (1, 10, 2))
    shop.receipt(end, (1, 1, 2))
    shop.run_in_process()
    march, april = (
        rows_of(book(shop, month)[f"kardex-{month}.csv"]) for month in ("2026-03", "2026-04")
    )
    assert [row["fecha_emision"] for row in march] == ["2026-03-01", "2026-03-31"]
    assert [row["saldo_cantidad"] for row in april] == ["10.000000", "11.000000"]


@pytest.mark.one_postgres
def test_what_cannot_be_a_book_is_one_line(shop: Shop):
    shop.product(1)
    folder = folder_of(shop)
    output = f"--output={folder}"
    now = datetime.now(UTC)
    shop.env["ETL_INITIAL_SINCE"] = "2026-03-01"
    assert "the windows have not passed 2026-06 yet" in refused(shop, "2026-06", output)
    shop.receipt(BEGINNING, (1, 3, 4))
    shop.run_in_process(as_of=datetime(2026, 6, 30, 23, 59, 59, tzinfo=UTC))
    assert "the data go up to 2026-06-30 23:59:59" in refused(shop, "2026-06", output)
    shop.succeed("book", "2026-05", output)
    shop.run_in_process(as_of=datetime(2026, 7, 1, tzinfo=UTC))
    shop.succeed("book", "2026-06", output)
    for month in ("2026-13", "2026-00", "2026-6", "0000-01", "202606", "june", "", "2026-06-01"):
        assert "is no month, which is written such as 2026-06" in refused(shop, month, output)
    for month in (f"{now:%Y-%m}", f"{now.year + 1}-01", "9999-11"):
        assert f"{month} is not over yet" in refused(shop, month, output)
    assert "2026-02 is before the ledger's first day, 2026-03-01" in refused(
        shop, "2026-02", output
    )
    assert "is no folder: make it first" in refused(shop, "2026-05", f"--output={folder}/none")
    assert {path.name[:14] for path in folder.iterdir()} == {"kardex-2026-05", "kardex-2026-06"}
    (folder / "kardex-2026-04.html").mkdir()
    assert "cannot be written: it is a folder" in refused(shop, "2026-04", output)
    assert sorted(path.name for path in folder.glob("*2026-04*")) == ["kardex-2026-04.html"]
    assert shop.command("book", "2026-05").returncode == 2


@pytest.mark.one_postgres
def test_a_folder_that_cannot_be_written(shop: Shop):
    trade_months(shop)
    # Where root, whom no permission stops, makes no file either.
    assert "error: /proc cannot be written: " in refused(shop, "2026-03", "--output=/proc")


@pytest.mark.one_postgres
def test_all_the_files_or_none(shop: Shop):
    """A ledger that does not foot, of the last product: what was there stays."""
    trade_months(shop)
    before = book(shop, "2026-03") | book(shop, "2026-04")
    cursor = shop.olap.cursor()
    cursor.execute(
        "UPDATE dw.kardex SET valor = valor + 1 WHERE id_producto = 2 AND fecha < '2026-04-01'"
    )
    assert "does not foot at movement" in refused(shop, "2026-03", f"--output={folder_of(shop)}")
    done = shop.command("kardex", "--all", "--desde=2026-03-01")
    assert done.returncode == 1 and len(done.stdout.splitlines()) == 1
    after = {path.name: path.read_text() for path in folder_of(shop).iterdir()}
    assert after == before


@pytest.mark.one_postgres
def test_branches_that_do_not_hold_the_stock_are_refused(shop: Shop):
    trade_months(shop)
    shop.olap.cursor().execute(
        "UPDATE dw.resumen_sucursal SET variacion = variacion + 1 WHERE id_producto = 1"
        " AND id_sucursal = 3"
    )
    said = refused(shop, "2026-03", f"--output={folder_of(shop)}")
    assert "the branches hold" in said and "of product 1" in said


MEASURED = """
import sys
from pipeline.__main__ import main
code = main(sys.argv[1:])
peak = next(line for line in open("/proc/self/status") if line.startswith("VmHWM"))
print(peak.split()[1], file=sys.stderr)
sys.exit(code)
"""


@pytest.mark.one_postgres
def test_it_needs_little_memory_whatever_the_size(shop: Shop):
    """Sixty thousand movements, a third of them of one product."""
    trade(shop)
    shop.run_in_process()
    cursor = shop.olap.cursor()
    cursor.execute(
        "INSERT INTO dw.producto (id_producto, codigo, nombre)"
        " SELECT n, 'M' || n, 'Producto ' || n FROM generate_series(11, 2010) AS n"
    )
    cursor.execute(
        "INSERT INTO dw.kardex (id_producto, fecha, fecha_documento, capa, reverso, id_movimiento,"
        " id_sucursal, version, orden, provisional, tipo, cantidad, costo_unitario, costo_total,"
        " ajuste, existencias, valor, costo_promedio, variacion)"
        " SELECT CASE WHEN n <= 20000 THEN 11 ELSE 12 + n %% 1999 END, fecha, fecha, 0, false,"
        " 1000 + n, 0, 1, 0, false, 'ENTRADA_MERCANCIA', 1, 1, 1, 0, i, i, 1, 1"
        " FROM (SELECT n, %s + n * interval '10 seconds' AS fecha, CASE WHEN n <= 20000 THEN n ELSE"
        " row_number() OVER (PARTITION BY n <= 20000, n %% 1999 ORDER BY n) END AS i"
        " FROM generate_series(1, 60000) AS n) AS m",
        (BEGINNING,),
    )
    cursor.execute(
        "INSERT INTO dw.resumen_sucursal SELECT id_producto, id_sucursal, 1, count(*)"
        " FROM dw.kardex WHERE id_producto > 10 GROUP BY 1, 2"
    )
    cursor.execute("ANALYZE")
    program = [sys.executable, "-c", MEASURED, "book", "2026-03", f"--output={folder_of(shop)}"]
    done = subprocess.run(
        program, cwd=shop.folder, env=shop.env, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert (folder_of(shop) / "kardex-2026-03.csv").read_text().count("\n") > 60000
    assert int(done.stderr.splitlines()[-1]) < 60 * 1024

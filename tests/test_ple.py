"""SUNAT's electronic books 12.1 and 13.1: field by field, footed in cents, and what they lack."""

from __future__ import annotations

import json
import shutil
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal

import pytest
from olap_comparison import replay_shop
from oracle import RECEIPT, SALE
from shop_database import Shop
from shop_server import REPOSITORY
from test_book import folder_of, in_month, refused, state_at
from test_book_closings import correct_march
from test_kardex_command import BEGINNING, DAY, trade, trade_all

from pipeline.kardex.ple import state_of
from pipeline.settings import casts

ZERO = Decimal(0)
CENT = Decimal("0.01")
RUC = "20100070970"
SHIPPED = REPOSITORY / "sql" / "oltp"


@pytest.fixture
def peruvian(shop: Shop) -> Shop:
    """A shop whose queries yield what the PLE wants."""
    shop.till(
        "ALTER TABLE productos ADD tipo_existencia text DEFAULT '01',"
        " ADD unidad_medida text DEFAULT 'NIU'"
    )
    shop.till(
        "ALTER TABLE transacciones ADD tipo_documento text DEFAULT '03',"
        " ADD serie text DEFAULT 'B001', ADD numero text"
    )
    folder = shop.folder / "sql"
    shutil.copytree(SHIPPED, folder)
    for name, before, more in (
        ("productos", "    p.xmin AS", "p.tipo_existencia, p.unidad_medida, '%' AS marca,\n"),
        # A number, as many shops have them.
        (
            "movimientos",
            "    d.xmin AS",
            "t.tipo_documento, t.serie, t.id_transaccion AS numero, '%' AS marca,\n",
        ),
    ):
        path = folder / f"{name}.sql"
        text = path.read_text()
        assert text.count(before) == 1
        path.write_text(text.replace(before, more + before))
    shop.env |= {"ETL_OLTP_SQL_DIR": str(folder), "ETL_RUC": RUC, "ETL_ESTABLISHMENT": "0001"}
    return shop


def name(book: str, month: str = "202603", has_lines: bool = True) -> str:
    return f"LE{RUC}{month}00{book}001{int(has_lines)}11.txt"


def books(shop: Shop, month: str = "2026-03") -> tuple[list[list[str]], list[list[str]]]:
    """The fields of each line of 12.1 and of 13.1."""
    shop.succeed("book", month, f"--output={folder_of(shop)}", "--format=ple")
    found = []
    for book, fields in (("120100", 19), ("130100", 27)):
        text = (folder_of(shop) / name(book, month.replace("-", ""))).read_bytes().decode()
        lines = text.split("\r\n")
        assert lines.pop() == "" and "\n" not in "".join(lines)
        rows = [line.split("|") for line in lines]
        # Each field ends with a bar, the last one too.
        assert {len(row) for row in rows} == {fields + 1}
        found.append([row[:-1] for row in rows])
    return found[0], found[1]


def cents(value: Decimal) -> Decimal:
    return value.quantize(CENT, ROUND_HALF_UP)


def check_form(rows: list[list[str]], numbers: slice, month: str = "202603") -> None:
    """What the annex says of the fields that both have."""
    for row in rows:
        assert (row[0], row[3], row[4], row[7], row[8]) == (f"{month}00", "0001", "9", "", "")
        assert row[-1] == "1"
        assert f"{datetime.strptime(row[9], '%d/%m/%Y'):%Y%m}" == month
        for cell in row[numbers]:
            whole, _, decimals = cell.partition(".")
            assert whole.lstrip("-").isdigit() and 2 <= len(decimals) <= 8
            assert not cell.startswith("-0.00") or Decimal(cell)
    keys = [tuple(row[:14]) for row in rows]
    assert len(keys) == len(set(keys))


def check_footed(rows: list[list[str]], *, products: bool = True) -> None:
    """Of 13.1: each balance is the one before with what entered and left, in cents and in units."""
    quantity = value = ZERO
    product = None
    for row in rows:
        entry, exit_, balance = ([Decimal(c) for c in row[at : at + 3]] for at in (17, 20, 23))
        if row[6] != product:
            product, quantity, value = row[6], ZERO, ZERO
            assert row[13] == "16"
        quantity, value = quantity + entry[0] + exit_[0], value + entry[2] + exit_[2]
        assert (quantity, value) == (balance[0], balance[2])
        assert exit_[0] <= 0 and min(entry[1], exit_[1], balance[1]) >= 0
        for amounts in (entry, exit_, balance):
            # A product, but for the cents in which balances are cut and the unit's six decimals.
            off = abs(amounts[0] * amounts[1] - amounts[2])
            assert (
                not products
                or off <= CENT + abs(amounts[0]) / 10**6
                or (row[13] == "99" and not amounts[0])
            )


def test_the_books_are_the_replays_in_cents(peruvian: Shop):
    trade(peruvian)
    peruvian.till(
        "UPDATE transacciones SET tipo_documento = '01', serie = 'F002' WHERE tipo = %s", RECEIPT
    )
    peruvian.run_in_process()
    replay = replay_shop(peruvian, BEGINNING)
    units, valued = books(peruvian)
    check_form(units, slice(16, 18))
    check_form(valued, slice(17, 26))
    check_footed(valued)
    first, last = date(2026, 3, 1), date(2026, 3, 31)
    cursor = peruvian.oltp.cursor()
    cursor.execute("SELECT id_detalle, id_transaccion FROM detalle_transaccion")
    headers = dict(cursor.fetchall())
    adjustments = 0
    for product in (1, 2):
        own = [row for row in valued if row[6] == f"SKU-{product}"]
        assert own[0][1:3] == [f"S202603{product}", "M1"]
        assert own[0][9:14] == ["01/03/2026", "00", "0", "0", "16"]
        moved = in_month(replay, product, first, last)
        lines = [row for row in own[1:] if row[13] != "99"]
        assert [row[1] for row in lines] == [str(row.id_movimiento) for row in moved]
        for row, expected in zip(lines, moved, strict=True):
            day = f"{replay.rules.day(expected.fecha):%d/%m/%Y}"
            document = ["03", "B001"] if expected.tipo == SALE else ["01", "F002"]
            number = str(headers[expected.id_movimiento])
            code = "01" if expected.tipo == SALE else "02"
            assert row[9:14] == [day, *document, number, code]
            assert row[14:17] == [f"Producto {product}", "NIU", "1"]
            side, other, sign = (17, 20, 1) if expected.tipo == RECEIPT else (20, 17, -1)
            assert Decimal(row[side]) == sign * expected.cantidad
            assert [Decimal(cell) for cell in row[other : other + 3]] == [0, 0, 0]
            assert abs(Decimal(row[side + 2]) - sign * expected.costo_total) < CENT
            assert Decimal(row[23]) == expected.existencias
            assert Decimal(row[25]) == cents(expected.valor)
            if expected.existencias:
                assert Decimal(row[24]) == expected.costo_promedio
        for row in own:
            if row[13] == "99":
                adjustments += 1
                (of,) = [m for m in moved if str(m.id_movimiento) == row[1]]
                assert abs(Decimal(row[19]) - of.ajuste) <= CENT and Decimal(row[17]) == 0
        closing = state_at(replay, product, last + DAY)
        assert sum(Decimal(row[19]) + Decimal(row[22]) for row in own) == cents(closing.valor)
        in_units = [row for row in units if row[6] == f"SKU-{product}"]
        assert [row[1] for row in in_units[1:]] == [str(row.id_movimiento) for row in moved]
        moves = [[Decimal(cell) for cell in row[16:18]] for row in in_units]
        assert sum(map(sum, moves)) == cents(closing.existencias)
        for (entry, exit_), expected in zip(moves[1:], moved, strict=True):
            assert not (entry and exit_) and exit_ <= 0
            assert abs(entry - exit_ - expected.cantidad) <= CENT
    assert adjustments


def test_every_type_has_its_lines_and_the_next_month_goes_on(peruvian: Shop):
    trade_all(peruvian)
    units, valued = books(peruvian)
    check_form(units, slice(16, 18))
    check_form(valued, slice(17, 26))
    check_footed(valued)
    codes = ["16", "02", "01", "24", "11", "21", "13", "28", "28", "99", "25", "19", "28"]
    bought_back = codes.index("25")
    # What was credited above its cost is a line of its own before that return.
    assert [row[13] for row in valued] == [*codes[:bought_back], "99", *codes[bought_back:]]
    assert [row[13] for row in units] == [code for code in codes if code != "99"]
    there, here = [row for row in valued if row[13] in ("11", "21")]
    assert there[1] == here[1] and (there[2], here[2]) == ("M1", "M2")
    (next_units,), (next_valued,) = books(peruvian, "2026-04")
    assert next_valued[13] == "16" and next_valued[23:26] == valued[-1][23:26]
    assert next_valued[17:20] == next_valued[23:26]
    assert Decimal(next_units[16]) == Decimal(valued[-1][23])
    assert (next_valued[2], next_valued[9]) == ("M1", "01/04/2026")


def test_numbers_of_any_size_are_exact(peruvian: Shop):
    peruvian.env["ETL_INITIAL_SINCE"] = BEGINNING.isoformat()
    peruvian.product(1)
    (peruvian.folder / "conteo.csv").write_text(
        "id_producto,existencias,costo_promedio\n1,99999999999.999999,99999999999.999999\n"
    )
    peruvian.receipt(BEGINNING, (1, "1", "50000000000.000001"))
    peruvian.run_in_process()
    peruvian.succeed("opening", "conteo.csv")
    peruvian.sale(BEGINNING + DAY, *[(1, "0.004", 1)] * 3)
    peruvian.run_in_process()
    units, valued = books(peruvian)
    # A sale takes with it what a unit of six decimals is off by, times what remains.
    check_footed(valued, products=False)
    (row,) = peruvian.olap_rows(
        "SELECT existencias, valor FROM dw.kardex ORDER BY fecha DESC, id_movimiento DESC LIMIT 1"
    )
    assert [Decimal(cell) for cell in (valued[-1][23], valued[-1][25])] == [
        row["existencias"],
        cents(row["valor"]),
    ]
    assert sum(Decimal(c) for line in units for c in line[16:18]) == cents(row["existencias"])


@pytest.mark.one_postgres
def test_what_is_missing_is_named_product_by_product(peruvian: Shop):
    trade(peruvian)
    for product in (3, 4, 5, 6):
        peruvian.product(product, codigo={3: "A|B", 4: "dos", 5: "dos", 6: "x" * 25}[product])
        peruvian.receipt(BEGINNING, (product, 1, 1))
    peruvian.till("UPDATE productos SET nombre = ' / ' WHERE id_producto = 6")
    peruvian.run_in_process()
    output = (f"--output={folder_of(peruvian)}", "--format=ple")
    peruvian.till(
        "UPDATE productos SET tipo_existencia = '11', unidad_medida = ' ' WHERE id_producto = 1"
    )
    peruvian.till("UPDATE transacciones SET serie = NULL WHERE id_transaccion < 3")
    peruvian.till("UPDATE transacciones SET tipo_documento = '00' WHERE id_transaccion = 4")
    peruvian.till("UPDATE transacciones SET tipo_documento = 'FAC' WHERE id_transaccion = 5")
    done = peruvian.command("book", "2026-03", *output)
    assert done.returncode == 1
    *listed, said = done.stdout.splitlines()
    assert "5 products lack what the PLE wants, see the list; no file was written" in said
    told = {line.partition(":")[0]: line for line in listed}
    assert (
        list(told)
        == [
            "product 3 (A|B)",
            "product 1 (SKU-1)",
            "product 2 (SKU-2)",
            "product 5 (dos)",
            f"product 6 ({'x' * 25})",
        ]
        or len(told) == 6
    )
    first = told["product 1 (SKU-1)"]
    for fault in (
        "tipo_existencia is '11'",
        "no unidad_medida",
        "no serie in 2 lines, first in movement 1",
        "tipo_documento is '00' in 1 lines",
        "tipo_documento is 'FAC' in 1 lines",
    ):
        assert fault in first, first
    assert "codigo is 'A|B'" in told["product 3 (A|B)"]
    assert "the code 'dos' is that of product 4, too" in told["product 5 (dos)"]
    assert "no nombre" in told[f"product 6 ({'x' * 25})"]
    assert list(folder_of(peruvian).iterdir()) == []
    done = peruvian.command("book", "2026-03", *output, "--json")
    missing = json.loads(done.stdout[: done.stdout.rindex("}\n{") + 2])["missing"]
    assert missing == listed


@pytest.mark.one_postgres
def test_the_id_of_a_product_is_the_code_of_another(peruvian: Shop):
    peruvian.env["ETL_INITIAL_SINCE"] = BEGINNING.isoformat()
    for product, codigo in ((7, "0"), (8, "0"), (9, "7"), (10, "8"), (11, "z")):
        peruvian.product(product, codigo=codigo)
    # By its id, as one whose code is blank.
    peruvian.till("UPDATE productos SET codigo = NULL WHERE id_producto = 7")
    peruvian.till("UPDATE productos SET codigo = ' ' WHERE id_producto = 8")
    peruvian.receipt(BEGINNING + DAY, *((product, 1, 1) for product in range(7, 12)))
    peruvian.till("UPDATE transacciones SET numero = '1'")
    peruvian.run_in_process()
    done = peruvian.command("book", "2026-03", f"--output={folder_of(peruvian)}", "--format=ple")
    assert done.returncode == 1
    assert "product 7 (7): the code '7' is that of product 9, too" in done.stdout.splitlines()
    assert "product 10 (8): the code '8' is that of product 8, too" in done.stdout.splitlines()
    assert not list(folder_of(peruvian).iterdir())


def test_what_moves_without_a_code_of_the_table_is_among_others(peruvian: Shop):
    peruvian.olap.cursor().execute("UPDATE dw.tipo_movimiento SET sunat = NULL")
    trade_all(peruvian)
    peruvian.till("UPDATE transacciones SET numero = '1'")
    _units, valued = books(peruvian)
    check_footed(valued, products=False)
    # Of the transfer the entry alone has one.
    assert {row[13] for row in valued} == {"16", "19", "21", "99"}


def test_queries_without_the_columns_lack_everything(shop: Shop):
    trade(shop)
    shop.run_in_process()
    output = (f"--output={folder_of(shop)}", "--format=ple")
    assert "ETL_RUC is not set" in refused(shop, "2026-03", *output)
    done = shop.command("book", "2026-03", *output, ETL_RUC=RUC)
    assert done.returncode == 1
    *listed, _said = done.stdout.splitlines()
    assert (
        len(listed) == 2 and "no tipo_existencia; no unidad_medida; no tipo_documento" in listed[0]
    )
    assert list(folder_of(shop).iterdir()) == []


def test_what_belongs_to_a_closed_month_says_so(peruvian: Shop):
    expected = correct_march(peruvian)
    units, valued = books(peruvian, "2026-04")
    assert [row[13] for row in valued] == ["16", *(line.operation for line in expected)]
    # Of March, noted there or not, and of April; the layer of a correction tells its lines apart.
    assert [(row[0], row[2], row[26]) for row in valued] == [
        ("20260400", "M1", "1"),
        ("20260300", "M11", "9"),
        ("20260300", "M21", "9"),
        ("20260300", "M11", "9"),
        ("20260300", "M11", "9"),
        ("20260300", "M12", "9"),
        ("20260300", "M1", "8"),
        ("20260400", "M1", "1"),
    ]
    quantity, value = Decimal(valued[0][23]), Decimal(valued[0][25])
    for row, line in zip(valued[1:], expected, strict=True):
        assert (row[1], row[9]) == (str(line.number), f"{line.document:%d/%m/%Y}")
        # Of a document that was voided, too.
        assert row[10:12] == ["03", "B001"]
        entry, exit_ = line.entry or (ZERO, ZERO), line.exit or (ZERO, ZERO)
        assert (Decimal(row[17]), Decimal(row[20])) == (entry[0], -exit_[0])
        change = cents(line.after[2]) - value
        assert (Decimal(row[19]), Decimal(row[22])) == ((change, 0) if line.entry else (0, change))
        quantity, value = line.after[0], cents(line.after[2])
        assert (Decimal(row[23]), Decimal(row[25])) == (quantity, value)
        assert min(Decimal(row[18]), Decimal(row[21]), Decimal(row[24])) >= 0
    for row, line in zip(units[1:], valued[1:], strict=True):
        assert [Decimal(cell) for cell in row[16:18]] == [Decimal(line[17]), Decimal(line[20])]
        assert [*row[:3], row[18]] == [*line[:3], line[26]]
    for rows in (units, valued):
        keys = [(*row[:7], *row[9:14]) for row in rows]
        assert len(keys) == len(set(keys))
    # Corrected again, once April is closed: noted, though it came late.
    peruvian.succeed("close", "2026-04-30")
    peruvian.correct_line(expected[5].number, costo_unitario=8)
    peruvian.run_in_process()
    _units, valued = books(peruvian, "2026-05")
    # There is less left than it had cost: it leaves at the average, and the rest is adjustment.
    assert [(row[0], row[2], row[13], row[26]) for row in valued[1:]] == [
        ("20260300", "M11", "99", "9"),
        ("20260300", "M12", "02", "9"),
        ("20260300", "M21", "02", "9"),
    ]


@pytest.mark.one_postgres
def test_what_was_archived_has_no_document(peruvian: Shop):
    expected = correct_march(peruvian)
    output = (f"--output={folder_of(peruvian)}", "--format=ple")
    peruvian.succeed("book", "2026-03", *output)
    before = {path.name: path.read_bytes() for path in folder_of(peruvian).iterdir()}
    sold, first, late = expected[1].number, 1, expected[5].number
    peruvian.till(
        "DELETE FROM detalle_transaccion WHERE id_detalle IN (%s, %s, %s, %s)",
        *(first, sold, late, expected[3].number),
    )
    for month, faults in (
        ("2026-03", f"the movement no more, in 2 lines, first in movement {first}"),
        ("2026-04", f"the movement no more, in 3 lines, first in movement {sold}"),
    ):
        done = peruvian.command("book", month, *output)
        assert done.returncode == 1
        listed, said = done.stdout.splitlines()
        # Of the transfer none is needed.
        assert listed == (
            "product 1 (SKU-1): no tipo_documento, serie and numero, since the OLTP has " + faults
        )
        assert "1 products lack what the PLE wants" in said
    assert {path.name: path.read_bytes() for path in folder_of(peruvian).iterdir()} == before
    peruvian.till("DELETE FROM productos")
    done = peruvian.command("book", "2026-03", *output)
    assert (
        "product 1 (SKU-1): no tipo_existencia and unidad_medida, since the OLTP has the product no"
        " more; " in done.stdout
    )
    # The CSV and the page need nothing of it.
    peruvian.succeed("book", "2026-03", output[0])


@pytest.mark.one_postgres
def test_a_month_without_anything_is_an_empty_file_of_that_name(peruvian: Shop):
    peruvian.env["ETL_INITIAL_SINCE"] = "2026-03-01"
    peruvian.product(1)
    peruvian.receipt(BEGINNING + 40 * DAY, (1, 1, 1))
    peruvian.run_in_process()
    folder = folder_of(peruvian)
    stale = [folder / name(book) for book in ("120100", "130100")]
    other = folder / name("130100", "202602")
    for path in (*stale, other):
        path.write_text("before")
    peruvian.succeed("book", "2026-03", f"--output={folder}", "--format=ple")
    empty = {name(book, has_lines=False) for book in ("120100", "130100")}
    assert {path.name for path in folder.iterdir()} == {*empty, other.name}
    assert all((folder / one).read_bytes() == b"" for one in empty)


def test_the_state_of_a_line():
    month = date(2026, 6, 1)
    assert state_of(date(2026, 6, 1), month, noted=False) == ("20260600", "1")
    assert state_of(date(2026, 6, 30), month, noted=True) == ("20260600", "1")
    assert state_of(date(2026, 5, 31), month, noted=False) == ("20260500", "8")
    assert state_of(date(2025, 12, 3), month, noted=True) == ("20251200", "9")


def test_a_ruc_proves_itself():
    for good in ("20100070970", "20131312955", "20100047218", ""):
        assert casts.ruc(good) == good
    for bad in ("20100070971", "2010007097", "201000709700", "2010007097x"):
        with pytest.raises(ValueError):
            casts.ruc(bad)
    for bad in ("", "1", "12345678", "000x"):
        with pytest.raises(ValueError):
            casts.establishment(bad)

"""The columns that movimientos.sql may lack: read where they are, null where they are not."""

from __future__ import annotations

import csv
import json
import shutil
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from shop_database import Shop

SHIPPED = Path(__file__).parents[1] / "sql" / "oltp"
OPTIONAL = "    d.id_origen,\n    t.id_sucursal_destino,\n    d.importe,\n"
BEGINNING = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.fixture
def returned(shop: Shop) -> Shop:
    """A receipt, and a sale that waits as a reject, with all three columns."""
    shop.env["ETL_INITIAL_SINCE"] = BEGINNING.isoformat()
    shop.product(1)
    shop.branch(2)
    (receipt,) = shop.receipt(BEGINNING, (1, 10, 5))
    (sale,) = shop.sale(BEGINNING + timedelta(days=1), (9, 1, 7))
    shop.correct_line(sale, id_origen=receipt, importe=Decimal("6.99"))
    shop.correct_document(sale, id_sucursal_destino=2)
    return shop


def own(shop: Shop, new: str) -> None:
    """The shop's own queries, with `new` in place of the three columns."""
    folder = shop.folder / "sql"
    shutil.copytree(SHIPPED, folder, dirs_exist_ok=True)
    text = (SHIPPED / "movimientos.sql").read_text(encoding="utf-8")
    assert OPTIONAL in text
    (folder / "movimientos.sql").write_text(text.replace(OPTIONAL, new), encoding="utf-8")
    shop.env["ETL_OLTP_SQL_DIR"] = str(folder)


def waiting(shop: Shop) -> list[tuple]:
    read = "SELECT id_origen, id_sucursal_destino, importe FROM etl.rechazo"
    return [tuple(row.values()) for row in shop.olap_rows(read)]


def test_they_are_read_and_kept_with_what_waits(returned: Shop):
    returned.run()
    assert waiting(returned) == [(1, 2, Decimal("6.99"))]
    # Tried again from what is kept, too.
    returned.run()
    assert waiting(returned) == [(1, 2, Decimal("6.99"))]


def test_a_query_without_them_is_valid_and_null(returned: Shop):
    own(returned, "")
    doctor = returned.command("doctor").stdout
    assert "keeps the contract" in doctor and "importe" not in doctor
    assert returned.command("plan").returncode == 0
    returned.run()
    assert waiting(returned) == [(None, None, None)]
    # One that yields them now is another query.
    own(returned, OPTIONAL)
    assert "movimientos.sql was edited" in returned.run().stdout
    assert waiting(returned) == [(1, 2, Decimal("6.99"))]


@pytest.mark.parametrize(
    ("column", "wrong", "allowed"),
    [
        ("id_origen", "json", "bigint or character or character varying or integer or smallint"),
        ("id_sucursal_destino", "numeric", "smallint or text or uuid"),
        ("importe", "text", "numeric or real or smallint"),
        ("impuesto", "text", "numeric or real or smallint"),
        ("precio_con_impuesto", "integer", "boolean"),
    ],
)
def test_a_wrong_type_is_one_line(shop: Shop, column: str, wrong: str, allowed: str):
    own(shop, f"    NULL::{wrong} AS {column},\n")
    done = shop.command("plan")
    assert done.returncode == 1 and len(done.stdout.splitlines()) == 1
    assert f"movimientos.sql yields {column} as {wrong}, but must yield" in done.stdout
    assert allowed in done.stdout
    assert f"movimientos.sql yields {column}" in " ".join(shop.command("doctor").stdout.split())


def test_a_float_keeps_every_digit(returned: Shop):
    own(returned, OPTIONAL.replace("d.importe", "d.importe::float8 AS importe"))
    returned.till("UPDATE detalle_transaccion SET importe = 1234567890.12346 WHERE id_producto = 9")
    returned.run()
    assert waiting(returned) == [(1, 2, Decimal("1234567890.12346"))]


def test_an_extract_of_before_is_loaded(returned: Shop):
    returned.olap.cursor().execute("REVOKE INSERT ON etl.etapa FROM etl_cargador")
    assert returned.run_due().returncode != 0
    returned.olap.cursor().execute("GRANT INSERT ON etl.etapa TO etl_cargador")
    (path,) = Path(returned.env["ETL_STATE_DIR"]).rglob("extract.json")
    receipt = json.loads(path.read_text(encoding="utf-8"))
    import hashlib

    for name, columns in (("products.csv", 4), ("branches.csv", 2), ("movements.csv", 9)):
        file, known = path.parent / name, receipt["archivos"][name]
        rows = list(csv.reader(file.open(newline="")))
        file.write_text("".join(",".join(row[:columns]) + "\n" for row in rows), encoding="utf-8")
        del known["columns"]
        known["bytes"] = file.stat().st_size
        known["sha256"] = receipt["sha256"] = hashlib.sha256(file.read_bytes()).hexdigest()
    path.write_text(json.dumps(receipt), encoding="utf-8")
    returned.run()
    assert len(returned.olap_rows("SELECT FROM dw.kardex")) == 1
    (first,) = returned.olap_rows("SELECT sha256 FROM etl.corrida ORDER BY numero LIMIT 1")
    assert first["sha256"] == known["sha256"]


def test_an_example_of_before_is_upgraded(shop: Shop):
    shop.till("ALTER TABLE detalle_transaccion DROP COLUMN id_origen, DROP COLUMN importe")
    shop.till("ALTER TABLE transacciones DROP COLUMN id_sucursal_destino")
    done = shop.command("plan")
    assert done.returncode == 1 and "init --example-oltp`, which adds it" in done.stdout
    for _ in range(2):
        shop.succeed("init", "--example-oltp")
    assert shop.command("plan").returncode == 0
    with shop.oltp.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_constraint WHERE contype = 'f'")
        assert cursor.fetchall() == [(4,)]

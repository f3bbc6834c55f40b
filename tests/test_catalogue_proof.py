"""verify, of what the OLAP copies beside the ledger: the catalogue, branches and documents."""

from __future__ import annotations

import pytest
from fault_shop import loaded
from shop_database import Shop
from test_encodings import SHIPPED, own_queries
from test_opening import give
from test_own_ids import number, worded, write  # noqa: F401
from test_verify import verified

pytestmark = pytest.mark.one_postgres

EDITS = {
    "name": "UPDATE dw.producto SET nombre = 'X' WHERE id_producto = 1",
    "code": "UPDATE dw.producto SET codigo = NULL WHERE id_producto = 1",
    "supplier": "UPDATE dw.producto SET proveedor = 'X' WHERE id_producto = 1",
    "active": "UPDATE dw.producto SET activo = false WHERE id_producto = 1",
    "reference": "UPDATE dw.producto SET costo_catalogo = 3 WHERE id_producto = 1",
    "hidden": "UPDATE dw.producto SET vigente = false WHERE id_producto = 1",
    "invented": "INSERT INTO dw.producto (id_producto, codigo) VALUES (999, 'X')",
    "branch": "UPDATE dw.sucursal SET nombre = 'X' WHERE id_sucursal = 1",
}
KINDS = {"hidden": "missing", "invented": "extra"}


@pytest.mark.parametrize("edit", EDITS)
def test_an_edited_catalogue_is_found_and_mended(shop: Shop, edit: str):
    loaded(shop)
    assert verified(shop)[0] == 0
    shop.olap.cursor().execute(EDITS[edit])
    # Not only of a whole one.
    code, findings = verified(shop)
    assert code == 1
    (fault,) = findings["catalogue"]
    query = "sucursales" if edit == "branch" else "productos"
    assert (fault["query"], fault["kind"]) == (query, KINDS.get(edit, "different"))
    assert fault["id"] == (999 if edit == "invented" else 1)
    assert fault["code"] in shop.command("verify").stdout
    shop.command("verify", "--repair")
    code, findings = verified(shop, "--all")
    assert findings["catalogue"] == [] and code == 0, findings


def test_what_is_wrong_is_called_by_the_shops_own_id(worded: Shop):  # noqa: F811
    write(worded, "ENTRADA_MERCANCIA", ("A-1", 2, 3))
    worded.run()
    cursor = worded.olap.cursor()
    cursor.execute("UPDATE dw.sucursal SET nombre = 'X' WHERE clave = 'norte'")
    cursor.execute("UPDATE dw.producto SET nombre = 'X' WHERE clave = 'A-1'")
    code, findings = verified(worded, "--all")
    assert code == 1
    assert [row["code"] for row in findings["catalogue"]] == ["A-1", "norte"]


CHANGES = {
    "renamed": "UPDATE productos SET nombre = 'Otro' WHERE id_producto = 1",
    "branch": "UPDATE sucursales SET nombre = 'Otra' WHERE id_sucursal = 1",
    "without": "UPDATE productos SET nombre = '', codigo = ' a ', categoria = NULL"
    " WHERE id_producto = 1",
    "accent": "UPDATE productos SET categoria = 'Sin categoría' WHERE id_producto = 1",
    "new": "INSERT INTO productos (id_producto, codigo, nombre, categoria)"
    " VALUES (777, 'n', E'a\\n\"b,', 'c')",
}


@pytest.mark.parametrize("capture", ["xmin", "full"])
@pytest.mark.parametrize("change", CHANGES)
def test_what_the_shop_changes_is_no_fault_before_or_after_the_window(
    shop: Shop, change: str, capture: str
):
    shop.env["ETL_CAPTURE"] = capture
    loaded(shop)
    shop.till(CHANGES[change])
    code, findings = verified(shop, "--all")
    assert code == 0, findings
    shop.run_in_process()
    code, findings = verified(shop, "--all")
    assert code == 0, findings
    (clean,) = shop.olap_rows("SELECT count(*) AS n FROM dw.producto WHERE vigente")
    assert clean["n"] > 0


DOCUMENTS = {
    "renamed": "UPDATE dw.documento_movimiento SET documento = 'X' WHERE id_movimiento = %s",
    "moved": "UPDATE dw.documento_movimiento SET id_documento = 1 WHERE id_movimiento = %s",
    "deleted": "DELETE FROM dw.documento_movimiento WHERE id_movimiento = %s",
}


@pytest.mark.parametrize("edit", DOCUMENTS)
def test_an_edited_document_is_found_and_mended(worded: Shop, edit: str):  # noqa: F811
    ids = write(worded, "ENTRADA_MERCANCIA", ("A-1", 2, 3), ("A-1", 3, 3))
    worded.run()
    assert verified(worded)[0] == 0
    worded.olap.cursor().execute(DOCUMENTS[edit], (number(ids[0]),))
    code, findings = verified(worded, "--all")
    wrong = [number(ids[0])]
    assert (code, findings["documents"], findings["different"]) == (1, wrong, [])
    worded.command("verify", "--repair")
    code, findings = verified(worded, "--all")
    assert code == 0, findings


def test_products_that_leave_come_back_or_only_have_an_opening_are_no_fault(shop: Shop):
    loaded(shop)
    shop.product(777)
    shop.run_in_process()
    give(shop, "id_producto,existencias,costo_promedio\n777,5,4\n")
    (before,) = shop.olap_rows("SELECT count(*) AS n FROM dw.producto")
    for change in (
        "DELETE FROM productos WHERE id_producto IN (3, 777)",
        "INSERT INTO productos (id_producto, codigo, nombre, categoria)"
        " VALUES (3, 'otro', 'Otro', 'otra')",
        "UPDATE productos SET codigo = NULL, nombre = ''",
    ):
        shop.till(change)
        for _ in range(2):
            code, findings = verified(shop)
            assert code == 0, (change, findings)
            code, findings = verified(shop, "--all")
            assert code == 0, (change, findings)
            shop.run_in_process()
    (after,) = shop.olap_rows("SELECT count(*) AS n FROM dw.producto")
    assert after == before


LINE, PRODUCT = "    d.xmin AS version_1", "    p.xmin AS version_1"
COLUMNS = {
    "some": ("true AS activo, ' x ' AS proveedor, 1.23456789 AS costo_referencia,", ""),
    "empty": ("NULL::text AS proveedor, -1.0 AS costo_referencia, false AS activo,", ""),
    "blank": ("' ' AS proveedor, 1e300::float8 AS costo_referencia,", "'' AS documento,"),
    "float": ("1.1::real AS costo_referencia, NULL::boolean AS inventariable,", ""),
    "documents": ("", "'F-' || d.id_detalle AS documento, d.id_transaccion AS id_documento,"),
    "of text": ("", "'F' || d.id_transaccion AS id_documento,"),
}


def with_columns(shop: Shop, product: str, movement: str) -> None:
    """The shipped queries, with more columns."""
    texts = {}
    for name, before, more in (("productos", PRODUCT, product), ("movimientos", LINE, movement)):
        text = (SHIPPED / f"{name}.sql").read_text(encoding="utf-8")
        assert before in text
        texts[name] = text.replace(before, f"{more}\n{before}") if more else text
    own_queries(shop, **texts)


@pytest.mark.parametrize("columns", COLUMNS)
def test_columns_that_come_and_go_are_no_fault(shop: Shop, columns: str):
    with_columns(shop, "", "")
    loaded(shop)
    for there in (COLUMNS[columns], ("", ""), COLUMNS[columns]):
        with_columns(shop, *there)
        code, findings = verified(shop, "--all")
        assert code == 0 and findings["restored"], findings
        shop.run_in_process()
        code, findings = verified(shop, "--all")
        assert (code, findings["restored"]) == (0, None), findings


def test_a_document_that_was_renamed_where_no_version_shows_it(shop: Shop):
    """As of what a movement is, a whole verify tells it, and a repair reads it."""
    name = "(SELECT q.nombre FROM public.productos AS q WHERE q.id_producto = 1) AS documento,"
    with_columns(shop, "", name)
    loaded(shop)
    assert verified(shop, "--all")[0] == 0
    shop.till("UPDATE productos SET nombre = 'Otro' WHERE id_producto = 1")
    shop.run_in_process()
    code, findings = verified(shop, "--all")
    assert code == 1 and findings["documents"] and not findings["different"], findings
    assert shop.command("verify", "--repair").returncode == 0
    assert verified(shop, "--all")[1]["documents"] == []


def test_what_every_window_reads_whole_only_waits(shop: Shop):
    """With ETL_CAPTURE=full the next one has it, whatever has a version."""
    shop.env["ETL_CAPTURE"] = "full"
    supplier = "(SELECT min(s.nombre) FROM public.sucursales AS s) AS proveedor,"
    document = "(SELECT min(s.nombre) FROM public.sucursales AS s) AS documento,"
    with_columns(shop, supplier, document)
    loaded(shop)
    shop.till("UPDATE sucursales SET nombre = 'Otra'")
    code, findings = verified(shop, "--all")
    assert code == 0, findings
    shop.run_in_process()
    assert verified(shop, "--all")[0] == 0
    for column, table in (("proveedor", "producto"), ("documento", "documento_movimiento")):
        copied = shop.olap_rows(f"SELECT DISTINCT {column} AS text FROM dw.{table}")
        assert copied == [{"text": "Otra"}]


def test_a_document_that_is_invented_is_found_and_mended(shop: Shop):
    loaded(shop)
    invents = "INSERT INTO dw.documento_movimiento (id_movimiento, documento) VALUES (20, 'X')"
    shop.olap.cursor().execute(invents)
    code, findings = verified(shop, "--all")
    assert (code, findings["documents"], findings["different"]) == (1, [20], [])
    assert "20" in shop.command("verify").stdout
    assert shop.command("verify", "--repair").returncode == 0
    assert not shop.olap_rows("SELECT FROM dw.documento_movimiento")

"""Whatever is changed by hand of what is closed, and by whomever, verify names the closing."""

from __future__ import annotations

import json
import re

import pytest
from closed_shop import FEBRUARY, JANUARY, ClosedShop
from shop_database import Shop


@pytest.fixture
def closed(shop: Shop) -> ClosedShop:
    """January and February are closed."""
    it = ClosedShop(shop)
    it.close()
    it.close(FEBRUARY)
    return it


CHANGED = {
    "numeric": "coalesce({}, 0) + 1",
    "int8": "coalesce({}, 0) + 1000",
    "int2": "{} + 5",
    "text": "{} || 'x'",
    "bool": "NOT coalesce({}, false)",
    "timestamptz": "{} - interval '1 second'",
}


def test_every_column_of_a_closed_row_is_in_its_fingerprint(closed: ClosedShop):
    it = closed
    row = f"WHERE id_movimiento = {it.sale}"
    tamperings = each_column(it.shop, row)
    tamperings["deleted"] = f"DELETE FROM dw.kardex {row}"
    found = {}
    with it.shop.olap.cursor() as cursor:
        for what, tampering in tamperings.items():
            cursor.execute(f"BEGIN; SET LOCAL session_replication_role = replica; {tampering}")
            cursor.execute("SELECT array_agg(dia) FROM etl.verificar_cierres()")
            (found[what],) = cursor.fetchone()
            cursor.execute("ROLLBACK")
    assert found == {what: [JANUARY] for what in tamperings}


def each_column(shop: Shop, row: str) -> dict[str, str]:
    """A statement for each column of the ledger that changes it in that row."""
    columns = shop.olap_rows(
        "SELECT a.attname AS name, t.typname AS type FROM pg_attribute AS a"
        " JOIN pg_type AS t ON t.oid = a.atttypid"
        " WHERE a.attrelid = 'dw.kardex'::regclass AND a.attnum > 0 AND NOT a.attisdropped"
    )
    assert len(columns) > 20
    return {
        column["name"]: f"UPDATE dw.kardex SET {column['name']} ="
        f" {CHANGED[column['type']].format(column['name'])} {row}"
        for column in columns
    }


def test_every_column_of_a_reversal_is_that_of_what_it_takes_back(closed: ClosedShop):
    it = closed
    it.shop.correct_line(it.sale, cantidad=90)
    it.read()
    row = f"WHERE id_movimiento = {it.sale} AND reverso"
    tamperings = each_column(it.shop, row)
    # Which run wrote it is no part of the books.
    del tamperings["version"]
    after = f"UPDATE dw.kardex SET capa = 3 WHERE id_movimiento = {it.sale} AND capa = 2"
    silent = []
    with it.shop.olap.cursor() as cursor:
        for what, tampering in {**tamperings, "the place of what it is now": after}.items():
            cursor.execute(f"BEGIN; SET LOCAL session_replication_role = replica; {tampering}")
            assert cursor.rowcount == 1
            cursor.execute(
                "SELECT count(*) FROM generate_series(0, 2) AS p (parte)"
                " CROSS JOIN LATERAL etl.verificar_libros(p.parte, false, '{}')"
            )
            if cursor.fetchone() == (0,):
                silent.append(what)
            cursor.execute("ROLLBACK")
    assert not silent
    for tampering in (after, f"UPDATE dw.kardex SET (id_origen, costo_unitario) = (7, 1) {row}"):
        it.shop.olap.cursor().execute(tampering)
        assert "python -m pipeline rebuild" in it.shop.command("verify").stdout
        it.shop.succeed("rebuild")
        it.shop.succeed("verify")


def test_no_column_can_be_taken_for_another(closed: ClosedShop):
    """What is null leaves nothing behind: the same value is another thing in each column."""
    it = closed
    values = dict.fromkeys(("importe", "impuesto", "salto_costo"), "7")
    values |= dict.fromkeys(("id_origen", "id_sucursal_destino"), "7")
    values |= dict.fromkeys(("de_todo", "precio_con_impuesto"), "true")
    values |= {"importe, impuesto": "7, 7", "tipo": "tipo || ' 2025'"}
    found = {}
    with it.shop.olap.cursor() as cursor:
        for columns, value in values.items():
            cursor.execute("BEGIN; SET LOCAL session_replication_role = replica")
            cursor.execute(
                f"UPDATE dw.kardex SET ({columns}) = ROW({value}) WHERE id_movimiento = %s",
                (it.sale,),
            )
            cursor.execute("SELECT suma FROM etl.sumar_periodos(ARRAY['-infinity', now()])")
            found[columns] = bytes(cursor.fetchone()[0])
            cursor.execute("ROLLBACK")
    assert len(set(found.values())) == len(values)


def test_verify_names_the_closing_of_what_was_changed_by_hand(closed: ClosedShop):
    """The short one, too; and whoever makes a new fingerprint has that of the next against him."""
    it = closed
    change = "UPDATE dw.kardex SET precio_unitario = precio_unitario {} 1 WHERE id_movimiento = %s"
    with it.shop.olap.cursor() as cursor:
        # As if there were too many movements to look at all of them each time.
        cursor.execute(
            "CREATE OR REPLACE FUNCTION etl.pocas_filas() RETURNS bigint"
            " LANGUAGE sql IMMUTABLE PARALLEL SAFE AS 'SELECT 0::bigint'"
        )
        for options, looked in (([], None), (["--all"], "--all")):
            it.shop.succeed("verify")
            cursor.execute(change.format("+"), (it.sale,))
            assert named(it, looked, *options) == ["2025-01-31"]
            cursor.execute(change.format("-"), (it.sale,))
        cursor.execute(change.format("+"), (it.sale,))
        cursor.execute(
            "UPDATE dw.cierre SET huella = etl.huella_del_periodo(cierre,"
            " (SELECT suma FROM etl.sumar_periodos(ARRAY['-infinity', hasta])), NULL)"
            " WHERE dia = %s",
            (JANUARY,),
        )
        assert named(it, "the last one found something") == ["2025-02-28"]


def named(it: ClosedShop, looked: str | None, *options: str) -> list[str]:
    """The days of closings that verify says are not what they were."""
    done = it.shop.command("verify", "--json", *options)
    assert done.returncode == 1
    found = json.loads(done.stdout)
    assert found["whole"] == looked
    pattern = re.compile("what was closed up to (.+) is not what it was")
    faults = [pattern.fullmatch(row["fault"]) for row in found["books"]]
    return [fault[1] for fault in faults if fault]

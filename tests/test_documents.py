"""Documents: a line that its document has no more leaves in the window that reads the others."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from olap_comparison import assert_olap_equals_replay
from shop_database import Shop

SHIPPED = Path(__file__).parents[1] / "sql" / "oltp"
BEGINNING = datetime(2026, 3, 1, tzinfo=UTC)
DAY = timedelta(days=1)
HEADER = "    d.id_transaccion AS id_documento,\n    'F001-' || d.id_transaccion AS documento,\n"
BEFORE = "    d.xmin AS version_1"


def own(shop: Shop, columns: str = HEADER, ending: str = "") -> None:
    """The shop's own movimientos.sql, with more columns."""
    folder = shop.folder / "sql"
    shutil.copytree(SHIPPED, folder, dirs_exist_ok=True)
    text = (SHIPPED / "movimientos.sql").read_text(encoding="utf-8")
    assert BEFORE in text
    text = text.replace(BEFORE, columns + BEFORE) + ending
    (folder / "movimientos.sql").write_text(text, encoding="utf-8")
    shop.env["ETL_OLTP_SQL_DIR"] = str(folder)


def rewrite(shop: Shop, line: int, **columns: object) -> int:
    """What SQL-Ledger does: the line is deleted, and inserted with a new id, corrected."""
    changes = {"id_producto": "id_producto", "cantidad": "cantidad", **columns}
    kept = "id_transaccion, precio_unitario, costo_unitario"
    kept = ", ".join(name for name in kept.split(", ") if name not in changes)
    with shop.transaction() as cursor:
        cursor.execute(
            f"INSERT INTO detalle_transaccion ({kept}, {', '.join(changes)})"
            f" SELECT {kept}, {', '.join(map(str, changes.values()))}"
            " FROM detalle_transaccion WHERE id_detalle = %s RETURNING id_detalle",
            (line,),
        )
        (new,) = cursor.fetchone()
        cursor.execute("DELETE FROM detalle_transaccion WHERE id_detalle = %s", (line,))
    return int(new)


def counts(shop: Shop) -> tuple:
    """Of the last window: new, changed, removed and deleted movements, and how many were read."""
    (run,) = shop.olap_rows(
        "SELECT nuevas, cambiadas, retiradas, borradas, filas_leidas FROM etl.corrida"
        " ORDER BY numero DESC LIMIT 1"
    )
    return tuple(run.values())


def full_read(shop: Shop) -> None:
    """A run that reads everything, since the query is another."""
    path = shop.folder / "sql" / "movimientos.sql"
    path.write_text(path.read_text(encoding="utf-8") + "\nWHERE true", encoding="utf-8")
    assert "was edited" in shop.run().stdout


def verified(shop: Shop) -> dict:
    """What a whole comparison finds."""
    return json.loads(shop.command("verify", "--all", "--json").stdout)


def beside(shop: Shop) -> list[tuple]:
    """What stands beside the movements."""
    read = "SELECT id_movimiento, id_documento, documento FROM dw.documento_movimiento ORDER BY 1"
    return [tuple(row.values()) for row in shop.olap_rows(read)]


def stock(shop: Shop, product: int = 1) -> tuple:
    """Stock and average cost."""
    read = "SELECT existencias, costo_promedio FROM dw.inventario WHERE id_producto = %s"
    (row,) = shop.olap_rows(read, product)
    return tuple(row.values())


@pytest.fixture
def documented(shop: Shop) -> Shop:
    """A receipt of 20 at 9 and a sale of 12, with the columns, carried."""
    shop.env["ETL_INITIAL_SINCE"] = BEGINNING.isoformat()
    own(shop)
    shop.product(1)
    shop.product(2)
    shop.receipt(BEGINNING, (1, 20, 9))
    shop.sale(BEGINNING + DAY, (1, 12, 15), (2, 1, 3))
    shop.run()
    return shop


def test_a_sale_and_a_receipt_rewritten_are_right_in_their_own_window(documented: Shop):
    assert stock(documented) == (8, 9)
    new = rewrite(documented, 2, cantidad=11)
    documented.run()
    assert stock(documented) == (9, 9)
    assert counts(documented) == (1, 0, 1, 1, 1)
    rewrite(documented, 1, costo_unitario=19)
    documented.run()
    assert stock(documented) == (9, 19)
    assert_olap_equals_replay(documented, BEGINNING)
    assert [(row[0], row[1]) for row in beside(documented)] == [(3, 2), (new, 2), (new + 1, 1)]
    documented.succeed("verify", "--all")


def test_a_header_that_changes_tells_a_line_that_was_deleted(documented: Shop):
    documented.till("DELETE FROM detalle_transaccion WHERE id_detalle = 3")
    documented.correct_document(2, id_sucursal=None)
    documented.run()
    assert counts(documented)[2:4] == (1, 1)
    assert_olap_equals_replay(documented, BEGINNING)


def test_a_document_without_lines_is_left_to_the_comparison(documented: Shop):
    documented.till("DELETE FROM detalle_transaccion WHERE id_transaccion = 2")
    documented.run()
    assert stock(documented) == (8, 9)
    assert verified(documented)["extra"] == [2, 3]
    documented.succeed("verify", "--repair")
    assert stock(documented) == (20, 9)
    assert beside(documented) == [(1, 1, "F001-1")]


def test_a_line_that_is_of_another_document_now_stays(documented: Shop):
    (other,) = documented.sale(BEGINNING + 2 * DAY, (2, 1, 3))
    documented.run()
    documented.till("UPDATE detalle_transaccion SET id_transaccion = 3 WHERE id_detalle = 3")
    documented.correct_line(2, cantidad=11)
    documented.run()
    assert counts(documented)[2:4] == (0, 0)
    assert [row[1] for row in beside(documented)] == [1, 2, 3, 3]
    assert other == 4
    assert_olap_equals_replay(documented, BEGINNING)


def test_all_branches_of_the_query_are_asked(documented: Shop):
    """A line of the ledger that another branch of a UNION yields now is still its document's."""
    documented.till("CREATE TABLE fuera (LIKE detalle_transaccion)")
    documented.till("GRANT SELECT ON fuera TO etl_lector")
    text = (documented.folder / "sql" / "movimientos.sql").read_text(encoding="utf-8")
    union = text.rstrip() + "\nUNION ALL\n" + text.replace("detalle_transaccion AS d", "fuera AS d")
    (documented.folder / "sql" / "movimientos.sql").write_text(union, encoding="utf-8")
    documented.till("INSERT INTO fuera SELECT * FROM detalle_transaccion WHERE id_detalle = 3")
    documented.till("DELETE FROM detalle_transaccion WHERE id_detalle = 3")
    documented.run()
    documented.correct_line(2, cantidad=11)
    documented.run()
    assert counts(documented)[:4] == (0, 1, 0, 0)
    assert stock(documented, 2) == (-1, 0)
    documented.till("DELETE FROM fuera")
    documented.correct_line(2, cantidad=10)
    documented.run()
    assert counts(documented)[:4] == (0, 1, 1, 1)


def test_a_reject_goes_with_its_line(documented: Shop):
    (line,) = documented.sale(BEGINNING + DAY, (9, 1, 7))
    documented.run()
    assert documented.olap_rows("SELECT documento FROM dw.v_rechazos") == [{"documento": "F001-3"}]
    rewrite(documented, line, id_producto=1)
    documented.run()
    assert documented.olap_rows("SELECT FROM etl.rechazo") == []
    assert_olap_equals_replay(documented, BEGINNING)


def test_they_are_no_part_of_the_content(documented: Shop):
    """A renumbered document, or one that is moved, revalues nothing; what waits keeps its own."""
    documented.sale(BEGINNING + DAY, (9, 1, 7))
    documented.run()
    own(documented, HEADER.replace("'F001-'", "'B-'"))
    done = documented.run()
    assert "movimientos.sql was edited" in done.stdout
    assert counts(documented)[:4] == (0, 0, 0, 0)
    assert [row[2] for row in beside(documented)] == ["B-1", "B-2", "B-2", "B-3"]
    documented.till("UPDATE detalle_transaccion SET id_transaccion = 1 WHERE id_detalle = 3")
    documented.till("UPDATE transacciones SET fecha = fecha WHERE id_transaccion = 1")
    versions = documented.olap_rows(
        "SELECT id_movimiento, version FROM dw.kardex WHERE id_movimiento = 1"
    )
    documented.run()
    assert [row[1] for row in beside(documented)] == [1, 2, 1, 3]
    read = "SELECT id_movimiento, version FROM dw.kardex WHERE id_movimiento = 1"
    assert documented.olap_rows(read) == versions
    # What is tried again keeps its own; where the query has the columns no more, nothing does.
    documented.run()
    assert len(beside(documented)) == 4
    own(documented, "")
    documented.run()
    assert beside(documented) == []


def test_what_leaves_is_forgotten(documented: Shop):
    documented.correct_document(2, anulada=True)
    documented.run()
    assert [row[0] for row in beside(documented)] == [1]
    documented.correct_document(2, anulada=False)
    documented.run()
    assert [row[0] for row in beside(documented)] == [1, 2, 3]


def test_the_guard_counts_them(documented: Shop):
    lines = documented.sale(BEGINNING + DAY, *[(1, 1, 1)] * 30)
    documented.run()
    documented.till("DELETE FROM detalle_transaccion WHERE id_detalle = ANY (%s)", lines[1:])
    documented.correct_line(lines[0], cantidad=2)
    stopped = documented.run_due()
    assert stopped.returncode == 30
    assert "29 would be removed" in stopped.stdout
    documented.run(ETL_MAX_REMOVED_SHARE="1")
    assert documented.olap_rows("SELECT FROM etl.corrida WHERE borradas = 29 AND retiradas = 29")
    assert_olap_equals_replay(documented, BEGINNING)


def test_what_is_rewritten_does_not_add_up(documented: Shop):
    """Corrections are no removals, however many there were; what is only deleted is."""
    line = 2
    for units in range(1, 13):
        first = rewrite(documented, line, cantidad=units)
        line = rewrite(documented, first, cantidad=units + 1)
        documented.run_in_process()
        # Two in a window, of which the first was never seen.
        lines = documented.sale(BEGINNING + DAY, (2, 1, 3), (2, 1, 3))
        documented.run_in_process()
        rewrite(documented, lines[0], cantidad=2)
        documented.run_in_process()
    assert documented.olap_rows("SELECT sum(borradas - reescritas) AS s FROM etl.corrida") == [
        {"s": 0}
    ]
    (sums,) = documented.olap_rows("SELECT sum(borradas)::int AS s FROM etl.corrida")
    assert sums["s"] == 24
    assert_olap_equals_replay(documented, BEGINNING)


def test_a_closed_line_is_reversed_and_a_closed_document_archived(documented: Shop):
    documented.succeed("close", "2026-03-31", "--anyway")
    rewrite(documented, 2, cantidad=11)
    documented.till("DELETE FROM detalle_transaccion WHERE id_detalle = 1")
    documented.run()
    assert counts(documented)[:4] == (1, 0, 1, 1)
    assert stock(documented) == (9, 9)
    reversal = "SELECT id_movimiento, capa, fecha::date::text FROM dw.kardex WHERE reverso"
    assert [tuple(r.values()) for r in documented.olap_rows(reversal)] == [(2, 1, "2026-04-01")]
    assert verified(documented)["archived"] == 1
    # Read again it is as it was, and a full read comes to the same.
    documented.correct_line(3, precio_unitario=Decimal(4))
    documented.run()
    assert counts(documented)[2:4] == (0, 0)
    full_read(documented)
    assert len(documented.olap_rows(reversal)) == 2
    assert counts(documented)[2:4] == (0, 0)
    documented.succeed("verify", "--all")


def test_what_is_reversed_already_is_not_counted_again(documented: Shop):
    lines = documented.sale(BEGINNING + DAY, *[(1, 1, 1)] * 30)
    documented.run()
    documented.succeed("close", "2026-03-31", "--anyway")
    documented.till("DELETE FROM detalle_transaccion WHERE id_detalle = ANY (%s)", lines[5:])
    documented.correct_line(lines[0], precio_unitario=2)
    documented.run(ETL_MAX_REMOVED_SHARE="1")
    assert len(documented.olap_rows("SELECT FROM dw.kardex WHERE reverso")) == 26
    documented.correct_line(lines[0], precio_unitario=3)
    documented.run()
    assert counts(documented)[1:4] == (1, 0, 0)
    assert len(documented.olap_rows("SELECT FROM dw.kardex WHERE reverso")) == 26


@pytest.mark.parametrize("found_by", ["a full read", "a comparison"])
def test_a_closed_line_that_no_window_read_is_found(documented: Shop, found_by: str):
    documented.succeed("close", "2026-03-31", "--anyway")
    documented.till("DELETE FROM detalle_transaccion WHERE id_detalle = 3")
    documented.run()
    assert stock(documented, 2) == (-1, 0)
    assert verified(documented)["extra"] == [3]
    if found_by == "a full read":
        full_read(documented)
    else:
        documented.succeed("verify", "--repair")
    assert stock(documented, 2) == (0, 0)
    documented.succeed("verify", "--all")


@pytest.mark.parametrize("capture", ["xmin", "full"])
def test_a_closed_document_that_is_void_and_lost_a_line_is_taken_back_by_a_full_read(
    documented: Shop, capture: str
):
    documented.env["ETL_CAPTURE"] = capture
    documented.succeed("close", "2026-03-31", "--anyway")
    documented.till("DELETE FROM detalle_transaccion WHERE id_detalle = 3")
    documented.correct_document(2, anulada=True)
    full_read(documented)
    assert (stock(documented), stock(documented, 2)) == ((20, 9), (0, 0))
    documented.succeed("verify", "--all")
    documented.correct_document(2, anulada=False)
    documented.run()
    assert (stock(documented), stock(documented, 2)) == ((8, 9), (0, 0))
    documented.succeed("verify", "--all")


def test_tickets_are_the_documents_of_sale_of_each_hour(shop: Shop):
    """However many lines each has; of one that lost all, and of what comes back, none."""
    own(shop)
    shop.env["ETL_INITIAL_SINCE"] = BEGINNING.isoformat()
    for product in (1, 2):
        shop.product(product)
    shop.branch(7)
    shop.receipt(BEGINNING, (1, 20, 9), (2, 20, 2))
    ten = BEGINNING + DAY + timedelta(hours=10)
    shop.sale(ten, (1, 2, 15), (2, 1, 3))
    shop.sale(ten + timedelta(minutes=59), (2, 4, 3))
    shop.sale(ten + timedelta(hours=1), (1, 1, 15), (2, 1, 3), id_sucursal=7)
    (gone,) = shop.sale(ten + timedelta(hours=1), (2, 5, 3), id_sucursal=7)
    shop.sale(ten + timedelta(hours=2), (1, -1, 15))
    seen = (
        "SELECT hora, id_sucursal, tickets, renglones, venta_bruta FROM dw.v_ventas_hora"
        " ORDER BY hora"
    )
    shop.run_in_process(as_of=ten + DAY)
    rows = [tuple(row.values()) for row in shop.olap_rows(seen)]
    assert rows == [(10, 0, 2, 3, 45), (11, 7, 2, 3, 33), (12, 0, None, 0, -15)]
    shop.correct_line(gone, cantidad=0)
    shop.run_in_process(as_of=ten + DAY + timedelta(hours=1))
    rows = [tuple(row.values()) for row in shop.olap_rows(seen)]
    assert rows == [(10, 0, 2, 3, 45), (11, 7, 1, 2, 18), (12, 0, None, 0, -15)]

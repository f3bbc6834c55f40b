"""Adjustments: what holds the first ones, and dear ones; how they come into another OLAP."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from fault_process import Fault, killed_at, start_run
from levels_shop import (
    BY_BRANCH,
    CHEESE,
    INITIAL,
    MILK,
    SCREWS,
    WHOLE,
    levels,
    set_levels,
    stock,
)
from olap_comparison import assert_olap_equals_replay
from shop_database import Shop, new_shop
from shop_server import ShopServer, must_succeed

from pipeline import olap
from pipeline.errors import GuardError
from pipeline.run.due import windows_due
from pipeline.run.extract import extract_window
from pipeline.run.load import load_window
from pipeline.settings import load_settings
from pipeline.state.window import marker, whole_second

pytestmark = pytest.mark.one_postgres

BOOKED = (
    "SELECT id_producto, cantidad, deshace IS NULL AS nuevo FROM dw.ajuste_existencias"
    " ORDER BY hasta, id_producto"
)
ACCEPT = "--accept-adjustments"


@pytest.fixture
def adjusting(shop: Shop) -> Shop:
    """A shop with 6 of milk at 5 and 3 screws at 2, that says it has 5 of milk."""
    stock(shop)
    shop.env["ETL_STOCK_DIFFERENCES"] = "adjust"
    levels(shop, WHOLE, (MILK, None, 5), (SCREWS, None, 3))
    return shop


def booked(shop: Shop) -> list[tuple[Any, ...]]:
    """Product and quantity of each."""
    return [(row["id_producto"], row["cantidad"]) for row in shop.olap_rows(BOOKED)]


def error(shop: Shop, *arguments: str) -> str:
    """The one line of a run that a guard holds."""
    done = shop.run_due(*arguments)
    assert done.returncode == 30
    (line,) = [
        line for line in done.stdout.splitlines() if " ERROR" in f" {line}" and "failed" in line
    ]
    return line


def plan(shop: Shop) -> dict[str, Any]:
    """What `plan` says."""
    return dict(json.loads(shop.command("plan", "--json").stdout))


def test_the_first_that_books_any_asks(adjusting: Shop):
    said = error(adjusting)
    assert (
        "1 adjustments of 1 products, 1 units worth 5.00 (the stock: 9 units worth 36.00)" in said
    )
    assert "the dearest -1 of product Producto 1 worth -5.00" in said
    assert f"RunDue --local-scheduler {ACCEPT}" in said
    # Nothing is loaded meanwhile, and plan shows what would be booked.
    assert not adjusting.olap_rows("SELECT FROM etl.corrida")
    seen = plan(adjusting)
    assert (seen["adjustments"], seen["adjusted_value"]) == (1, 5)
    assert seen["held"]
    assert "Producto 1" in adjusting.command("plan").stdout
    adjusting.env["ETL_MAX_REMOVED_SHARE"] = "1"
    assert plan(adjusting)["held"]
    del adjusting.env["ETL_MAX_REMOVED_SHARE"]
    adjusting.run(ACCEPT)
    assert booked(adjusting) == [(MILK, -1)]
    # From then on it does not, as long as they are small.
    set_levels(adjusting, [(MILK, None, "4.9"), (SCREWS, None, 3)])
    assert plan(adjusting)["held"] is None
    adjusting.run()
    assert len(booked(adjusting)) == 2
    assert_olap_equals_replay(adjusting, INITIAL)
    assert "as a whole" not in adjusting.succeed("verify", "--all").stdout


def test_doctor_says_whether_they_are_booked(adjusting: Shop):
    def found() -> list[tuple[str, str]]:
        told = json.loads(adjusting.command("doctor", "--json").stdout)["findings"]
        return [(f["state"], f["found"]) for f in told if f["what"] == "adjustments"]

    asks = "0 booked; the next window that would book any asks first"
    assert found() == [("warning", asks)]
    adjusting.run(ACCEPT)
    assert found() == [("ok", "1 booked")]
    adjusting.env["ETL_STOCK_DIFFERENCES"] = "report"
    assert found() == []


def test_what_was_accepted_is_not_so_for_a_later_load(adjusting: Shop):
    # Another guard holds the window for which it was accepted.
    (receipt,) = adjusting.olap_rows("SELECT now() AS ahora")
    lines = adjusting.receipt(receipt["ahora"], *[(CHEESE, 1, None)] * 20)
    assert "movements read would be rejected" in error(adjusting, ACCEPT)
    adjusting.till("DELETE FROM detalle_transaccion WHERE id_detalle = ANY (%s)", list(lines))
    set_levels(adjusting, [(MILK, None, 0), (SCREWS, None, 3)])
    assert "6 units worth 30.00" in error(adjusting)
    # None is due.
    adjusting.run(ETL_STOCK_DIFFERENCES="report")
    (control,) = adjusting.olap_rows("SELECT hasta FROM etl.control")
    adjusting.run(ACCEPT, "--as-of", f"{control['hasta']:%Y-%m-%dT%H:%M:%SZ}")
    assert "6 units worth 30.00" in error(adjusting)


@pytest.mark.parametrize("point", ["flushed", "opening", "loaded"])
def test_what_a_run_that_was_killed_had_accepted_is_not_so_for_the_next(
    adjusting: Shop, point: str
):
    killed_at(adjusting, point, ACCEPT)
    assert plan(adjusting)["held"]
    assert "1 adjustments of 1 products" in error(adjusting)
    assert booked(adjusting) == []


@pytest.mark.parametrize("point", ["flushed", "opening"])
def test_a_run_that_begins_meanwhile_takes_no_acceptance_away(adjusting: Shop, point: str):
    fault = Fault(adjusting.folder, point, "pause")
    accepted = start_run(adjusting, ACCEPT, fault=fault)
    fault.wait_until_paused(accepted)
    with adjusting.environment():
        # As RunDue begins.
        settings = load_settings()
        pending, _after = windows_due(settings, whole_second(datetime.now(UTC)), wait=True)
    fault.go_on()
    assert accepted.wait() == 0, accepted.output
    assert booked(adjusting) == [(MILK, -1)]
    assert marker(settings.state_dir, pending).exists()


def test_a_run_that_is_held_meanwhile_takes_no_extract_away(adjusting: Shop):
    """It had the window first, and discarded what the accepted run had read."""
    with adjusting.environment():
        settings = load_settings()
        (window,) = windows_due(settings, whole_second(datetime.now(UTC)), wait=True)
        extract_window(settings, window)
        with pytest.raises(GuardError, match="1 adjustments of 1 products"):
            load_window(settings, window)
        load_window(settings, window, olap.Accepted(adjustments=True))
    assert booked(adjusting) == [(MILK, -1)]


def test_of_what_has_no_cost_the_units_are_dear(adjusting: Shop):
    """A shop that knows no cost has no value of which a share could be too much."""
    adjusting.till("UPDATE detalle_transaccion SET costo_unitario = 0 WHERE costo_unitario > 0")
    adjusting.run(ACCEPT)
    set_levels(adjusting, [(MILK, None, 4), (SCREWS, None, 3)])
    assert "1 units worth 0.00 (the stock: 8 units worth 0.00)" in error(adjusting)
    # 0.4 of the 8 are no more than a twentieth.
    set_levels(adjusting, [(MILK, None, "4.6"), (SCREWS, None, 3)])
    adjusting.run()
    assert len(booked(adjusting)) == 2


def test_units_of_what_has_no_cost_are_dear_beside_what_has_some(adjusting: Shop):
    adjusting.run(ACCEPT)
    set_levels(adjusting, [(MILK, None, 5), (SCREWS, None, 3), (CHEESE, None, 1)])
    assert "1 units worth 0.00 (the stock: 8 units worth 31.00)" in error(adjusting)
    set_levels(adjusting, [(MILK, None, 5), (SCREWS, None, 3), (CHEESE, None, "0.4")])
    adjusting.run()
    assert len(booked(adjusting)) == 2


def test_the_log_tells_of_a_window_that_does_nothing_else(adjusting: Shop):
    adjusting.run(ETL_STOCK_DIFFERENCES="report")
    said = must_succeed(adjusting.run_due(ACCEPT)).stdout
    assert "booked as the shop's own stock: 1 adjustments of 1 products" in said
    assert "nothing new" not in said


def test_one_that_is_dear_asks_each_time(adjusting: Shop):
    adjusting.run(ACCEPT)
    set_levels(adjusting, [(MILK, None, 3), (SCREWS, None, 3)])
    assert "more than ETL_MAX_REMOVED_SHARE of the stock" in error(adjusting)
    # Accepting holds for one load.
    adjusting.run(ACCEPT)
    set_levels(adjusting, [(MILK, None, 5), (SCREWS, None, 3)])
    assert "more than ETL_MAX_REMOVED_SHARE of the stock" in error(adjusting)
    adjusting.run(ETL_MAX_REMOVED_SHARE="1")
    assert booked(adjusting) == [(MILK, -1), (MILK, -2), (MILK, 2)]


def test_an_olap_that_is_another_one_asks_again(adjusting: Shop):
    adjusting.run(ACCEPT)
    adjusting.olap.cursor().execute("UPDATE etl.control SET ajusta = '1/1/1'")
    set_levels(adjusting, [(MILK, None, "4.9"), (SCREWS, None, 3)])
    assert "books none without being told once" in error(adjusting)


def test_one_whose_windows_are_gone_asks_again(adjusting: Shop):
    adjusting.run(ACCEPT, "--as-of", "2026-10-17T03:00:00Z")
    adjusting.run("--as-of", "2026-10-18T03:00:00Z")
    # As a copy of its disk would bring it back.
    cursor = adjusting.olap.cursor()
    cursor.execute("DELETE FROM etl.corrida WHERE numero = 2")
    cursor.execute(
        "UPDATE etl.control SET hasta = '2026-10-17T03:00:00Z', corridas = 1,"
        " version = gen_random_uuid()"
    )
    set_levels(adjusting, [(MILK, None, "4.9"), (SCREWS, None, 3)])
    assert "books none without being told once" in error(adjusting)


@pytest.fixture
def other(adjusting: Shop, shop_server: ShopServer, tmp_path: Path) -> Any:
    """Another OLAP of the same shop."""
    folder = tmp_path / "other"
    folder.mkdir()
    with new_shop(folder, shop_server) as other:
        keep = ("OLTP_", "ETL_OLTP", "ETL_INITIAL", "ETL_STOCK")
        other.env |= {k: v for k, v in adjusting.env.items() if k.startswith(keep)}
        yield other


def ledger(shop: Shop) -> list[dict[str, Any]]:
    """But for the run that wrote it."""
    return shop.olap_rows(
        "SELECT to_jsonb(k) - 'version' AS fila FROM dw.kardex AS k"
        " ORDER BY k.id_movimiento, k.capa"
    )


@pytest.mark.parametrize("when", ["before its first run", "after it"])
def test_another_olap_takes_them_in(adjusting: Shop, other: Shop, when: str):
    adjusting.run(ACCEPT)
    set_levels(adjusting, [(MILK, None, 9), (SCREWS, None, 3)])
    adjusting.run(ACCEPT)
    file = adjusting.folder / "ajustes.csv"
    assert "2 adjustments written" in adjusting.succeed("adjustments", "--output", str(file)).stdout
    if when == "after it":
        other.run(ETL_STOCK_DIFFERENCES="report")
    said = json.loads(other.succeed("adjustments", "--import", str(file), "--json").stdout)
    assert said == {"taken": 2, "ledger": 2 if when == "after it" else 0}
    if when == "after it":
        assert not other.olap_rows("SELECT FROM dw.v_diferencias_existencias")
        assert "equals the OLTP" in other.succeed("verify", "--all").stdout
    other.run()
    assert booked(other) == booked(adjusting) == [(MILK, -1), (MILK, 4)]
    assert ledger(other) == ledger(adjusting)
    # Once more changes nothing.
    said = json.loads(other.succeed("adjustments", "--import", str(file), "--json").stdout)
    assert said == {"taken": 0, "ledger": 0}
    listed = json.loads(other.succeed("adjustments", "--json").stdout)["adjustments"]
    assert [row["cantidad"] for row in listed] == ["4.000000", "-1.000000"]
    assert "Producto 1" in other.succeed("adjustments").stdout


def test_one_that_has_booked_itself_refuses_them(adjusting: Shop, other: Shop):
    adjusting.run(ACCEPT)
    file = adjusting.folder / "ajustes.csv"
    adjusting.succeed("adjustments", "--output", str(file))
    # Another window, and so another number.
    other.run(ACCEPT, "--as-of", "2026-10-17T03:00:00Z")
    done = other.command("adjustments", "--import", str(file))
    assert done.returncode == 1
    (line,) = done.stdout.splitlines()
    assert f"has booked an adjustment of product {MILK} itself since then" in line
    assert len(booked(other)) == 1


def test_whole_and_by_branch_are_not_mixed(adjusting: Shop, other: Shop):
    """Both would be in the stock of that product."""
    query = adjusting.folder / "consultas/existencias.sql"

    def book(shop: Shop, by_branch: bool) -> Path:
        branch = 1 if by_branch else None
        query.write_text(BY_BRANCH if by_branch else WHOLE, encoding="utf-8")
        set_levels(adjusting, [(MILK, branch, 3)])
        shop.run(ACCEPT)
        file = shop.folder / "ajustes.csv"
        shop.succeed("adjustments", "--output", str(file))
        return file

    whole, by_branch = book(adjusting, False), book(other, True)
    for shop, file in ((other, whole), (adjusting, by_branch)):
        before = booked(shop)
        done = shop.command("adjustments", "--import", str(file))
        assert done.returncode == 1
        (line,) = done.stdout.splitlines()
        assert f"of product {MILK} this OLAP has booked an adjustment itself" in line
        assert "one of both is of the whole, the other of a branch" in line
        assert booked(shop) == before


def test_a_file_that_lacks_a_line_is_refused(adjusting: Shop, other: Shop):
    for milk in (5, 9, 2):
        set_levels(adjusting, [(MILK, None, milk), (SCREWS, None, 3)])
        adjusting.run(ACCEPT)
    file = adjusting.folder / "ajustes.csv"
    adjusting.succeed("adjustments", "--output", str(file))
    lines = file.read_text().splitlines(keepends=True)
    assert len(lines) == 4
    file.write_text("".join(lines[:2] + lines[3:]))
    done = other.command("adjustments", "--import", str(file))
    assert done.returncode == 1
    (told,) = done.stdout.splitlines()
    assert "line 3: the adjustment is not as it was written, or one before it is gone" in told
    assert booked(other) == []
    # The first of them are what a file of then would have had; and of before there was no check.
    file.write_text("".join(lines[:3]))
    assert json.loads(other.succeed("adjustments", "--import", str(file), "--json").stdout) == {
        "taken": 2,
        "ledger": 0,
    }
    file.write_text("".join(line.rpartition(",")[0] + "\n" for line in lines))
    assert "1 adjustments taken in" in other.succeed("adjustments", "--import", str(file)).stdout


@pytest.mark.parametrize(
    ("column", "value", "said"),
    [
        ("id_producto", "2", "is not as it was booked"),
        ("id_producto", "x", "id_producto is 'x', but must be a whole number"),
        ("cantidad", "nada", "cantidad is 'nada', but must be a number"),
        ("deshace", "-1152921504606846999", "is not as it was booked"),
        ("cantidad", "-2.000000", "is not as it was written"),
        ("fecha", "2026-08-20T00:00:00.000000Z", "is not as it was written"),
        ("prueba", "0123456789abcdef", "is not as it was written"),
    ],
)
def test_a_line_that_was_edited_is_refused(
    adjusting: Shop, other: Shop, column: str, value: str, said: str
):
    adjusting.run(ACCEPT)
    file = adjusting.folder / "ajustes.csv"
    adjusting.succeed("adjustments", "--output", str(file))
    header, line = file.read_text().splitlines()
    fields = dict(zip(header.split(","), line.split(","), strict=True)) | {column: value}
    if said == "is not as it was booked":
        # As earlier versions wrote it.
        header, fields = header.removesuffix(",prueba"), {**fields}
        del fields["prueba"]
    file.write_text(f"{header}\n{','.join(fields.values())}\n")
    done = other.command("adjustments", "--import", str(file))
    assert done.returncode == 1
    (told,) = done.stdout.splitlines()
    assert said in told
    assert not other.olap_rows("SELECT FROM dw.ajuste_existencias")

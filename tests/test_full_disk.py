"""Full disks under either side: a clear line, nothing half written, and the next run ends well."""

from __future__ import annotations

import os
import resource
import subprocess

import pytest
from fault_failures import SCHEDULING_ERROR, TASK_FAILED, check, fails, many_sales
from fault_process import Fault, start_run
from fault_shop import assert_chain, olap_tables, settle, stock
from olap_comparison import assert_olap_equals_replay
from shop_database import LUIGI, Shop
from shop_disk import fill, small_disk

from demo import account


def test_a_file_that_cannot_grow_is_a_full_disk(shop: Shop):
    """With a limit on the size of files, which needs no rights: any write beyond it fails."""
    initial = many_sales(shop)
    before = olap_tables(shop)
    done = subprocess.run(
        [str(LUIGI), "--module", "pipeline", "RunDue", "--local-scheduler"],
        cwd=shop.folder,
        env=shop.env,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=120,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000)),
        check=False,
    )
    assert done.returncode == TASK_FAILED, done.stdout
    check(done.stdout, "movements.csv cannot be written", "free disk space", "ETL_STATE_DIR")
    assert olap_tables(shop) == before
    assert not list((shop.folder / "state").rglob("*-luigi-tmp-*")), "half a file was left"
    settle(shop, initial)


@pytest.mark.parametrize(
    "name", ["window.json", "extract.json", "load.json", "views.json", "marker.json"]
)
def test_a_disk_that_is_full_at_a_receipt_loses_nothing(shop: Shop, name: str):
    initial = stock(shop)
    fault = Fault(shop.folder, f"renaming:{name}", "enospc")
    process = start_run(shop, fault=fault)
    assert process.wait() == TASK_FAILED and fault.fired, process.output
    check(process.output, f"{name} cannot be written", "No space left on device")
    assert not list((shop.folder / "state").rglob("*-luigi-tmp-*")), "half a file was left"
    settle(shop, initial)
    assert_chain(shop)


def test_a_state_folder_that_is_a_file_is_a_clear_line(shop: Shop):
    initial = stock(shop)
    (shop.folder / "state").write_text("")
    fails(shop, "state", "set ETL_STATE_DIR", code=SCHEDULING_ERROR)
    (shop.folder / "state").unlink()
    settle(shop, initial)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount a small file system")
def test_a_full_disk_under_the_state_folder(shop: Shop):
    initial = many_sales(shop)
    # Too small for the extract alone, however many digits its times happen to have.
    with small_disk(shop.folder / "small", "64k") as disk:
        fails(shop, "cannot be written", "No space left on device", ETL_STATE_DIR=f"{disk}/state")
        assert not list(disk.rglob("*-luigi-tmp-*")), "half a file was left"
        subprocess.run(["mount", "-o", "remount,size=8m", disk], check=True)
        shop.run(ETL_STATE_DIR=f"{disk}/state")
    assert_olap_equals_replay(shop, initial)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount a small file system")
def test_a_full_disk_under_the_olap(shop: Shop):
    """The OLAP's database in a tablespace of 32 MB, with a file that fills the rest."""
    initial = many_sales(shop)
    settle(shop, initial)
    place = account.shared_place() / f"pipeline-small-{os.getpid()}"
    try:
        with small_disk(place, "32m") as disk:
            (disk / "data").mkdir()
            account.give(disk / "data")
            shop.olap.close()
            shop.server.execute(f"CREATE TABLESPACE chico LOCATION '{disk / 'data'}'")
            move = "ALTER DATABASE {olap} SET TABLESPACE "
            shop.server.execute(move + "chico", olap=shop.olap_name)
            shop.olap = shop.server.connect(shop.olap_name)
            many_sales_more(shop)
            fill(disk / "ballast")
            said = fails(shop, "OLAP: load: ", "No space left on device", "free disk space")
            assert "without parallel workers" not in said
            (disk / "ballast").unlink()
            settle(shop, initial)
            shop.olap.close()
            shop.server.execute(move + "pg_default", olap=shop.olap_name)
            shop.server.execute("DROP TABLESPACE chico")
            shop.olap = shop.server.connect(shop.olap_name)
    finally:
        place.rmdir()


def many_sales_more(shop: Shop) -> None:
    """Enough that the load cannot do with the pages that its tables have already."""
    shop.till(
        "INSERT INTO detalle_transaccion (id_transaccion, id_producto, cantidad, precio_unitario)"
        " SELECT id_transaccion, 1, n, 9.99 FROM transacciones, generate_series(1, 5) AS n"
        " WHERE tipo = 'VENTA'"
    )

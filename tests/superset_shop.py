"""A shop whose dashboards are in a real Superset, who may look at them, and what they must show."""

from __future__ import annotations

import math
import re
import subprocess
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple

import yaml
from levels_shop import WHOLE, levels, set_levels
from shop_database import Shop
from shop_server import REPOSITORY, run_program
from superset_import import import_program
from ten_types import movement
from test_views import trade

from demo.superset_server import SupersetServer
from pipeline.superset.account import Account
from pipeline.superset.client import Session
from pipeline.superset.read_back import chart_data

FOLDER = REPOSITORY / "superset"
EXPECTED = dict(
    re.findall(
        r"^-- (\w+)\n(.*?)(?=^-- \w+\n|\Z)",
        (REPOSITORY / "tests/superset_charts.sql").read_text(encoding="utf-8"),
        re.M | re.S,
    )
)


class Dashboards(NamedTuple):
    """A shop that has traded, and a Superset with its dashboards."""

    shop: Shop
    superset: SupersetServer
    session: Session

    def load(self, folder: Path = FOLDER, **env: str) -> subprocess.CompletedProcess[str]:
        """Import the folder's files, whatever comes of it."""
        account = self.superset.account
        given = {"SUPERSET_PASSWORD": account.password, "ETL_TIMEZONE": "America/Lima"}
        program = import_program("--url", account.url, "--user", account.user)
        program += ["--folder", str(folder)]
        return run_program(program, self.shop.folder, self.shop.env | given | env)

    def rows(self, chart: str, force: bool = True) -> list[list[Any]]:
        """What a chart shows, a list a row."""
        found = chart_data(self.session, uuid_of(chart), force)
        return [list(row.values()) for row in found["data"]]


def make_role(session: Session, name: str, permission: str, resource: str) -> int:
    """A role with one permission, on what has a name that begins so; returns its number."""
    found: list[dict[str, Any]] = []
    pages = count()
    while page := session.get(
        f"/api/v1/security/permissions-resources/?q=(page_size:100,page:{next(pages)})"
    )["result"]:
        found += page
    (number,) = (
        pair["id"]
        for pair in found
        if pair["permission"]["name"] == permission
        and pair["view_menu"]["name"].startswith(resource)
    )
    role = int(session.post("/api/v1/security/roles/", {"name": name})["id"])
    granted = {"permission_view_menu_ids": [number]}
    session.post(f"/api/v1/security/roles/{role}/permissions", granted)
    return role


def make_user(session: Session, url: str, name: str, *roles: int) -> Account:
    """Somebody with these roles."""
    account = Account(url, name, f"clave de {name}")
    given = {"username": name, "password": account.password, "roles": roles, "active": True}
    told = {"first_name": name, "last_name": "Tienda", "email": f"{name}@example.com"}
    session.post("/api/v1/security/users/", given | told)
    return account


def role_number(session: Session, name: str) -> int:
    """The number of a role that is there."""
    found = session.get(f"/api/v1/security/roles/?q=(filters:!((col:name,opr:eq,value:{name})))")
    (role,) = found["result"]
    return int(role["id"])


def foreign_dataset(dashboards: Dashboards) -> int:
    """A dataset of another database, on a schema of the same name; returns its number."""
    session, env = dashboards.session, dashboards.shop.env
    login = f"{env['OLAP_BI_USER']}:{env['OLAP_BI_PASSWORD']}"
    place = f"{env['OLAP_DB_HOST']}:{env['OLAP_DB_PORT']}/{env['OLAP_DB_NAME']}"
    database = {"database_name": "Otra", "sqlalchemy_uri": f"postgresql://{login}@{place}"}
    number = session.post("/api/v1/database/", database)["id"]
    dataset = {"database": number, "schema": "dw", "table_name": "ajena", "sql": "SELECT 1 AS uno"}
    return int(session.post("/api/v1/dataset/", dataset)["id"])


def read(file: str) -> dict[str, Any]:
    """A file of superset/."""
    return dict(yaml.safe_load((FOLDER / file).read_text(encoding="utf-8")))


def uuid_of(chart: str, room: str = "charts") -> str:
    """The uuid in a file."""
    return str(yaml.safe_load((FOLDER / room / f"{chart}.yaml").read_text())["uuid"])


def fill(shop: Shop) -> None:
    """Fifteen months of trade up to now, all that a dashboard can show, and a second run."""
    now = datetime.now(UTC)
    initial = now - timedelta(days=460)
    trade(shop, now - timedelta(hours=1))
    shop.till("UPDATE transacciones SET id_sucursal = 1 WHERE id_sucursal IS NULL")
    shop.receipt(now - timedelta(days=3), (1, 5, Decimal(3)), id_sucursal=1)
    shop.receipt(now - timedelta(days=2), (1, 5, Decimal(900)), id_sucursal=1)
    shop.sale(now - timedelta(days=1), (2, 1, Decimal(-5)), id_sucursal=1)
    _besides(shop, now)
    # More than a page, and all of one value.
    for product in range(100, 125):
        shop.product(product, "Abarrotes")
        shop.receipt(now - timedelta(days=4), (product, 2, Decimal(3)), id_sucursal=1)
    shop.env |= {"ETL_TIMEZONE": "America/Lima", "ETL_INITIAL_SINCE": initial.isoformat()}
    levels(shop, WHOLE, (124, None, 9))
    shop.run("--accept-adjustments", ETL_STOCK_DIFFERENCES="adjust")
    set_levels(shop, [(124, None, 9), (3, None, 5)])
    shop.succeed("close", (now - timedelta(days=30)).date().isoformat(), "--anyway")
    shop.sale(now - timedelta(hours=1), (3, 400, Decimal(4)), id_sucursal=2)
    shop.sale(now - timedelta(days=40), (3, 2, Decimal(4)), id_sucursal=2)
    shop.run()


def _besides(shop: Shop, now: datetime) -> None:
    """Something came back, was lost, sent, and counted short; and a type that nobody knows."""
    hours = iter(range(20, 0, -1))
    with shop.transaction() as cursor:

        def typed(tipo: str, cantidad: int, **more: Any) -> None:
            when = now - timedelta(days=2, hours=next(hours))
            movement(cursor, tipo, when, 1, cantidad=cantidad, id_sucursal=1, **more)

        typed("ENTRADA_MERCANCIA", 50, costo_unitario=3)
        typed("DEVOLUCION_VENTA", 2, precio_unitario=6)
        typed("AJUSTE_SALIDA", 3)
        typed("TRASLADO", 4, id_sucursal_destino=2)
        typed("CONTEO", 7)
        typed("REGALO", 1, precio_unitario=1)


def plain(value: Any) -> Any:
    """A value as Superset gives it: moments in milliseconds, numbers in doubles."""
    if isinstance(value, datetime):
        return value.replace(tzinfo=UTC).timestamp() * 1000
    if isinstance(value, date):
        return plain(datetime(value.year, value.month, value.day))
    if isinstance(value, int | float | Decimal) and not isinstance(value, bool):
        return float(value)
    return value


def same(found: list[list[Any]], expected: list[list[Any]]) -> bool:
    """Whether both have the same rows, in any order, to nine digits."""

    def equal(one: Any, other: Any) -> bool:
        if isinstance(one, float) and isinstance(other, float):
            return math.isclose(one, other, rel_tol=1e-9, abs_tol=1e-6)
        return bool(one == other)

    def key(row: list[Any]) -> str:
        return repr([f"{cell:.6f}" if isinstance(cell, float) else cell for cell in row])

    pairs = zip(sorted(found, key=key), sorted(expected, key=key), strict=False)
    return len(found) == len(expected) and all(
        len(one) == len(other) and all(map(equal, one, other)) for one, other in pairs
    )


def expected_rows(
    shop: Shop, chart: str, filtered: dict[str, str] | None = None
) -> list[list[Any]]:
    """What the OLAP's administrator finds for a chart.

    `filtered` has for a relation of dw the condition under which its rows count.
    """
    query, parts = EXPECTED[chart], []
    for relation, condition in (filtered or {}).items():
        query = re.sub(rf"\bdw\.{relation}\b", f"solo_{relation}", query)
        parts.append(f"solo_{relation} AS (SELECT * FROM dw.{relation} WHERE {condition})")
    with shop.olap.cursor() as cursor:
        cursor.execute(f"WITH {', '.join(parts)} {query}" if parts else query)
        return [[plain(cell) for cell in row] for row in cursor.fetchall()]

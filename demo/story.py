"""What the demo does, step by step; each step that was done is left as it is."""

from __future__ import annotations

import shlex
import sys
import time
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

from psycopg2 import sql
from psycopg2.extensions import encrypt_password

from demo.place import DAYS, OLAP, OLTP, Place, account, first_day, shown
from demo.progress import step
from demo.report import report
from demo.server import Server
from demo.shop import open_shop, trade_day
from pipeline.base.database import connect

SEED = 2026


def show(place: Place) -> None:
    """Do what is missing, run the pipeline, print the shop's numbers and what to try next."""
    begun = time.monotonic()
    server = _start(place)
    settings = place.settings()
    with step("Databases, accounts, tables: python -m pipeline init"):
        _create_databases(settings)
        place.run("-m", "pipeline", "init", "--example-oltp")
        _say_tax(settings)
    last_day = first_day(settings) + timedelta(days=DAYS)
    if not _has_traded(settings, first_day(settings)):
        _open_shop(settings, last_day)
    if not _has_traded(settings, last_day):
        _run_pipeline(place, f"{DAYS} days")
        _trade_one_day(settings, last_day)
    _run_pipeline(place, "what is new")
    with step("The shopkeeper's page: python -m pipeline report"):
        place.run("-m", "pipeline", "report", "--output", str(place.page))
    with connect(account(settings, "OLAP", "BI"), "report", read_only=True) as connection:
        text = report(connection)
    print(f"{time.monotonic() - begun:6.1f} s  in all\n\n{text}\n\n{_whereabouts(place, server)}")


def _start(place: Place) -> Server:
    with step("PostgreSQL") as current:
        server = place.ensure_server()
        state = "runs already" if server.running() else "started"
        server.start()
        current.text = f"PostgreSQL {server.version} on {server.host}:{server.port} {state}"
    return server


def _create_databases(settings: Mapping[str, str]) -> None:
    """Both databases and their narrow accounts, where they are missing."""
    administrator = replace(account(settings, "OLTP", "ADMIN"), name="postgres")
    accounts = [
        account(settings, *which) for which in (("OLTP", "DB"), ("OLAP", "DB"), ("OLAP", "BI"))
    ]
    with connect(administrator, "create databases") as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute("SELECT datname FROM pg_database UNION ALL SELECT rolname FROM pg_roles")
            present = {name for (name,) in cursor.fetchall()}
            for database in {OLTP, OLAP} - present:
                cursor.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(database)))
            for login in accounts:
                if login.user in present:
                    continue
                # Hashed here, so that the server's log can never show it.
                secret = encrypt_password(login.password, login.user, connection, "scram-sha-256")
                cursor.execute(
                    sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}").format(
                        sql.Identifier(login.user), sql.Literal(secret)
                    )
                )


def _say_tax(settings: Mapping[str, str]) -> None:
    """The shop's prices have Peru's 18 % within."""
    administrator = account(settings, "OLAP", "ADMIN")
    with connect(administrator, "say the tax") as connection:
        with connection.cursor() as cursor:
            cursor.execute("UPDATE dw.politica_precio SET impuesto = 0.18 WHERE impuesto IS NULL")
        connection.commit()


def _has_traded(settings: Mapping[str, str], since: datetime) -> bool:
    administrator = account(settings, "OLTP", "ADMIN")
    statement = "SELECT EXISTS (SELECT FROM public.transacciones WHERE fecha >= %s)"
    with (
        connect(administrator, "look at the shop") as connection,
        connection.cursor() as cursor,
    ):
        cursor.execute(statement, (since,))
        return bool(cursor.fetchall()[0][0])


def _open_shop(settings: Mapping[str, str], until: datetime) -> None:
    with step(f"The shop trades for {DAYS} days") as current:
        with connect(account(settings, "OLTP", "ADMIN"), "open the shop") as connection:
            done = open_shop(connection, SEED, until, DAYS)
            connection.commit()
        current.text += f": {done.lines:,} movements in {done.documents:,} documents"


def _trade_one_day(settings: Mapping[str, str], day: datetime) -> None:
    with step("The shop trades for one day more") as current:
        with connect(account(settings, "OLTP", "ADMIN"), "trade a day") as connection:
            done = trade_day(connection, SEED, day)
            connection.commit()
        current.text += f": {done.lines} movements, and corrections of earlier ones"


def _run_pipeline(place: Place, what: str) -> None:
    with step(f"luigi --module pipeline RunDue: {what}"):
        place.run("-m", "luigi", "--module", "pipeline", "RunDue", "--local-scheduler")


def try_next(place: Place) -> str:
    """Commands that work on the demo and leave the terminal as it was: its folder has the .env."""
    programs = Path(sys.executable).parent
    python, luigi = (shlex.quote(str(programs / name)) for name in ("python", "luigi"))
    return f"""Try next

  (cd {shown(place.folder)} && {python} -m pipeline status)
  (cd {shown(place.folder)} && {luigi} --module pipeline RunDue --local-scheduler)"""


def _whereabouts(place: Place, server: Server) -> str:
    psql = f"PGSERVICEFILE={shown(place.services)} {shown(place.psql)} service="
    return f"""Where everything is

  page        {shown(place.page)}: open it in a browser
  settings    {shown(place.env_file)} (with the passwords of {server.host}:{server.port})
  log         {shown(place.log)}
  PostgreSQL  {shown(server.data)}
  OLTP        {psql}{OLTP}
  OLAP        {psql}{OLAP}

{try_next(place)}

  ./scripts/demo --stop stops PostgreSQL; ./scripts/demo --clean removes it all"""

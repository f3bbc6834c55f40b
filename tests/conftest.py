"""Fixtures: a PostgreSQL server for a session, and a shop of its own for each test."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from server_place import MEMORY, has_memory, server_place
from shop_database import Shop, new_shop
from shop_server import REPOSITORY, ShopServer, running_server, server_programs, version_of

SET_UPS = Path(__file__).with_name("set_ups.json")

# luigi reads its configuration once, when it is first imported.
os.environ["LUIGI_CONFIG_PATH"] = str(REPOSITORY / "luigi.cfg")
# What tests expect to be told is in English; the default, Spanish, has tests of its own.
os.environ["ETL_LANG"] = "en"
# Where no bytecode is to be written, as containers say, each command would compile all it imports.
if os.environ.pop("PYTHONDONTWRITEBYTECODE", None):
    os.environ["PYTHONPYCACHEPREFIX"] = str(REPOSITORY / "build" / "bytecode")
# Each receipt of a run is synced, sixteen times a run. Here, since xdist's workers are told where.
if has_memory():
    os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(MEMORY))


def pytest_addoption(parser: pytest.Parser) -> None:
    """--postgres narrows the servers; --long widens the search; others start a real system."""
    parser.addoption("--long", action="store_true", help="many more histories and faults")
    parser.addoption("--superset", action="store_true", help="run what needs a real Superset")
    parser.addoption("--tryton", action="store_true", help="run what needs a real Tryton")
    parser.addoption("--tryton-7", action="store_true", help="run what needs a real Tryton 7.0")
    parser.addoption("--oscar", action="store_true", help="run what needs a real django-oscar")
    parser.addoption("--celerp", action="store_true", help="run what needs a real Celerp")
    parser.addoption("--medusa", action="store_true", help="run what needs a real Medusa")
    parser.addoption("--ledgersmb", action="store_true", help="run what needs a real LedgerSMB")
    parser.addoption("--sql-ledger", action="store_true", help="run what needs a real SQL-Ledger")
    parser.addoption("--vendure", action="store_true", help="run what needs a real Vendure")
    parser.addoption(
        "--postgres",
        choices=("all", "embedded", "system"),
        help="which PostgreSQL the tests run on: the embedded 18 (the default), the system's, all"
        " (the default with --long)",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Say what the markers mean."""
    config.addinivalue_line(
        "markers", "one_postgres: what it tests does not depend on PostgreSQL's version"
    )
    config.addinivalue_line("markers", "longest: takes a minute, so that it begins early")
    config.addinivalue_line("markers", "long: run with --long only")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run what uses a server once on each server there is."""
    if "server_binaries" not in metafunc.fixturenames:
        return
    default = "all" if metafunc.config.getoption("--long") else "embedded"
    binaries = server_programs(metafunc.config.getoption("--postgres") or default)
    if metafunc.definition.get_closest_marker("one_postgres"):
        binaries = binaries[:1]
    metafunc.parametrize("server_binaries", binaries, ids=version_of, scope="session")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what only --long runs, and spread the longest tests, where there is one server.

    A process takes an equal part of the list, in its order, and gives off what is left of it: each
    then begins with some of them.
    """
    if not config.getoption("--long"):
        left_out = [item for item in items if item.get_closest_marker("long")]
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if not item.get_closest_marker("long")]
    longest = [item for item in items if item.get_closest_marker("longest")]
    if len(longest) == len(items) or config.getoption("--long"):
        return
    others = [item for item in items if item not in set(longest)]
    step = len(others) // max(len(longest), 1)
    for number, item in enumerate(longest):
        others.insert(number * (step + 1), item)
    items[:] = others


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Tell what the rounds of faults have tried and what came of it; keep which set-ups passed."""
    if config.getoption("--long") and not terminalreporter.stats.get("failed"):
        keep_set_ups(terminalreporter.getreports("passed"), config)
    for outcome in ("passed", "failed"):
        for report in terminalreporter.getreports(outcome):
            for name, counts in report.user_properties:
                if name == "faults":
                    told = ", ".join(f"{what.replace('_', ' ')}: {n}" for what, n in counts.items())
                    terminalreporter.write_line(
                        f"faults, {report.nodeid.split('[')[-1][:-1]}: {told}"
                    )


def keep_set_ups(reports: list[Any], config: pytest.Config) -> None:
    """Write down which set-ups have passed; of a part of them only with others nothing is said."""
    tried: dict[str, set[str]] = {}
    for report in reports:
        for name, value in report.user_properties:
            if name == "set-up":
                tried.setdefault(value[0], set()).add(value[1])
    if tried and not config.option.keyword:
        kept = {set_up: sorted(versions) for set_up, versions in sorted(tried.items())}
        SET_UPS.write_text(json.dumps(kept, indent=2, ensure_ascii=False) + "\n")


@pytest.fixture(scope="session")
def shop_server(
    server_binaries: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ShopServer]:
    """One server a session and version, with template databases made by `init`."""
    with running_server(tmp_path_factory.mktemp("postgres"), server_binaries) as server:
        yield server


@pytest.fixture
def shop(shop_server: ShopServer, tmp_path: Path) -> Iterator[Shop]:
    """A fresh OLTP and OLAP, empty but for what `init --example-oltp` makes."""
    with new_shop(tmp_path, shop_server) as shop:
        yield shop


@pytest.fixture
def own_place(server_binaries: Path) -> Iterator[Path]:
    """A folder for servers that a test makes itself."""
    with server_place(server_binaries) as place:
        yield place


@pytest.fixture
def new_server(
    server_binaries: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[], ShopServer]]:
    """Makes servers for one test, which may crash, copy and restore them."""
    with ExitStack() as stack:
        yield lambda: stack.enter_context(
            running_server(tmp_path_factory.mktemp("server"), server_binaries)
        )

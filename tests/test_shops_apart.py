"""Many shops: none is taken for another, and one table tells of all."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from many_shops import Shops, new_shops, stamp
from prometheus_client.parser import text_string_to_metric_families
from shop_server import must_succeed

__all__ = ["new_shops"]

pytestmark = pytest.mark.one_postgres

ALL = ("status", "doctor", "verify", "plan", "rejects")


def test_two_shops_with_one_olap_or_one_state_folder_are_refused(new_shops: Callable[..., Shops]):
    shops = new_shops("a", "b", "c", "d", "e")
    shops.sell()
    env = {name: shop.env for name, shop in shops.of.items()}
    shops.write("b", env["b"] | {"OLAP_DB_NAME": env["a"]["OLAP_DB_NAME"]})
    shops.write("c", env["c"], ETL_STATE_DIR=str(shops.folder / "one"))
    shops.write("d", env["d"], ETL_STATE_DIR=str(shops.folder / "one"))
    done = shops.round()
    assert done.returncode == 30, done.stdout
    assert "a.env and b.env have one OLAP_DB_NAME" in done.stdout
    assert "c.env and d.env have one ETL_STATE_DIR" in done.stdout
    assert [shops.windows(name) for name in shops.of] == [0, 0, 0, 0, 1]


def test_a_shop_has_neither_the_state_folder_nor_the_metrics_file_of_the_round(
    new_shops: Callable[..., Shops],
):
    """It would take the round's memory of what was told for its own, and lose its figures."""
    shops = new_shops("a", "b", "c")
    shops.sell()
    file = shops.folder / "all.prom"
    shops.write("a", shops.of["a"].env, ETL_STATE_DIR=shops.env["ETL_STATE_DIR"])
    shops.write("b", shops.of["b"].env, ETL_METRICS_FILE=str(file))
    done = shops.round(ETL_METRICS_FILE=str(file))
    assert done.returncode == 30, done.stdout
    for name, setting in (("a", "ETL_STATE_DIR"), ("b", "ETL_METRICS_FILE")):
        assert f"{name}.env names the {setting} of the whole round" in done.stdout
    assert [shops.windows(name) for name in shops.of] == [0, 0, 1]


def test_a_single_task_of_no_shop_says_how_one_is_named(new_shops: Callable[..., Shops]):
    shops = new_shops("a")
    done = shops.round("--since", "2020-01-01", task="Backfill")
    assert done.returncode != 0
    assert "no shop is named: ETL_SHOP=a luigi" in done.stdout, done.stdout
    asked = shops.command("status")
    assert asked.returncode == 1 and "--shop" in asked.stdout, asked.stdout


def test_an_olap_is_the_first_shops_that_ran_on_it(new_shops: Callable[..., Shops]):
    """By another name of the server the files do not say that they share it: its row does."""
    shops = new_shops("a", "b")
    shops.sell()
    must_succeed(shops.round("--only", "a"))
    other = {"OLAP_DB_NAME": shops.of["a"].env["OLAP_DB_NAME"], "OLAP_DB_HOST": "localhost"}
    shops.write("b", shops.of["b"].env | other)
    done = shops.round()
    assert done.returncode == 30, done.stdout
    assert "is the shop a's, and b would mix with it" in done.stdout
    assert shops.windows("a") == 1 and shops.windows("b") == 0
    shops.assert_right(["a"])
    # An OLAP without a name is adopted, also one that was loaded as the only shop's.
    own = shops.of["b"]
    own.run()
    shops.write("b", own.env)
    must_succeed(shops.round())
    assert own.olap_rows("SELECT tienda FROM etl.control") == [{"tienda": "b"}]


def test_an_olap_is_of_the_shop_whose_single_task_loaded_it(new_shops: Callable[..., Shops]):
    shops = new_shops("a", "b")
    shops.sell()
    other = {"OLAP_DB_NAME": shops.of["a"].env["OLAP_DB_NAME"], "OLAP_DB_HOST": "localhost"}
    shops.write("b", shops.of["b"].env | other)
    # What plan tries to load is nobody's yet.
    must_succeed(shops.command("--shop", "b", "plan"))
    must_succeed(shops.round(task="RunDue", ETL_SHOP="a"))
    done = shops.round(task="RunDue", ETL_SHOP="b")
    assert done.returncode != 0
    assert "is the shop a's, and b would mix with it" in done.stdout
    shops.assert_right(["a"])


@pytest.mark.parametrize("command", ALL)
def test_a_table_of_all_shops_has_the_worst_first(new_shops: Callable[..., Shops], command: str):
    shops = new_shops("a", "b")
    shops.sell()
    must_succeed(shops.round())
    if command != "rejects":
        well = shops.command(command, "--all-shops")
        assert well.returncode == 0, well.stdout
    shops.write("b", shops.of["b"].env | {"OLAP_DB_PASSWORD": "otra"})
    bad = shops.command(command, "--all-shops")
    assert bad.returncode == 1
    shown = [line[0] for line in bad.stdout.splitlines() if line.startswith(("a ", "b "))]
    assert shown == ["b", "a"], bad.stdout
    assert "1 of 2 shops are not well" in bad.stdout
    told = json.loads(shops.command(command, "--all-shops", "--json").stdout)
    assert [shop["shop"] for shop in told["shops"]] == ["b", "a"]
    assert not told["well"] and told["shops"][1]["well"]


def test_a_command_is_for_one_shop(new_shops: Callable[..., Shops]):
    shops = new_shops("a", "b")
    shops.sell("a")
    must_succeed(shops.round())
    told = [
        json.loads(must_succeed(shops.command("--shop", name, "status", "--json")).stdout)
        for name in shops.of
    ]
    assert [row["stock_value"] for row in told] == [40.0, 0.0]
    same = must_succeed(shops.command("status", "--json", ETL_SHOP="a")).stdout
    assert json.loads(same)["stock_value"] == 40.0
    nobody = shops.command("--shop", "z", "status")
    assert nobody.returncode == 1 and "there is no shop z" in nobody.stdout
    mixed = shops.command("verify", "--all-shops", "--repair")
    assert mixed.returncode == 1 and "--repair mends one shop" in mixed.stdout


def test_a_single_task_is_for_the_shop_of_the_environment(new_shops: Callable[..., Shops]):
    shops = new_shops("a", "b")
    shops.sell()
    must_succeed(shops.round("--only", "b"))
    must_succeed(shops.round(task="RunDue", ETL_SHOP="a"))
    shops.assert_right()
    assert (shops.folder / "state" / "a").is_dir()
    assert shops.of["a"].olap_rows("SELECT tienda FROM etl.control") == [{"tienda": "a"}]


def test_one_file_has_the_figures_of_all_and_a_shop_that_is_gone_leaves_none(
    new_shops: Callable[..., Shops],
):
    shops = new_shops("a", "b", "c")
    shops.sell()
    of_all, own = shops.folder / "all.prom", shops.folder / "c.prom"
    env = {"ETL_METRICS_FILE": str(of_all)}
    shops.write("c", shops.of["c"].env, ETL_METRICS_FILE=str(own))
    must_succeed(shops.round("--workers", "2", "--as-of", stamp(3), **env))
    shops.write("b", shops.of["b"].env | {"OLTP_DB_PASSWORD": "otra"})
    assert shops.round("--as-of", stamp(2), **env).returncode == 30
    found = samples(of_all)
    value = {"a": 40, "b": 40, "c": 40}
    assert {shop: v for (name, shop), v in found.items() if name == "etl_stock_value"} == value
    success = {shop: v for (name, shop), v in found.items() if name == "etl_last_run_success"}
    assert success == {"a": 1, "b": 0, "c": 1}
    assert own.exists()
    (shops.place / "a.env").chmod(0o644)
    (shops.place / "b.env").chmod(0o600)
    for name, others in (("a", True), ("b", False)):
        told = shops.command("--shop", name, "doctor").stdout
        assert ("others may read the passwords" in told) == others
    # An older release beside it, of which a metric says something else.
    old = shops.folder / "old.prom"
    old.write_text(of_all.read_text().replace("Value of the stock", "The value of the stock"))
    told = shops.command("--shop", "c", "doctor").stdout
    assert "all.prom" not in told and "old.prom says of etl_stock_value something else" in told
    (shops.place / "c.env").unlink()
    assert shops.round("--as-of", stamp(1), **env).returncode == 30
    assert {shop for _, shop in samples(of_all)} == {"a", "b"} and not own.exists()


def samples(path: Path) -> dict[tuple[str, str], float]:
    """By name and shop; of some with a second label."""
    return {
        (sample.name, sample.labels["shop"]): sample.value
        for family in text_string_to_metric_families(path.read_text(encoding="utf-8"))
        for sample in family.samples
    }

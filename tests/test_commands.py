"""The one face of the commands: --help as a manual, --json that says what the text says."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from shop_database import Shop
from shop_terminal import on_terminal

from pipeline.__main__ import _COMMANDS, _parser, main

EVERY = pytest.mark.parametrize("command", _COMMANDS)
SECTIONS = ("usage:", "options:", "reads:", "changes:", "exit codes:", "examples:")


def help_of(*arguments: str, capsys: pytest.CaptureFixture[str]) -> str:
    """What --help prints on a terminal of 80 columns."""
    with pytest.raises(SystemExit) as ended:
        main([*arguments, "--help"])
    assert ended.value.code == 0
    return capsys.readouterr().out


def section(text: str, name: str) -> list[str]:
    """The lines of a section, up to the next empty one."""
    return text.partition(f"\n{name}\n")[2].partition("\n\n")[0].splitlines()


@pytest.fixture(autouse=True)
def columns(monkeypatch: pytest.MonkeyPatch) -> None:
    """argparse asks the environment how wide it may write."""
    monkeypatch.setenv("COLUMNS", "80")


# Manuals


@EVERY
def test_every_manual_is_whole(command: str, capsys: pytest.CaptureFixture[str]):
    text = help_of(command, capsys=capsys)
    places = [text.find(name) for name in SECTIONS]
    assert -1 not in places
    assert places == sorted(places)
    assert max(map(len, text.partition("\nexamples:")[0].splitlines())) <= 80
    description = text.partition("\n\n")[2].partition("\noptions:")[0]
    assert len(description.split()) > 10
    for name in ("reads:", "changes:"):
        assert section(text, name)
    codes = [line.split()[0] for line in section(text, "exit codes:") if line[2] != " "]
    assert codes == ["0", "1", "2", "130", "141"]
    assert re.search(r"^  --json +\S", text, re.M)
    assert re.search(r"^  --debug +\S", text, re.M)


@pytest.mark.parametrize("command", [*_COMMANDS, ""])
def test_every_example_parses(command: str, capsys: pytest.CaptureFixture[str]):
    text = help_of(*filter(None, [command]), capsys=capsys)
    examples = section(text, "examples:")
    assert examples
    for example in examples:
        words = shlex.split(example.partition(" > ")[0])
        assert words[:3] == ["python", "-m", "pipeline"]
        assert _parser().parse_args(words[3:]).command in ([command] if command else _COMMANDS)


def test_the_overview_has_a_line_for_each(capsys: pytest.CaptureFixture[str]):
    listed = [line.split()[0] for line in section(help_of(capsys=capsys), "positional arguments:")]
    assert listed == ["COMMAND", *_COMMANDS]


# --json


def machine(shop: Shop, *arguments: str, **env: str) -> tuple[int, str, str]:
    """Exit code, stdout and stderr, apart."""
    done = subprocess.run(
        [sys.executable, "-m", "pipeline", *arguments],
        cwd=shop.folder,
        env=shop.env | env,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


def sentences(document: dict[str, Any]) -> list[str]:
    """One of counts, as a text says each of them."""
    return [f"{count} {name}" for name, count in document.items() if name != "seconds"]


LAST_MONTH = datetime.now(UTC).replace(day=1) - timedelta(days=1)

# What the object says, in the words of the text: each of them must be in one line of it.
Words = Callable[[dict[str, Any]], list[list[str]]]
AGREE: dict[str, tuple[list[str], Words]] = {
    "init": ([], lambda told: [[f"version {told['version']}", told["olap"]], [told["reader"]]]),
    # But for how much of the disk is free, which others change between the two.
    "doctor": (
        [],
        lambda told: [[f["what"], f["found"][:20].lstrip("0123456789.")] for f in told["findings"]],
    ),
    "import": (
        ["--productos", "productos.csv"],
        lambda told: [["productos:", *sentences(told["productos"])]],
    ),
    "opening": (
        ["conteo.csv"],
        lambda told: [
            [f"{told['set']} opening balances set"],
            [f"{told['products_valued_again']} products valued again"],
        ],
    ),
    "adapt": (
        [],
        lambda told: [
            *([repr(t["tipo"]), str(t["movimientos"])] for t in told["types"]),
            *([r["tipo"], r["motivo"]] for r in told["rejects"]),
            ["movements", str(told["ids"]["movements"])],
        ],
    ),
    "plan": (
        [],
        lambda told: [
            ["window due", told["window"].split("--")[0]],
            *([f"{n} {told[n]}"] for n in ("read", "sales", "receipts", "new", "rejected")),
        ],
    ),
    "kardex": (
        ["1"],
        lambda told: [
            ["TOTALES", *(f"{float(told['closing'][n]):g}" for n in ("existencias", "valor"))],
            *([str(line["id_movimiento"]), line["tipo"]] for line in told["movements"]),
        ],
    ),
    "book": (
        [f"{LAST_MONTH:%Y-%m}", "--output", "."],
        lambda told: [
            [f"{told['products']} products, {told['movements']} movements"],
            *([file] for file in told["files"]),
        ],
    ),
    "report": (
        ["--output", "informe.html"],
        lambda told: [["written to", Path(told["path"]).name]],
    ),
    "rejects": (
        [],
        lambda told: [[str(r["id_movimiento"]), r["motivo"]] for r in told["rejects"]],
    ),
    "adjustments": (
        [],
        lambda told: (
            [
                [str(a["id_producto"]), a["cantidad"].rstrip("0").rstrip(".")]
                for a in told["adjustments"]
            ]
            or [["no adjustment"]]
        ),
    ),
    "verify": ([], lambda told: [[f"compared {told['compared']} movements"], ["equals the OLTP"]]),
    "close": (
        ["--list"],
        lambda told: [[c["dia"], f"{c['valor']:,.2f}", c["huella"]] for c in told["closings"]],
    ),
    # The second begins where the first ended.
    "rebuild": ([], lambda told: [["window", told["window"].split("--")[1]], ["rebuilt"]]),
    "status": (
        [],
        lambda told: [
            ["last run", told["last_run"][:19].replace("T", " ")],
            [f"products {told['products']}, stock worth {float(told['stock_value']):,.2f}"],
            *(["producto", f" {n}"] for n in told["rejects"].values()),
        ],
    ),
}


@EVERY
@pytest.mark.one_postgres
def test_the_object_says_what_the_text_says(shop: Shop, command: str):
    yesterday = datetime.now(UTC) - timedelta(days=1)
    shop.env["ETL_INITIAL_SINCE"] = f"{LAST_MONTH - timedelta(days=9):%Y-%m-%d}"
    shop.product(1)
    shop.receipt(yesterday, (1, 10, 5), (77, 1, 1))
    shop.sale(yesterday, (1, 3, 9))
    shop.run_in_process()
    shop.sale(datetime.now(UTC), (1, 1, 9))
    (shop.folder / "productos.csv").write_text("id_producto,nombre\n5,Té\n")
    (shop.folder / "conteo.csv").write_text("id_producto,existencias,costo_promedio\n1,2,3\n")
    arguments, words = AGREE[command]
    if command in ("import", "opening"):
        # Repeated, it finds the same again.
        shop.succeed(command, *arguments)
    if command == "close":
        shop.succeed(command, f"{LAST_MONTH:%Y-%m-%d}", "--anyway")
    code, said, _ = machine(shop, command, *arguments, "--json")
    told = json.loads(said)
    assert isinstance(told, dict)
    assert code == 0, told
    lines = [
        " ".join(line.split()) for line in shop.succeed(command, *arguments).stdout.split("\n")
    ]
    expected = words(told)
    assert expected
    for together in expected:
        assert [line for line in lines if all(word.strip() in line for word in together)], (
            together,
            lines,
        )


@EVERY
@pytest.mark.one_postgres
def test_a_failure_is_an_object_too(shop: Shop, command: str):
    if command == "doctor":
        pytest.skip("a setting that is wrong is one of its findings")
    arguments = AGREE[command][0]
    code, said, failure = machine(shop, command, *arguments, "--json", ETL_KEEP_DAYS="x")
    assert (code, said) == (1, "")
    assert json.loads(failure.splitlines()[-1]) == {
        "error": "ETL_KEEP_DAYS is 'x', but must be a whole number of days from 1 to 100000",
        "kind": "SettingsError",
    }
    code, said, failure = machine(shop, command, *arguments, ETL_KEEP_DAYS="x")
    assert (code, said) == (1, "")
    assert failure.splitlines()[-1].startswith("error: ETL_KEEP_DAYS is 'x'")


def test_a_repair_is_one_object(shop: Shop):
    shop.product(1)
    shop.receipt(datetime.now(UTC) - timedelta(days=1), (1, 10, 5), (1, 11, 5))
    shop.run_in_process()
    shop.till("DELETE FROM detalle_transaccion WHERE id_detalle = 2")
    code, said, _ = machine(shop, "verify", "--repair", "--json")
    told = json.loads(said)
    assert (code, told["clean"], told["repaired"]) == (0, True, [2])


# Colour


@pytest.mark.one_postgres
def test_colour_is_for_terminals_that_want_it(shop: Shop):
    program = [sys.executable, "-m", "pipeline", "doctor"]
    code, said = on_terminal(program, shop.folder, shop.env)
    assert (code, "\x1b[1m" in said, "\x1b[33m" in said) == (0, True, True)
    _, plain = on_terminal(program, shop.folder, shop.env | {"NO_COLOR": "1"})
    assert "\x1b" not in plain
    assert "\x1b" not in shop.succeed("doctor").stdout
    _, failed = on_terminal([*program[:3], "status"], shop.folder, shop.env | {"ETL_LANG": "x"})
    assert "\x1b[31merror:\x1b[0m ETL_LANG es 'x'" in failed


def test_a_run_and_every_help_need_no_extra():
    """As in an environment where only what pyproject requires is installed."""
    extras = ["apprise", "babel", "dlt", "jinja2", "playwright", "prometheus_client", "rich"]
    program = (
        "import sys\n"
        f"sys.modules.update(dict.fromkeys({[*extras, 'vl_convert', 'yaml']}))\n"
        "import pipeline\n"
        "from pipeline.__main__ import _COMMANDS, _parser\n"
        "for command in _COMMANDS:\n"
        "    try:\n"
        "        _parser().parse_args([command, '--help'])\n"
        "    except SystemExit as ended:\n"
        "        assert ended.code == 0\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("usage:") == len(_COMMANDS)

"""The two READMEs say the same, name what there is, and their commands work as written."""

from __future__ import annotations

import configparser
import re
import shlex
import sys
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from shop_database import Shop
from shop_server import REPOSITORY, must_succeed, run_program

from pipeline.__main__ import _COMMANDS, main
from pipeline.luigi_defaults import RETCODES

ENGLISH = (REPOSITORY / "README.md").read_text(encoding="utf-8")
SPANISH = (REPOSITORY / "README.es.md").read_text(encoding="utf-8")
SETTING = re.compile(r"\b(?:OLTP|OLAP|ETL)_[A-Z_]+[A-Z]\b")


def blocks(text: str, kind: str) -> list[str]:
    """The fenced blocks of a kind, in order."""
    return re.findall(rf"```{kind}\n(.*?)```", text, re.S)


def settings_in_code() -> set[str]:
    """Every setting that pipeline/settings.py reads."""
    code = (REPOSITORY / "pipeline" / "settings.py").read_text(encoding="utf-8")
    names = set(re.findall(r'read\("([A-Z_]+)"', code))
    for suffix in re.findall(r'read\(f"\{side\}(_[A-Z_]+)"', code):
        names |= {f"OLTP{suffix}", f"OLAP{suffix}"}
    return names


@pytest.mark.parametrize("kind", ["sh", "sql", "text"])
def test_the_command_blocks_are_the_same_in_both_languages(kind: str):
    assert blocks(ENGLISH, kind)
    assert blocks(ENGLISH, kind) == blocks(SPANISH, kind)


def test_the_two_have_the_same_sections():
    def levels(text: str) -> list[str]:
        return re.findall(r"^(#+) ", re.sub(r"```.*?```", "", text, flags=re.S), re.M)

    assert levels(ENGLISH) == levels(SPANISH)


@pytest.mark.parametrize("text", [ENGLISH, SPANISH], ids=["en", "es"])
def test_every_setting_is_in_the_table(text: str):
    rows = "\n".join(line for line in text.splitlines() if line.startswith("| `"))
    documented = set(SETTING.findall(rows))
    assert settings_in_code() - {"OLAP_BI_PASSWORD"} <= documented
    # The dashboards' password is not the pipeline's own to read yet.
    assert documented - settings_in_code() <= {"OLAP_BI_PASSWORD"}


def test_the_example_names_every_setting():
    example = (REPOSITORY / ".env.example").read_text(encoding="utf-8")
    names = set(re.findall(r"^([A-Z_]+)=", example, re.M))
    assert names - {"OLAP_BI_PASSWORD"} == settings_in_code()


@pytest.mark.parametrize("command", _COMMANDS)
def test_every_command_is_documented_and_has_help(command: str, capsys: pytest.CaptureFixture[str]):
    for text in (ENGLISH, SPANISH):
        assert f"| `python -m pipeline {command}` |" in text
    with pytest.raises(SystemExit) as ended:
        main([command, "--help"])
    assert ended.value.code == 0
    assert f"example: python -m pipeline {command}" in capsys.readouterr().out.replace("\n", " ")


def test_exit_codes_are_the_same_everywhere():
    config = configparser.ConfigParser()
    config.read(REPOSITORY / "luigi.cfg")
    assert dict(config["retcode"]) == RETCODES
    for code in ("10", "25", "30", "35", "40"):
        assert code in RETCODES.values()
        assert f"| {code} |" in ENGLISH
        assert f"| {code} |" in SPANISH


def runnable() -> list[str]:
    """The lines of the blocks that are marked to be run."""
    marked = re.findall(r"<!-- run -->\n```sh\n(.*?)```", ENGLISH, re.S)
    return [line for block in marked for line in block.splitlines() if line]


def test_the_marked_commands_run_as_written(shop: Shop):
    assert len(runnable()) >= 6
    shop.product(1)
    shop.receipt(datetime.now(timezone.utc) - timedelta(days=1), (1, 10, 5))
    for line in runnable():
        program, *arguments = shlex.split(line)
        found = Path(sys.executable).with_name(program)
        must_succeed(run_program([str(found), *arguments], shop.folder, shop.env))
    assert len(shop.olap_rows("SELECT * FROM dw.kardex")) == 1


def test_the_worked_example_is_what_the_functions_give(shop: Shop):
    """The rows of the README's table, one call after the other."""
    state = "row(0, 0, 0, 0, 0)::dw.estado"
    steps = [
        ("actualizar_costo_promedio", "10, 5.00", (10, 50, 5, 50, 0)),
        ("actualizar_costo_promedio", "10, 7.00", (20, 120, 6, 70, 0)),
        ("actualizar_stock_venta", "8", (12, 72, 6, 48, 0)),
        ("actualizar_stock_venta", "15", (-3, -18, 6, 90, 0)),
        ("actualizar_costo_promedio", "10, 8.00", (7, 56, 8, 80, -6)),
    ]
    for function, arguments, expected in steps:
        state = f"dw.{function}({state}, {arguments})"
        (row,) = shop.olap_rows(f"SELECT (e).* FROM (SELECT {state} AS e) AS s")
        assert tuple(row.values()) == expected
    for number in ("120.00", "\N{MINUS SIGN}18.00", "\N{MINUS SIGN}6.00", "11.43"):
        assert number in ENGLISH
        assert number in SPANISH
    (row,) = shop.olap_rows("SELECT dw.calcular_precio_sugerido(8, 0.30, 0, 0.01) AS precio")
    assert str(row["precio"]) == "11.43"

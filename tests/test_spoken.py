"""What a person reads in the terminal speaks ETL_LANG, Spanish where nothing is set."""

from __future__ import annotations

import json
import re

import pytest
from shop_database import Shop
from shop_server import REPOSITORY

from pipeline.translation.stored import TEMPLATES, worded

# A text that is raised, or put into one: MESSAGE = '…', HINT = format('…', …).
RAISED = re.compile(r"(?:MESSAGE|HINT) = (?:format\(\s*)?'((?:[^']|'')+)'")


def shape(text: str) -> str:
    """A text with what is filled in left out, whether SQL or Python fills it in."""
    return re.sub(r"%s|{\w+}", "<>", text.replace("''", "'"))


def test_every_text_that_the_olap_raises_has_its_template():
    files = (REPOSITORY / "sql" / "olap").rglob("*.sql")
    raised = {shape(text) for file in files for text in RAISED.findall(file.read_text("utf-8"))}
    assert len(raised) > 20
    assert raised <= {shape(template) for template in TEMPLATES}


def test_what_is_filled_in_is_translated_in_its_turn(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("ETL_LANG", "es")
    said = worded(
        "productos.sql yields no product any more, and without them 3 of the 4 movements of the "
        "ledger would leave it and wait as rejects; nothing was written"
    )
    assert said.startswith("productos.sql ya no da ningún producto, y sin ellos 3 de los 4 ")
    assert worded("relation does not exist") == "relation does not exist"


def test_commands_and_failures_speak_the_shops_language(shop: Shop):
    del shop.env["ETL_LANG"]
    failed = shop.command("status", ETL_TIMEZONE="Lima")
    assert failed.returncode == 1
    assert "ETL_TIMEZONE es 'Lima', pero debe ser el nombre de una zona" in failed.stdout
    status = shop.succeed("status").stdout
    assert "última corrida" in status
    assert "last run" not in status
    findings = json.loads(shop.succeed("doctor", "--json").stdout)["findings"]
    assert {"state": "ok", "what": "ventana sin terminar", "found": "no hay", "remedy": ""} in (
        findings
    )
    assert "last run" in shop.succeed("status", ETL_LANG="en").stdout

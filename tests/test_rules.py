"""The worked examples that the rules of the valuation give of themselves."""

from __future__ import annotations

from pathlib import Path

import pytest
from shop_database import Shop
from shop_server import REPOSITORY

from docs.made import examples

RULES = sorted((REPOSITORY / "sql/olap/rules").glob("[a-z]*.sql"))


@pytest.mark.parametrize("script", RULES, ids=lambda script: script.stem)
def test_a_rule_gives_what_its_examples_say(shop: Shop, script: Path):
    told = examples(script)
    assert told
    for example in told:
        assert f"dw.{script.stem}(" in example.expression
        (found,) = shop.olap_rows(f"SELECT ({example.expression})::text AS result")
        assert (found["result"] or "NULL") == example.result, example.case

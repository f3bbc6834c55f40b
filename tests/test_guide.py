"""The guide: the same in both languages, every link leads somewhere, and what there is is in it."""

from __future__ import annotations

import configparser
import difflib
import os
import re
import sys
from collections import Counter
from itertools import chain

import pytest
from guide import LINKED, PAGES, anchors, block_texts, blocks, cells, code, headings, links, prose
from shop_database import Shop
from shop_server import FOREIGN, REPOSITORY, must_succeed, run_program

import pipeline
from docs.__main__ import files
from docs.catalogue import Catalogue, read_catalogue
from docs.pages import PAIRS, names, read
from pipeline.__main__ import _COMMANDS
from pipeline.settings import loading, reading
from pipeline.settings.catalogue import SETTINGS
from pipeline.superset.account import load_account
from pipeline.tasks.luigi_defaults import RETCODES

PAIR = pytest.mark.parametrize(("english", "spanish"), PAIRS)


# The same in both languages


@PAIR
def test_the_blocks_are_the_same_in_both_languages(english: str, spanish: str):
    def commands(page: str) -> list[tuple[str, str, bool]]:
        """What a terminal answers is in the page's language: what is typed is the same."""
        return [
            (b.kind, "".join(re.findall(r"(?m)^\$.*\n", b.text)), b.run)
            if b.kind == "console"
            else b[1:]
            for b in blocks(read(page))
        ]

    assert commands(english) == commands(spanish)


@PAIR
def test_the_two_have_the_same_sections_and_tables(english: str, spanish: str):
    def outline(page: str) -> list[str]:
        return re.findall(r"^(?:#+ |- \*\*|- |\d\. )", prose(read(page)), re.MULTILINE)

    assert outline(english) == outline(spanish)
    for here, there in zip(cells(read(english)), cells(read(spanish)), strict=True):
        assert [Counter(code(cell)) for cell in here] == [Counter(code(cell)) for cell in there]


def test_every_page_is_in_the_list():
    there = {str(path.relative_to(REPOSITORY)) for path in (REPOSITORY / "docs").rglob("*.md")}
    assert there | {"README.md", "README.es.md"} == set(PAGES)


@pytest.mark.parametrize("page", PAIRS[0])
def test_the_first_page_is_short(page: str):
    assert len(read(page).splitlines()) < 200


# Links


@pytest.mark.parametrize("page", LINKED)
def test_links_lead_somewhere(page: str):
    for file, anchor in links(page):
        assert (REPOSITORY / file).is_file(), f"{page}: there is no {file}"
        assert not anchor or anchor in anchors(read(file)), f"{page}: {file} has no #{anchor}"


@pytest.mark.parametrize("page", LINKED)
def test_every_file_that_is_named_is_there(page: str):
    if page == "CHANGELOG.md":
        pytest.skip("it tells of files that are gone")
    text = read(page)
    for path in re.findall(r"(?<![\w/.])(?:scripts|sql|tests|pipeline|docs)/[\w./-]*[\w/]", text):
        assert (REPOSITORY / path).exists(), f"{page} names {path}"


@PAIR
def test_a_page_leads_to_its_twin_and_to_no_other_page_of_that_language(english: str, spanish: str):
    for page, twin, others in ((english, spanish, 1), (spanish, english, 0)):
        led = {file for file, _ in links(page)}
        assert twin in led
        assert led & {pair[others] for pair in PAIRS} == {twin}, page


def test_every_page_is_reached_from_the_first():
    for index in (0, 1):
        led = {file for file, _ in links(PAIRS[0][index])}
        assert {pair[index] for pair in PAIRS[1:]} <= led


# What is made from the code


@pytest.fixture
def catalogue(shop: Shop) -> Catalogue:
    """What the OLAP's catalogue says."""
    return read_catalogue(shop.olap)


@pytest.mark.one_postgres
def test_what_is_made_is_as_the_code_makes_it(catalogue: Catalogue):
    for name, text in files(catalogue):
        found = read(name)
        difference = difflib.unified_diff(
            found.splitlines(), text.splitlines(), name, "as the code makes it", lineterm="", n=0
        )
        assert found == text, "run `python -m docs`:\n" + "\n".join(difference)


@pytest.mark.one_postgres
def test_all_there_is_to_tell_is_told_under_its_name(catalogue: Catalogue):
    helps = {"help", *(f"help {command}" for command in _COMMANDS)}
    views = {f"view {view}" for view in catalogue.views}
    for index in (0, 1):
        pages = [pair[index] for pair in PAIRS]
        told = list(chain.from_iterable(names(read(page)) for page in pages))
        assert sorted(told) == sorted(
            helps | views | {"set-ups", "settings", "codes", "metrics", "rules", "types", "map"}
        )
        for page in pages:
            for name in names(read(page)):
                if name.startswith(("help ", "view ")):
                    above = read(page).partition(f"<!-- made by python -m docs: {name} -->")[0]
                    assert headings(above)[-1] == name.partition(" ")[2]


def test_every_setting_of_the_list_is_read_and_no_other(monkeypatch: pytest.MonkeyPatch):
    asked: dict[str, str | None] = {}

    def config(name: str, default: str | None = None) -> str:
        asked[name] = default
        return "x" if default is None else default

    monkeypatch.setattr(reading, "AutoConfig", lambda search_path: config)
    loading.load_settings.__wrapped__()
    load_account()
    assert asked == {name: setting.default for name, setting in SETTINGS.items()}


def test_the_first_env_names_settings_that_there_are():
    (env,) = block_texts("3. Fill in `.env`", "ini")
    given = {line.partition("=")[0] for line in env.splitlines()}
    assert given <= SETTINGS.keys()
    assert {name for name, setting in SETTINGS.items() if setting.default is None} <= given


@pytest.mark.parametrize("page", PAGES)
def test_every_setting_command_and_task_that_is_named_exists(page: str):
    text = read(page)
    assert set(re.findall(r"python -m pipeline (\w+)", text)) <= {*_COMMANDS, "COMMAND"}
    assert set(re.findall(r"luigi --module pipeline (\w+)", text)) <= set(pipeline.__all__)
    # `OLTP_DB_*` stands for several.
    for name in re.findall(r"`((?:OLTP|OLAP|ETL|SUPERSET)_[A-Z_]+)`", text):
        assert name in SETTINGS, name


def test_exit_codes_are_the_same_everywhere():
    config = configparser.ConfigParser()
    config.read(REPOSITORY / "luigi.cfg")
    assert dict(config["retcode"]) == RETCODES


def test_the_guide_is_made_on_a_server_of_its_own():
    environment = {k: v for k, v in os.environ.items() if not k.startswith(FOREIGN)}
    command = [sys.executable, "-m", "docs", "--check"]
    assert must_succeed(run_program(command, REPOSITORY, environment)).stdout == ""

"""The catalogues: complete, equal in their placeholders, and compiled."""

from __future__ import annotations

import io
import re
import string
import subprocess
import sys
from pathlib import Path

import pytest
from babel.messages import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from shop_server import REPOSITORY

from pipeline.telling.messages import MESSAGES, say
from pipeline.translation import CATALOGUES, DOMAIN, LANGUAGES, translator

TRANSLATED = [path.name for path in sorted(CATALOGUES.iterdir()) if path.is_dir()]
EACH = pytest.mark.parametrize("language", TRANSLATED)


def catalogue(language: str) -> Catalog:
    """What a translator has written."""
    with (CATALOGUES / language / "LC_MESSAGES" / f"{DOMAIN}.po").open("rb") as file:
        return read_po(file, locale=language)


def placeholders(text: str) -> list[str]:
    """The names in braces, each as often as it stands there; what a log line fills, in order."""
    named = sorted(name for _, name, _, _ in string.Formatter().parse(text) if name)
    return named + re.findall(r"%(?:\.\d)?[sdf]", text)


def test_there_is_a_catalogue_for_every_language_but_the_codes_own():
    assert {*TRANSLATED, "en"} == set(LANGUAGES)


@EACH
def test_the_catalogue_has_what_the_code_says_and_nothing_else(language: str, tmp_path: Path):
    template = tmp_path / "pipeline.pot"
    subprocess.run(
        [
            *(sys.executable, "-m", "babel.messages.frontend", "-q", "extract"),
            *("-F", "pyproject.toml", "-o", str(template), "."),
        ],
        cwd=REPOSITORY,
        check=True,
    )
    with template.open("rb") as file:
        said = {message.id for message in read_po(file) if message.id}
    assert len(said) > 90
    written = catalogue(language)
    assert {message.id for message in written if message.id} == said
    assert not written.obsolete
    assert not [message.id for message in written if message.fuzzy or not message.string]


@EACH
def test_placeholders_are_the_same(language: str):
    for message in catalogue(language):
        if message.id:
            assert placeholders(message.id) == placeholders(message.string), message.id


@EACH
def test_what_is_shipped_is_what_was_written(language: str):
    compiled = io.BytesIO()
    write_mo(compiled, catalogue(language))
    shipped = CATALOGUES / language / "LC_MESSAGES" / f"{DOMAIN}.mo"
    assert shipped.read_bytes() == compiled.getvalue(), "pybabel compile -D pipeline"


def test_messages_need_no_babel_and_are_translated():
    program = (
        "import sys; sys.modules['babel'] = None; from pipeline.telling.messages import say;"
        "print(say('es', 'digest.nothing'), say('en', 'digest.nothing'))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout.strip() == "No había nada pendiente. Nothing was due.", done.stderr
    assert all(translator("es")(text) != text for text in MESSAGES.values())
    with pytest.raises(KeyError):
        say("es", "failed.title")

"""The guide's pages in both languages, and the blocks in them that are made from the code."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
# Each page in English, and the same in Spanish: equal sections, tables and fenced blocks.
PAIRS = (
    ("README.md", "README.es.md"),
    ("docs/en/administrator.md", "docs/es/administrador.md"),
    ("docs/en/notices.md", "docs/es/avisos.md"),
    ("docs/en/commands.md", "docs/es/comandos.md"),
    ("docs/en/settings.md", "docs/es/configuracion.md"),
    ("docs/en/accountant.md", "docs/es/contador.md"),
    ("docs/en/analyst.md", "docs/es/analista.md"),
    ("docs/en/views.md", "docs/es/vistas.md"),
    ("docs/en/consultant.md", "docs/es/consultor.md"),
    ("docs/en/systems.md", "docs/es/sistemas.md"),
    ("docs/en/shops.md", "docs/es/tiendas.md"),
    ("docs/en/development.md", "docs/es/desarrollo.md"),
)
_BLOCK = re.compile(r"(<!-- made by python -m docs: (.+?) -->\n).*?(<!-- end -->)", re.DOTALL)


def read(name: str) -> str:
    """A file of the repository, by its path in it."""
    return (ROOT / name).read_text(encoding="utf-8")


def language(name: str) -> str:
    """The language of a page: 'en' or 'es'."""
    return "es" if name in {spanish for _, spanish in PAIRS} else "en"


def names(text: str) -> list[str]:
    """The names of the blocks in a page that are made from the code."""
    return [found[2] for found in _BLOCK.finditer(text)]


def fill(text: str, make: Callable[[str], str]) -> str:
    """The page with each of its blocks as `make` gives it for the block's name."""
    return _BLOCK.sub(lambda found: f"{found[1]}{make(found[2])}\n{found[3]}", text)

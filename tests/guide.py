"""The guide's pages as the tests read them: headings, fenced blocks, tables, links."""

from __future__ import annotations

import re
from decimal import Decimal
from itertools import chain
from typing import NamedTuple

from docs.pages import PAIRS, ROOT, read

ENGLISH = [english for english, _ in PAIRS]
PAGES = list(chain.from_iterable(PAIRS))
# Whatever a repository's page shows, and has links.
LINKED = [*PAGES, "CONTRIBUTING.md", "CHANGELOG.md", "bench/README.md"]


class Block(NamedTuple):
    """A fenced block; `run` says that it is marked to be run."""

    heading: str
    kind: str
    text: str
    run: bool


def blocks(text: str) -> list[Block]:
    """Every fenced block, in order."""
    found = []
    for match in re.finditer(r"(<!-- run -->\n)?```(\w*)\n(.*?)```", text, re.DOTALL):
        heading = headings(text[: match.start()])[-1]
        found.append(Block(heading, match[2], match[3], bool(match[1])))
    return found


def all_blocks() -> list[Block]:
    """Every block of the English guide."""
    return [block for page in ENGLISH for block in blocks(read(page))]


def block_texts(heading: str, kind: str, *, run: bool = True) -> list[str]:
    """The blocks of a section of the English guide: those marked to be run, or the others."""
    chosen = [b.text for b in all_blocks() if b[:2] == (heading, kind) and b.run == run]
    assert chosen, f"the guide has no such block: {heading}, {kind}"
    return chosen


def prose(text: str) -> str:
    """The page without its fenced blocks."""
    return re.sub(r"```.*?```", "", text, flags=re.DOTALL)


def headings(text: str) -> list[str]:
    """The headings of a page, of every level, in order."""
    return re.findall(r"^#+ (.*)$", prose(text), re.MULTILINE)


def anchors(text: str) -> set[str]:
    """What a link into the page may name, as a repository's page has it."""
    found: set[str] = set()
    for heading in headings(text):
        base = re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
        name, number = base, 0
        while name in found:
            number += 1
            name = f"{base}-{number}"
        found.add(name)
    return found


def links(page: str) -> list[tuple[str, str]]:
    """The links of a page into the repository: the path of the file, and the anchor or ''."""
    found = []
    for target in re.findall(r"\]\(([^)]+)\)", prose(read(page))):
        if not target.startswith("https://"):
            path, _, anchor = target.partition("#")
            file = (ROOT / page).parent / path if path else ROOT / page
            found.append((str(file.resolve().relative_to(ROOT)), anchor))
    return found


def cells(text: str) -> list[list[str]]:
    """The rows of all tables, without their headings' rules."""
    rows = [line for line in prose(text).splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", row.strip("|"))] for row in rows]


def code(text: str) -> list[str]:
    """What a text has between backticks."""
    return re.findall(r"`([^`]+)`", text)


def numbers(row: list[str]) -> list[Decimal]:
    """A row's cells as numbers; percentages as fractions."""
    found = []
    for cell in row:
        bare = Decimal(cell.replace("\N{MINUS SIGN}", "-").removesuffix(" %"))
        found.append(bare / 100 if cell.endswith("%") else bare)
    return found

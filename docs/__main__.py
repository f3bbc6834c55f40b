"""Writes .env.example, and the blocks of the guide that are made from the code: python -m docs."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from functools import partial
from itertools import chain

from docs.catalogue import Catalogue, fresh_olap, read_catalogue
from docs.made import env_example, make
from docs.pages import PAIRS, ROOT, fill, language, read


def files(catalogue: Catalogue) -> Iterator[tuple[str, str]]:
    """Each file that has something made, and what it must hold."""
    yield ".env.example", env_example()
    for page in chain.from_iterable(PAIRS):
        yield page, fill(read(page), partial(make, language=language(page), catalogue=catalogue))


def main() -> int:
    """Write what differs and say which files; with --check only say it, and return 1."""
    parser = argparse.ArgumentParser(prog="python -m docs", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 if one differs")
    check = parser.parse_args().check
    with fresh_olap() as connection:
        catalogue = read_catalogue(connection)
    different = {name: text for name, text in files(catalogue) if read(name) != text}
    for name, text in different.items():
        if not check:
            (ROOT / name).write_text(text, encoding="utf-8")
        print(name)
    return int(check and bool(different))


if __name__ == "__main__":
    sys.exit(main())

"""Writes .env.example, and the blocks of the guide that are made from the code: python -m docs."""

from __future__ import annotations

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


def main() -> None:
    """Write what differs, and say which files."""
    with fresh_olap() as connection:
        catalogue = read_catalogue(connection)
    for name, text in files(catalogue):
        if read(name) != text:
            (ROOT / name).write_text(text, encoding="utf-8")
            print(name)


if __name__ == "__main__":
    main()

"""Measures the pipeline beside other ways to carry the same rows; see bench/README.md."""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench import dashboards, history, idle, late, million, proof, shops, types, wide, words
from bench.measure import Series
from bench.place import Place, open_place
from bench.report import as_json, print_ratios, print_series
from pipeline.errors import PipelineError

# By name; each is given the rows and the rounds, "shops" the number of shops in place of the rows.
PARTS: dict[str, Callable[[Place, int, int], list[Series]]] = {
    "million": million.measure,
    "late": late.measure,
    "idle": lambda place, _rows, rounds: idle.measure(place, rounds),
    "dashboards": dashboards.measure,
    "wide": wide.measure,
    "types": types.measure,
    "words": words.measure,
    "verify": proof.measure,
    "shops": shops.measure,
    "history": lambda place, rows, _rounds: history.measure(place, rows),
}
USUAL = [name for name in PARTS if name not in ("history", "shops")]


def main(arguments: list[str] | None = None) -> int:
    """Run the parts that were asked for, print a table of each, and write the JSON."""
    parser = argparse.ArgumentParser(
        prog="scripts/bench",
        description=__doc__,
        epilog="example: scripts/bench --rows 100000 --rounds 5 million late",
    )
    parser.add_argument(
        "part",
        nargs="*",
        metavar="part",
        help=f"{', '.join(PARTS)}; by default all but history, which takes an hour at 10 million, "
        "and shops, whose databases take 16 MB a shop",
    )
    parser.add_argument("--rows", type=int, default=1_000_000, help="movements (1,000,000)")
    parser.add_argument("--rounds", type=int, default=3, help="how often each is measured (3)")
    parser.add_argument("--shops", type=int, default=200, help="of the part shops (200)")
    parser.add_argument("--json", type=Path, help="write every single time to this file")
    asked = parser.parse_args(arguments)
    unknown = sorted(set(asked.part) - PARTS.keys())
    if unknown:
        parser.error(f"there is no part {unknown[0]}: choose from {', '.join(PARTS)}")
    if asked.rows < 1000 or asked.rounds < 1:
        parser.error("--rows is at least 1000, --rounds at least 1")
    found: dict[str, list[Series]] = {}
    try:
        with open_place() as place:
            told = {"machine": platform.machine(), "processors": os.cpu_count()}
            told |= {"postgresql": _version(place), "rows": asked.rows, "rounds": asked.rounds}
            print(", ".join(f"{name} {value}" for name, value in told.items()))
            for part in asked.part or USUAL:
                size = asked.shops if part == "shops" else asked.rows
                found[part] = PARTS[part](place, size, asked.rounds)
                print_series(part, found[part])
            print_ratios(found)
    except PipelineError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    if asked.json:
        asked.json.write_text(json.dumps(told | {"parts": as_json(found)}, indent=1) + "\n")
    return 0


def _version(place: Place) -> Any:
    connection = place.olap.connect(place.olap.maintenance)
    try:
        return connection.info.server_version // 10000
    finally:
        connection.close()


if __name__ == "__main__":
    sys.exit(main())

"""adapt --detect: the system that a database is of and its settings, or candidates for queries."""

from __future__ import annotations

import argparse
from typing import Any

from pipeline.base.text_tables import print_facts, print_table
from pipeline.commands.manual import print_json
from pipeline.run.detect import detect
from pipeline.settings import load_settings
from pipeline.translation import translated as _

_OTHERS = 5


def run(arguments: argparse.Namespace) -> int:
    """Look at the database, and say what it is."""
    found = detect(load_settings(), arguments.output)
    if arguments.json:
        print_json(found)
    else:
        _show(found)
    return 0


def _show(found: dict[str, Any]) -> None:
    print_facts([(_("database"), found["oltp"]), (_("tables"), found["tables"])])
    for system in found["systems"]:
        _show_system(system)
    for line in found["not_usable"]:
        print(f"\n{line}")
    if len(found["systems"]) > 1:
        print(
            _(
                "\nseveral fit: take that of the system that the shop sells with; of two for one "
                "system, the one whose instalar.sql its owner ran"
            )
        )
    if not found["systems"]:
        print(_("\nno shipped recipe knows it; what its movements may be made of, and why:"))
    for name, columns in found["candidates"].items():
        print(f"\n{name}.sql")
        print_facts((c["column"], ": ".join(filter(None, (c["from"], c["why"])))) for c in columns)
    if others := found["others"][:_OTHERS]:
        print(_("\nalso with a quantity, a product and a date, but not taken"))
        print_table([_("table"), _("rows")], [[o["table"], o["rows"]] for o in others])
    if found["written"]:
        print(_("\na draft was written, which no run uses as long as it is one:"))
        for path in found["written"]:
            print(f"  {path}")
    elif found["candidates"]:
        print(_("\nto have it as queries: python -m pipeline adapt --detect --output FOLDER"))
    else:
        print(_("\nnothing was written"))


def _show_system(system: dict[str, Any]) -> None:
    if not system["recipe"]:
        print(_("\nthese are the tables of the example: ETL_OLTP_SQL_DIR stays empty"))
        return
    if system["system"] is None:
        told = _("its version is for an account that may read it: set OLTP_ADMIN_USER")
    else:
        told = _("{system} {version}; the recipe was tried with {tried}").format(
            system=system["system"], version=system["version"], tried=", ".join(system["tried"])
        )
    print(f"\nreceta:{system['recipe']}: {told}")
    print(_("put into .env:"))
    for name, value in system["settings"].items():
        print(f"  {name}={value}")

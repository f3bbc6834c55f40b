"""The rooms of the package: arrows between them point one way, and to enter one starts nothing."""

from __future__ import annotations

import ast
import runpy
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from shop_server import REPOSITORY

PACKAGE = REPOSITORY / "pipeline"
# A room may ask those below its own floor. What is imported for its type alone may be anywhere.
FLOORS = (
    ("translation",),
    ("errors",),
    ("settings", "state"),
    ("base",),
    ("oltp", "olap", "report", "kardex", "superset"),
    ("run",),
    ("tasks", "telling"),
    ("__init__", "doctor"),
    ("commands",),
    ("__main__",),
)
FLOOR = {room: floor for floor, rooms in enumerate(FLOORS) for room in rooms}


def room(module: str) -> str:
    """The room that a dotted name below `pipeline` is in."""
    return module.split(".")[1] if "." in module else "__init__"


def imported(tree: ast.AST) -> Iterator[str]:
    """The modules that are imported when this runs, not for a type."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            continue
        if isinstance(node, ast.ImportFrom) and node.module == "pipeline":
            yield from (f"pipeline.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("pipeline."):
            yield str(node.module)
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name.startswith("pipeline."))
        else:
            yield from imported(node)


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=str)
def test_arrows_point_one_way(path: Path):
    own = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
    for module in imported(ast.parse(path.read_text(encoding="utf-8"))):
        asked = room(module)
        assert asked == own or FLOOR[asked] < FLOOR[own], f"{path} imports {module}"


WATCHES = """
import logging, sys
before = sys.excepthook
import pipeline
from luigi import Task
from luigi.setup_logging import InterfaceLogging
from pipeline.superset import import_assets
log = logging.getLogger("luigi-interface")
def attended():
    return (
        bool(Task._event_callbacks), sys.excepthook is not before, bool(log.filters),
        bool(logging.getLogger().handlers),
    )
print(attended())
pipeline.RunDue()
print(attended())
"""


def test_who_only_imports_it_runs_nothing(tmp_path: Path):
    said = subprocess.run(
        [sys.executable, "-c", WATCHES],
        cwd=tmp_path,
        env={"ETL_LOG_FORMAT": "json"},
        capture_output=True,
        text=True,
        check=True,
    )
    none, all_of_it = said.stdout.splitlines()
    assert none == "(False, False, False, False)"
    assert all_of_it == "(True, True, True, True)"


def test_what_mutants_change_is_there():
    """Of code that was edited since, one would be no more than an error, if anybody ran it."""
    mutants = runpy.run_path(str(REPOSITORY / "scripts/mutants"), run_name="mutants")["MUTANTS"]
    changes = {(m.name, file, text) for m in mutants for file, text, _other in m.changes}
    assert len(changes) > 100
    gone = [c for c in changes if (REPOSITORY / c[1]).read_text(encoding="utf-8").count(c[2]) != 1]
    assert gone == []

"""What a plan, as EXPLAIN (VERBOSE) tells it, says that the columns of a query are made of."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pipeline.oltp.queries import Query

# What a node of a plan looks values up in, beside the rows that it hands on.
LOOKUPS = ("InitPlan", "SubPlan")
# What yields rows of the query's own text.
TEXT_ALONE = ("Result", "Values Scan")

_NAME = r'(?:"(?:[^"]|"")+"|\w+)'
_COLUMN = re.compile(rf"{_NAME}\.{_NAME}")
# What a query within an expression stands for in it.
_SUBPLAN = re.compile(r"SubPlan \d+")


def output_columns(query: Query, plan: dict[str, Any]) -> list[dict[str, str]]:
    """By each branch of a UNION ALL that yields rows, the expression of each column."""
    return [
        dict(zip(query.columns, output, strict=True))
        for output in _outputs(plan)
        if len(output) == len(query.columns)
    ]


def relations(plan: dict[str, Any]) -> set[tuple[str, str]]:
    """The schema and name of each relation that a plan of explain() scans."""
    return {
        (node["Schema"], node["Relation Name"]) for node in nodes(plan) if "Relation Name" in node
    }


def named(found: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    """Relations as a statement of sql/oltp asks of them."""
    pairs = sorted(found)
    return {
        "schemas": [schema for schema, _name in pairs],
        "names": [name for _schema, name in pairs],
    }


def columns_within(expression: str, plan: dict[str, Any]) -> set[str]:
    """The columns, each behind its table's alias, that an expression of the plan is made of.

    Looked into are a query within the expression, the argument of a function that makes rows, as
    of unnest() to find the youngest version, and a query that stands between: a plan does not tell
    which of its columns is which, so a column of it is its row versions, if it yields any.
    """
    below = set(_SUBPLAN.findall(expression))
    texts = [
        text
        for node in nodes(plan)
        if node.get("Subplan Name") in below
        for text in node.get("Output", [])
    ]
    found = set()
    for column in _COLUMN.findall(expression):
        made_of = _behind(alias_of(column), plan)
        texts += made_of
        found |= set() if made_of else {column}
    return found.union(*(columns_within(text, plan) for text in texts))


def _behind(alias: str, plan: dict[str, Any]) -> list[str]:
    """The expressions that the columns of what is no table are made of."""
    found = []
    for node in nodes(plan):
        if node.get("Alias") != alias:
            continue
        if "Function Call" in node:
            found.append(node["Function Call"])
        for below in node.get("Plans", ()):
            if below["Parent Relationship"] == "Subquery":
                kept = [[text for text in o if is_kept(text, plan)] for o in _outputs(below)]
                found += [text for branch in kept for text in branch if all(kept)]
    return found


def _outputs(plan: dict[str, Any]) -> list[list[str]]:
    """The expressions that a node yields, by each branch of a UNION ALL."""
    if plan["Node Type"] in ("Append", "Merge Append"):
        branches = [p for p in plan.get("Plans", ()) if p["Parent Relationship"] not in LOOKUPS]
        return [outputs for below in branches for outputs in _outputs(below)]
    if plan.get("Alias", "").startswith("*SELECT* "):
        # PostgreSQL casts the columns of such a branch: what they are is told below.
        (below,) = (p for p in plan["Plans"] if p["Parent Relationship"] == "Subquery")
        return _outputs(below)
    # Rows of the text alone change with it, which is noticed.
    return [plan.get("Output", [])] if reads_something(plan) else []


def is_kept(expression: str, plan: dict[str, Any]) -> bool:
    """Whether it is made of row versions that PostgreSQL itself keeps, and of nothing else.

    Such as the youngest of several, which is one for all rows where these were restored at once.
    """
    columns = columns_within(expression, plan)
    return bool(columns) and all(column.endswith(".xmin") for column in columns)


def alias_of(column: str) -> str:
    """Behind which name a column stands."""
    name = column.rsplit(".", 1)[0]
    return name[1:-1].replace('""', '"') if name.startswith('"') else name


def root(alias: str) -> str:
    """Of a partition, or where a name comes again, a plan numbers the alias."""
    return re.sub(r"_\d+$", "", alias)


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The node and all below it."""
    yield plan
    for below in plan.get("Plans", ()):
        yield from nodes(below)


def leaves(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Those below it that stand on no other."""
    return (node for node in nodes(plan) if not node.get("Plans"))


def reads_something(plan: dict[str, Any]) -> bool:
    """Whether its rows are of more than the text of the query."""
    return any(leaf["Node Type"] not in TEXT_ALONE for leaf in leaves(plan))

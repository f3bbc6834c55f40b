"""The blocks of the guide that are made from the code, each from the one place where it stands."""

from __future__ import annotations

import argparse
import ast
import json
import os
import re
import textwrap
from dataclasses import dataclass
from pathlib import Path
from unittest import mock

from docs.catalogue import Catalogue
from docs.exit_codes import MEANINGS
from docs.pages import ROOT
from pipeline.__main__ import _parser
from pipeline.base.movement_names import NAMES
from pipeline.commands.init import FOLDERS
from pipeline.settings.catalogue import GROUPS
from pipeline.settings.databases import Setting
from pipeline.tasks.luigi_defaults import RETCODES
from pipeline.telling.metrics import HELP

_WIDTH = 92  # of a comment in .env.example
# As it stands in a comment: the case, the expression below it, and what that gives.
_EXAMPLE = re.compile(r"^-- (.+):\n--   (.+)\n--   → (.+)$", re.MULTILINE)
_HEADINGS: dict[str, dict[str, tuple[str, ...]]] = {
    "settings": {"en": ("setting", "default", ""), "es": ("variable", "valor por defecto", "")},
    "codes": {
        "en": ("code", "meaning", "what to do"),
        "es": ("código", "significado", "qué hacer"),
    },
    "metrics": {"en": ("metric", "HELP"), "es": ("métrica", "HELP")},
    "rules": {"en": ("function", "its comment"), "es": ("función", "su comentario")},
    "types": {
        "en": ("type", "what it is", "rule", "order", "reported as", "SUNAT"),
        "es": ("tipo", "qué es", "regla", "orden", "se informa como", "SUNAT"),
    },
    "map": {"en": ("where", "what"), "es": ("dónde", "qué")},
    "set-ups": {"en": ("set-up", "tried with"), "es": ("instalación", "se probó con")},
}
# By the names that tests/test_set_ups.py gives them.
_SET_UPS = {
    "two versions": {
        "en": "OLTP and OLAP of different versions of PostgreSQL",
        "es": "OLTP y OLAP de distintas versiones de PostgreSQL",
    },
    "pooler": {
        "en": "PgBouncer before both, `pool_mode = transaction`",
        "es": "PgBouncer delante de ambos, `pool_mode = transaction`",
    },
    "partitions": {
        "en": "the lines in partitions by number",
        "es": "los renglones en particiones por número",
    },
    "dump": {
        "en": "`pg_dump` and `pg_restore --clean` in place, of the OLTP, or of the OLAP",
        "es": "`pg_dump` y `pg_restore --clean` sobre la misma base, del OLTP, o del OLAP",
    },
    "subscriber": {
        "en": "the shop's tables as a logical subscriber's copy",
        "es": "las tablas de la tienda como copia de un suscriptor lógico",
    },
    "pg_upgrade": {
        "en": "`pg_upgrade` of the OLTP, or of the OLAP, to 18",
        "es": "`pg_upgrade` del OLTP, o del OLAP, a la 18",
    },
}
_WORDS = {
    "en": {
        **{"empty": "empty", "required": "required", "columns": "Columns"},
        **{"negative": "negative:", "with a cost": "with a cost of its own"},
        "entry": "its entry",
        **{"ventas": "sales", "compras": "purchases", "merma": "shrinkage"},
    },
    "es": {
        **{"empty": "vacío", "required": "obligatorio", "columns": "Columnas"},
        **{"negative": "negativa:", "with a cost": "con costo propio"},
        "entry": "su entrada",
        **{"ventas": "ventas", "compras": "compras", "merma": "mermas"},
    },
}


def make(name: str, language: str, catalogue: Catalogue) -> str:
    """The block of that name, such as 'settings' or 'help init', in 'en' or 'es'."""
    kind, _, of = name.partition(" ")
    if kind == "help":
        return _help(of)
    if kind == "view":
        return _view(of, language, catalogue)
    if kind == "rules":
        return _rules(language, catalogue)
    if kind == "types":
        return _types(language, catalogue)
    makers = {
        **{"settings": _settings, "codes": _codes, "metrics": _metrics, "map": _map},
        "set-ups": _set_ups,
    }
    return makers[kind](language)


def env_example() -> str:
    """The file .env.example."""
    lines = [
        "# Settings of the pipeline. Copy to .env in the working directory (or a folder above it),",
        "# or set them in the environment, which wins. Passwords belong here and nowhere else:",
        "# chmod 600 .env",
        "# Made by `python -m docs` from pipeline/settings/catalogue.py.",
    ]
    for group in GROUPS:
        lines += ["", f"# --- {group.en} ".ljust(_WIDTH, "-")]
        for setting in group.settings:
            lines += textwrap.wrap(
                setting.en,
                _WIDTH,
                initial_indent="# ",
                subsequent_indent="# ",
                break_long_words=False,
                break_on_hyphens=False,
            )
            value = setting.example if setting.default is None else setting.default
            lines.append(f"{setting.name}={value}")
    return "\n".join([*lines, ""])


def _table(kind: str, language: str, rows: list[list[str]]) -> str:
    headings = _HEADINGS[kind][language]
    lines = ["| " + " | ".join(headings).rstrip() + " |", "|---" * len(headings) + "|"]
    return "\n".join([*lines, *("| " + " | ".join(row) + " |" for row in rows)])


def _settings(language: str) -> str:
    parts = []
    for group in GROUPS:
        rows = [
            [f"`{setting.name}`", _default(setting, language), _cell(getattr(setting, language))]
            for setting in group.settings
        ]
        parts.append(f"## {getattr(group, language)}\n\n{_table('settings', language, rows)}")
    return "\n\n".join(parts)


def _default(setting: Setting, language: str) -> str:
    if setting.default is None:
        return _WORDS[language]["required"]
    return setting.default or _WORDS[language]["empty"]


def _cell(text: str) -> str:
    """Names of tables and files as code, where the text does not say so itself."""
    return re.sub(r"(?<![\w`./-])((?:dw|sql|scripts)[./][\w./-]*\w|[a-z]+\.sql)", r"`\1`", text)


def _parsers() -> dict[str, argparse.ArgumentParser]:
    """Each command's parser; that of the overview is ''."""
    parser = _parser()
    actions = (a for a in parser._actions if isinstance(a, argparse._SubParsersAction))
    return {"": parser, **next(actions).choices}


def _help(command: str) -> str:
    # argparse asks for the terminal's width.
    with mock.patch.dict(os.environ, {"COLUMNS": "80"}):
        return f"```text\n{_parsers()[command].format_help().rstrip()}\n```"


def _codes(language: str) -> str:
    rows = [[RETCODES.get(name, name), *told[language]] for name, told in MEANINGS.items()]
    return _table("codes", language, rows)


def _metrics(language: str) -> str:
    return _table("metrics", language, [[f"`{name}`", text] for name, text in HELP.items()])


@dataclass(frozen=True)
class Example:
    """Of a rule: the case in words, the expression in SQL, and the value it gives, as text."""

    case: str
    expression: str
    result: str


def examples(script: Path) -> list[Example]:
    """The worked examples in the comment that a script of sql/olap/rules begins with."""
    found = _EXAMPLE.findall(script.read_text(encoding="utf-8"))
    return [Example(*texts) for texts in found]


def _rules(language: str, catalogue: Catalogue) -> str:
    """Each rule and its comment, then the examples that its script gives."""
    rows = [[f"`{name}`", text] for name, text in catalogue.rules]
    shown = []
    for name, _ in catalogue.rules:
        script = ROOT / "sql/olap/rules" / f"{name.removeprefix('dw.').partition('(')[0]}.sql"
        for example in examples(script):
            shown += [f"-- {example.case}", f"{example.expression} → {example.result}"]
    table = _table("rules", language, rows)
    return "\n".join([table, "", "```text", *shown, "```"])


def _types(language: str, catalogue: Catalogue) -> str:
    """A line a type; its description stands in Spanish in the OLAP, its name in both languages."""
    rows = []
    for tipo, told, rule, order, clase, with_cost, negative, *sunat in catalogue.types:
        what = told if language == "es" else NAMES[tipo]
        reported = _reported(language, clase, with_cost)
        if negative:
            what += f" ({_WORDS[language]['negative']} `{negative}`)"
        rows.append(
            [f"`{tipo}`", what, f"`{rule}`", str(order), reported, _sunat(language, *sunat)]
        )
    return _table("types", language, rows)


def _sunat(language: str, code: str | None, with_cost: str | None, target: str | None) -> str:
    told = code or "—"
    if with_cost:
        told += f"; {_WORDS[language]['with a cost']}: {with_cost}"
    return f"{told}; {_WORDS[language]['entry']}: {target}" if target else told


def _reported(language: str, clase: str | None, with_cost: str | None) -> str:
    words = _WORDS[language]
    if clase is None:
        return "—"
    if with_cost and with_cost != clase:
        return f"{words[clase]}; {words['with a cost']}: {words[with_cost]}"
    return words[clase]


def _view(name: str, language: str, catalogue: Catalogue) -> str:
    view, words = catalogue.views[name], _WORDS[language]
    columns = ", ".join(f"`{column.name}` {column.kind}" for column in view.columns)
    told = [f"- `{c.name}`: {c.comment}" for c in view.columns if c.comment]
    lines = [f"*{view.comment}.*", "", f"{words['columns']}: {columns}."]
    return "\n".join([*lines, "", *told] if told else lines)


def _set_ups(language: str) -> str:
    tried = json.loads((ROOT / "tests/set_ups.json").read_text(encoding="utf-8"))
    rows = [[words[language], _versions(tried[name])] for name, words in _SET_UPS.items()]
    return _table("set-ups", language, rows)


def _versions(tried: list[str]) -> str:
    pairs = [versions.split(" → ") for versions in tried]
    versions = sorted({version for pair in pairs for version in pair})
    # Each beside each other one is said by their names alone.
    whole = len(pairs) == len(versions) * (len(versions) - 1)
    return ", ".join(versions if whole else tried)


def _map(language: str) -> str:
    """A line for each room, module and script, as it says itself what it is."""
    rows = [[f"`{where}`", what.rstrip(".")] for where, what in _places()]
    return _table("map", language, rows)


def _places() -> list[tuple[str, str]]:
    found = []
    for path in sorted((ROOT / "pipeline").iterdir()):
        if path.suffix == ".py":
            found.append((f"pipeline/{path.name}", _first_sentence(path)))
    for path in sorted((ROOT / "pipeline").glob("*/__init__.py")):
        found.append((f"pipeline/{path.parent.name}/", _first_sentence(path)))
    for folder in ("sql/oltp", *(f"sql/olap/{n}" for n in (*FOLDERS, "migraciones"))):
        for path in sorted((ROOT / folder).glob("*.sql")):
            found.append((f"{folder}/{path.name}", _first_comment(path)))
    for folder in ("demo", "docs", "bench"):
        found.append((f"{folder}/", _first_sentence(ROOT / folder / "__init__.py")))
    for path in sorted((ROOT / "tests").glob("*.py")):
        if not path.name.startswith("test_"):
            found.append((f"tests/{path.name}", _first_sentence(path)))
    return found


def _first_sentence(module: Path) -> str:
    text = ast.get_docstring(ast.parse(module.read_text(encoding="utf-8"))) or ""
    return _escaped(text.split("\n\n")[0])


def _first_comment(script: Path) -> str:
    """The first sentence of the comment that a script begins with."""
    lines = []
    for line in script.read_text(encoding="utf-8").splitlines():
        if not line.startswith("--"):
            break
        lines.append(line.removeprefix("--").strip())
    return _escaped(re.split(r"(?<=[.]) ", " ".join(lines))[0])


def _escaped(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")

"""The page put where people open it: whole or not at all, and whether it is the newest."""

from __future__ import annotations

import csv
import errno
import io
import os
import re
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from pipeline.errors import StateError, missing_extra
from pipeline.report.figures import bi_account, read_figures
from pipeline.state.replacing import replacing
from pipeline.translation import translated as _

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from pipeline.report.figures import Figures, Row
    from pipeline.settings import Settings

# Where a page says until when its data reach, near its beginning.
_DATA_UNTIL = re.compile(rb'<meta name="data-until" content="([^"]*)">')
_HEAD = 2000


@dataclass(frozen=True)
class Built:
    """A page, and what stands beside it as CSV: all that is to be ordered, also by branch.

    `by_branch` is '' where there is one branch alone, or none lacks anything.
    """

    page: str
    order: str
    by_branch: str


def build_page(settings: Settings, path: Path | None = None) -> Built:
    """Read the views and write the page in ETL_LANG; it links the lists beside `path`, if any.

    Raises what renderer() raises, DatabaseError as read_figures() does, and StateError where `path`
    is a folder, or in one that this account may not enter.
    """
    try:
        if path and path.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    except OSError as error:
        raise _not_written(path, error.strerror or str(error)) from error
    render_page = renderer(settings)
    figures = read_figures(settings)
    links = {}
    if path:
        beside = {"por_pedir": order_beside(path), "reponer_sucursal": branches_beside(path)}
        links = {name: file.name for name, file in beside.items() if figures.lists[name]}
    by_branch = figures.lists["reponer_sucursal"]
    return Built(
        render_page(figures, settings.notices.language, links),
        _to_order(figures.lists["por_pedir"]),
        _to_order(by_branch, "sucursal", "en_otras") if by_branch else "",
    )


def order_beside(path: Path) -> Path:
    """Where what to order is listed, beside a page."""
    return path.with_name(f"{path.stem}-por-pedir.csv")


def branches_beside(path: Path) -> Path:
    """Where what each branch lacks is listed, beside a page."""
    return path.with_name(f"{path.stem}-por-sucursal.csv")


def publish_all(built: Built, path: Path) -> None:
    """Put the page in its place, and beside it what it links to; raises as publish()."""
    publish(built.page, path)
    publish(built.order, order_beside(path))
    if built.by_branch:
        publish(built.by_branch, branches_beside(path))
    else:
        # An older one would still be ordered from.
        branches_beside(path).unlink(missing_ok=True)


def _to_order(rows: Sequence[Row], *more: str) -> str:
    """What is to be ordered as CSV: with a mark that tells a spreadsheet that it is UTF-8."""
    text = io.StringIO()
    columns = ["codigo", "nombre", "categoria", "existencias", "venta_diaria", "dias_cobertura"]
    columns += ["dias_deseados", "por_pedir", *more]
    if any(row["proveedor"] for row in rows):
        columns.append("proveedor")
    writer = csv.DictWriter(text, columns, extrasaction="ignore")
    writer.writeheader()
    for row in rows:
        writer.writerow({name: _no_formula(value) for name, value in row.items()})
    return f"\N{BYTE ORDER MARK}{text.getvalue()}"


def _no_formula(value: object) -> object:
    """A text as it is, but that a spreadsheet would take for a formula."""
    return (
        f"'{value}" if isinstance(value, str) and value.startswith(("=", "+", "-", "@")) else value
    )


def renderer(settings: Settings) -> Callable[[Figures, str, Mapping[str, str]], str]:
    """What writes the page from its figures, a language, and the files beside it.

    Raises SettingsError without the account that it reads with, and PipelineError, which
    names what to install, without the extra `report`.
    """
    bi_account(settings)
    try:
        from pipeline.report.page import render_page
    except ImportError as error:
        raise missing_extra(_("the report"), "report", error) from error
    return render_page


def publish(page: str, path: Path) -> None:
    """Put the page in the place of `path`, with the permissions that the umask leaves.

    Whoever opens it finds the old one or the new one, see replacing(). Raises StateError
    when it cannot be written; the old one stays.
    """
    try:
        with replacing(path, 0o666) as stream:
            stream.write(page.encode())
    except OSError as error:
        raise _not_written(path, error.strerror or str(error)) from error


def _not_written(path: Path | None, reason: str) -> StateError:
    return StateError(
        _(
            "{path} cannot be written: {reason}; its folder must be there and writable, see "
            "ETL_REPORT_PATH"
        ).format(path=path, reason=reason)
    )


def published_until(path: Path) -> datetime | None:
    """Until when the data of a published page reach (UTC); None where there is no such page."""
    try:
        with path.open("rb") as stream:
            found = _DATA_UNTIL.search(stream.read(_HEAD))
        return datetime.fromisoformat(found[1].decode()) if found else None
    except (OSError, ValueError):
        return None

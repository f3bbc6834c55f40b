"""The page put where people open it: whole or not at all, and whether it is the newest."""

from __future__ import annotations

import re
from datetime import datetime
from typing import TYPE_CHECKING

from pipeline.errors import StateError, missing_extra
from pipeline.report.figures import bi_account, read_figures
from pipeline.state.replacing import replacing
from pipeline.translation import translated as _

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pipeline.report.figures import Figures
    from pipeline.settings import Settings

# Where a page says until when its data reach, near its beginning.
_DATA_UNTIL = re.compile(rb'<meta name="data-until" content="([^"]*)">')
_HEAD = 2000


def build_page(settings: Settings) -> str:
    """Read the views and write the page in ETL_LANG.

    Raises what renderer() raises, and DatabaseError as read_figures() does.
    """
    render_page = renderer(settings)
    return render_page(read_figures(settings), settings.notices.language)


def renderer(settings: Settings) -> Callable[[Figures, str], str]:
    """What writes the page from its figures and a language.

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
        raise StateError(
            _(
                "{path} cannot be written: {reason}; its folder must be there and writable, see "
                "ETL_REPORT_PATH"
            ).format(path=path, reason=error.strerror or error)
        ) from error


def published_until(path: Path) -> datetime | None:
    """Until when the data of a published page reach (UTC); None where there is no such page."""
    try:
        with path.open("rb") as stream:
            found = _DATA_UNTIL.search(stream.read(_HEAD))
        return datetime.fromisoformat(found[1].decode()) if found else None
    except (OSError, ValueError):
        return None

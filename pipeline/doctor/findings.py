"""What an examination found, and how a check that fails becomes a finding."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from traceback import extract_tb
from typing import Literal

import psycopg2

from pipeline.errors import PipelineError, translate
from pipeline.translation import translated as _

# 'skipped': not examined, or nothing that a run needs.
State = Literal["ok", "warning", "error", "skipped"]


@dataclass(frozen=True)
class Finding:
    """One line of the examination: what was looked at, what was found, and the remedy."""

    state: State
    what: str
    found: str
    remedy: str = ""


def refused(what: str, failure: PipelineError, remedy: str = "") -> Finding:
    """A failure as a finding; `remedy` holds where its own text ends without one."""
    found, _semicolon, own = str(failure).rpartition("; ")
    return Finding("error", what, found, own) if found else Finding("error", what, own, remedy)


def attempt(
    what: str, check: Callable[[], Iterable[Finding]], *, reads_shop: bool = False
) -> list[Finding]:
    """The findings of a check; a failure inside it is one more of them, and stops no other.

    `reads_shop` as in errors.translate().
    """
    findings: list[Finding] = []
    try:
        for finding in check():
            findings.append(finding)
    except psycopg2.Error as error:
        findings.append(refused(what, translate(error, "server", reads_shop=reads_shop)))
    except PipelineError as failure:
        findings.append(refused(what, failure))
    except OSError as error:
        findings.append(
            Finding("error", what, str(error), _("check the path, its owner and its disk"))
        )
    except Exception as error:
        # A defect of one check must not hide what the others find.
        place = extract_tb(error.__traceback__)[-1]
        told = f"{type(error).__name__}: {error} ({Path(place.filename).name}:{place.lineno})"
        findings.append(Finding("error", what, told, _("a defect of this program: report it")))
    return findings

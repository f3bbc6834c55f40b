"""What an examination found, and how a check that fails becomes a finding."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal

import psycopg2

from pipeline.errors import PipelineError, translate

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
    found, _, own = str(failure).rpartition("; ")
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
    except Exception as error:
        # A defect of one check must not hide what the others find.
        findings.append(
            Finding("error", what, f"{type(error).__name__}: {error}", "report it: a defect")
        )
    return findings

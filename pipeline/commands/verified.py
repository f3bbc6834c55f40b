"""What verify found, as people are told it, and what to do about it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from pipeline.base.text_tables import paint, print_facts, print_table
from pipeline.olap.names import Names, read_names
from pipeline.run import differences
from pipeline.run.proof import minute
from pipeline.settings.moments import in_zone
from pipeline.translation import translated as _
from pipeline.translation.stored import worded

if TYPE_CHECKING:
    from pipeline.run.comparison import Findings
    from pipeline.settings import Settings

_SHOWN = 20
_REBUILD = "python -m pipeline rebuild"
_CLOSED = "what was closed up to"  # as etl.verificar_libros() begins to say it


def show(settings: Settings, findings: Findings) -> None:
    """Print a fact a line, some of the books' faults, and in a last line whether all is well."""
    names = names_of(settings, findings)
    note = _("{restored}; the next run reads everything").format(restored=findings.restored)
    print_facts(
        [
            (
                _("compared"),
                _("{compared} movements of the OLTP").format(compared=findings.compared),
            ),
            (_("looked at"), _extent(findings)),
            (
                _("pending"),
                _("{pending} changed since the last window: the next has them").format(
                    pending=findings.pending
                ),
            ),
            *([(_("archived"), _archived(findings))] if findings.archived else []),
            *([(_("note"), note)] if findings.restored else []),
            (_("missing"), _listed(findings.missing, names)),
            (_("extra"), _listed(findings.extra, names)),
            (_("different"), _listed(findings.different, names)),
            *(
                [(_("of them rejects"), _listed(findings.rejects, names))]
                if findings.rejects
                else []
            ),
            *([(_("catalogue"), _catalogue(findings))] if findings.catalogue else []),
            *([(_("documents"), _documents(findings, names))] if findings.documents else []),
            *([(_("lost"), _lost(findings.lost))] if findings.lost else []),
            (_("books"), _books(findings)),
            *differences.facts(findings.stock),
        ]
    )
    if findings.books:
        print_table(
            [_("fault"), _("product"), _("movement")],
            [
                [
                    worded(row["fault"]),
                    names.product(row["product"]),
                    names.movement(row["movement"]),
                ]
                for row in findings.books[:_SHOWN]
            ],
        )
    if findings.clean:
        whole = findings.whole is not None
        equal = _("the OLAP equals the OLTP") if whole else _("nothing that was looked at differs")
        print(paint(_with_time(settings, equal), "green"))
    else:
        print(paint(_with_time(settings, _advice(findings)), "red"))


def names_of(settings: Settings, findings: Findings) -> Names:
    """What the shop calls those that are listed: the OLAP does not know what is missing in it."""
    books = findings.books[:_SHOWN]
    listed = (
        findings.missing,
        findings.extra,
        findings.different,
        findings.rejects,
        findings.documents,
    )
    movements = [number for numbers in listed for number in numbers[:_SHOWN]]
    found = read_names(
        settings,
        [*movements, *(row["movement"] for row in books)],
        [row["product"] for row in books],
    )
    return Names({**found.movimientos, **findings.names}, found.productos)


def in_words(findings: Findings) -> str:
    """How many of each kind were found, in one line."""
    counts = {
        _("missing"): len(findings.missing),
        _("extra"): len(findings.extra),
        _("different"): len(findings.different),
        _("faults in the books"): len(findings.books),
        _("wrong in the catalogue"): len(findings.catalogue),
        _("wrong documents"): len(findings.documents),
    }
    found = ", ".join(f"{count} {name}" for name, count in counts.items() if count)
    return _("the OLAP is not equal to the OLTP: {found}").format(found=found)


def tampered(findings: Findings) -> bool:
    """Whether closed rows were changed: a repair would book the change as a correction."""
    return any(row["fault"].startswith(_CLOSED) for row in findings.books)


def mendable(findings: Findings) -> bool:
    """Whether a window that reads it again mends some of it."""
    return bool(findings.wrong or findings.catalogue)


def remedy(findings: Findings) -> str:
    """The command that mends it, or says more of it."""
    if tampered(findings):
        return "python -m pipeline verify --all"
    return "python -m pipeline verify --repair" if mendable(findings) else _REBUILD


def _advice(findings: Findings) -> str:
    if tampered(findings):
        return _(
            "NOT right: somebody has changed what was closed: restore the OLAP from a backup, or "
            "reopen it (`python -m pipeline close --reopen`), run `{command}`, and close it anew"
        ).format(command=_REBUILD)
    if mendable(findings):
        return _("NOT equal: `{command}` loads and removes what it must").format(
            command=remedy(findings)
        )
    return _("NOT right: `{command}` replays every product from the OLTP").format(
        command=remedy(findings)
    )


def _with_time(settings: Settings, said: str) -> str:
    """The last line, which says when it was: in a log it stands below that of yesterday."""
    return f"{said} ({in_zone(datetime.now(UTC), settings.timezone)})"


def _extent(findings: Findings) -> str:
    """In one line, what was looked at and what was not."""
    if findings.whole == "--since":
        return _("every ledger; of the OLTP only the movements since that date")
    if findings.whole is not None:
        return _("everything ({reason})").format(reason=worded(findings.whole))
    return _(
        "what changed since the verify of {last}; not at older rows that were deleted in the OLTP "
        "or changed by hand, and at sums by day only in total: `python -m pipeline verify --all` "
        "does, last {whole}"
    ).format(last=minute(findings.last), whole=minute(findings.last_whole))


def _lost(movements: int) -> str:
    return _(
        "{movements} valued movements lost their product in the OLTP, and wait as rejects"
    ).format(movements=movements)


def _archived(findings: Findings) -> str:
    return _("{archived} of closed periods, which the OLTP has no more").format(
        archived=findings.archived
    )


def _listed(movements: list[int], names: Names) -> str:
    if not movements:
        return _("none")
    shown = ", ".join(str(names.movement(number)) for number in movements[:_SHOWN])
    return f"{len(movements)}: {shown}" + (", …" if len(movements) > _SHOWN else "")


def _catalogue(findings: Findings) -> str:
    kinds = {
        "missing": _("{query} {code} is missing"),
        "extra": _("{query} {code} is not in the shop's catalogue"),
        "different": _("{query} {code} is not as in the shop"),
    }
    words = {"productos": _("product"), "sucursales": _("branch")}
    told = [
        kinds[row["kind"]].format(query=words[row["query"]], code=row["code"])
        for row in findings.catalogue[:_SHOWN]
    ]
    more = ", …" if len(findings.catalogue) > _SHOWN else ""
    return f"{len(findings.catalogue)}: {', '.join(told)}{more}"


def _documents(findings: Findings, names: Names) -> str:
    return _("not the shop's of movements {movements}").format(
        movements=_listed(findings.documents, names)
    )


def _books(findings: Findings) -> str:
    if findings.books:
        return _("{books} faults, the first of them:").format(books=len(findings.books))
    if findings.whole is None:
        return _("every ledger that was touched foots")
    return _("every ledger foots")

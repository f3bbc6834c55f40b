"""The sections that tell the branches apart; of a shop with one branch they are empty."""

from __future__ import annotations

from pipeline.base.voice import Voice
from pipeline.report.figures import ACTED_ON, Figures
from pipeline.report.parts import Section, Table, product_of, shortened
from pipeline.report.sales import shown_of
from pipeline.report.stock import suppliers


def sales(figures: Figures, voice: Voice) -> Section:
    """What each branch sold, took back, earned and lost in 30 days."""
    _ = voice.gettext
    rows = figures.lists["sucursales"]
    return Section(
        "branches",
        _("Branch by branch"),
        shown_of(voice, rows, _("The last 30 days that are over."), "dw.mv_ventas_diarias"),
        Table(
            [_("Branch"), _("Sales"), _("Margin"), _("Returned"), _("Shrinkage")],
            [
                [
                    shortened(row["sucursal"]),
                    *(
                        voice.money(row[column])
                        for column in ("venta", "margen", "devoluciones", "mermas")
                    ),
                ]
                for row in rows
            ],
        ),
        _("Only one branch moved anything in the last 30 days that are over."),
    )


def stock(figures: Figures, voice: Voice) -> Section:
    """What each branch has and lacks."""
    _ = voice.gettext
    rows = figures.lists["existencias_sucursal"]
    return Section(
        "branch-stock",
        _("Stock of each branch"),
        shown_of(
            voice,
            rows,
            _("At the average cost, which is the same in all branches."),
            "dw.v_reposicion_sucursal",
        ),
        Table(
            [
                *(_("Branch"), _("Value"), _("Products in stock"), _("None left")),
                _("Below zero"),
            ],
            [
                [
                    shortened(row["sucursal"]),
                    voice.money(row["valor"]),
                    *(
                        voice.quantity(row[column])
                        for column in ("con_existencias", "sin_existencias", "bajo_cero")
                    ),
                ]
                for row in rows
            ],
        ),
        _("All stock is in one branch."),
    )


def to_send(figures: Figures, voice: Voice) -> Section:
    """What a branch lacks, or soon will, and whether another has it."""
    _ = voice.gettext
    rows = figures.lists["reponer_sucursal"][:ACTED_ON]
    whose = suppliers(figures, voice, "reponer_sucursal")
    note = _(
        "None left, or for 15 days or less at the branch's own pace; what sells fastest comes "
        "first. What other branches have can be sent."
    )
    return Section(
        "branch-reorder",
        _("What to send or order for a branch"),
        shown_of(voice, rows, note, "dw.v_reposicion_sucursal"),
        Table(
            [
                *(_("Product"), _("Branch"), *whose),
                *(_("Stock"), _("Sold a day"), _("Days left"), _("To order"), _("In others")),
            ],
            [
                [
                    product_of(row),
                    shortened(row["sucursal"]),
                    *(cell(row) for cell in whose.values()),
                    voice.quantity(row["existencias"]),
                    voice.quantity(row["venta_diaria"]),
                    voice.tenths(row["dias_cobertura"]),
                    voice.quantity(row["por_pedir"]),
                    voice.quantity(row["en_otras"]),
                ]
                for row in rows
            ],
            words=2 + len(whose),
        ),
        _("No branch lacks what it sells, or there is only one."),
    )

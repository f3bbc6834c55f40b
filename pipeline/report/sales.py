"""The sections of what was sold: days, categories, products, and the ABC curve."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from pipeline.base.voice import Voice
from pipeline.report import charts
from pipeline.report.charts import Series
from pipeline.report.figures import Figures, Row, total
from pipeline.report.parts import Product, Section, Table, product_of, shortened

# A younger shop's chart begins with its first day, but has two weeks at least.
_FEWEST_DAYS = 14
# Where dw.mv_abc cuts the classes A and B.
_ABC_STEPS = (0.80, 0.95)


def whole_weeks(figures: Figures) -> tuple[list[Row], list[Row]]:
    """The last seven days that are over, and the seven before them."""
    days = figures.lists["ventas_diarias"][:-1]
    return days[-7:], days[-14:-7]


def week(figures: Figures, voice: Voice) -> Section:
    """Sales of the last seven whole days, each beside the same day of the week before."""
    _ = voice.gettext
    days = whole_weeks(figures)[0]
    names = (_("Week before"), _("Last 7 days"))
    table = Table(
        [_("Day"), _("Sales"), _("Week before"), _("Margin"), _("Margin, week before")],
        [
            [
                voice.weekday(row["dia"]),
                voice.money(row["venta"]),
                voice.money(row["venta_semana_antes"]),
                voice.money(row["margen"]),
                voice.money(row["margen_semana_antes"]),
            ]
            for row in days
        ],
    )
    chart = ""
    title = _("Sales by day, beside the week before")
    if any(row["venta"] or row["venta_semana_antes"] for row in days):
        bars = charts.side_by_side(
            [voice.weekday(row["dia"]) for row in days],
            [
                Series(names[0], [row["venta_semana_antes"] for row in days]),
                Series(names[1], [row["venta"] for row in days]),
            ],
        )
        chart = charts.draw(bars, title, voice)
    return Section(
        "week",
        title,
        _(
            "Net sales of the last seven days that are over, each beside the same day a week "
            "earlier."
        ),
        table if chart else Table([], []),
        _("Nothing was sold in these two weeks."),
        chart,
    )


def days(figures: Figures, voice: Voice) -> Section:
    """Sales and margin of each of the last 90 days that are over."""
    _ = voice.gettext
    rows = _since_the_first(figures.lists["ventas_diarias"][:-1])
    sales = Series(_("Sales"), [row["venta"] for row in rows])
    margin = Series(_("Margin"), [row["margen"] for row in rows])
    title = _("Sales and margin by day")
    chart = ""
    if any(row["venta"] or row["margen"] for row in rows):
        drawing = charts.by_day([row["dia"] for row in rows], sales, margin, voice)
        chart = charts.draw(drawing, title, voice)
    table = Table(
        [_("Day"), _("Sales"), _("Margin"), _("Units"), _("Returned"), _("Shrinkage")],
        [
            [
                voice.long_day(row["dia"]),
                voice.money(row["venta"]),
                voice.money(row["margen"]),
                voice.quantity(row["unidades"]),
                voice.money(row["devoluciones"]),
                voice.money(row["mermas"]),
            ]
            for row in reversed(rows)
        ],
    )
    return Section(
        "days",
        title,
        _(
            "Net of returns and discounts. Margin is sales minus their cost, corrected for what "
            "was sold before it came in; shrinkage is apart."
        ),
        table if chart else Table([], []),
        _("Nothing was sold in the last 90 days that are over."),
        chart,
    )


def _since_the_first(rows: list[Row]) -> list[Row]:
    first = next((n for n, row in enumerate(rows) if row["venta"] or row["margen"]), len(rows))
    return rows[min(first, max(0, len(rows) - _FEWEST_DAYS)) :]


def categories(figures: Figures, voice: Voice) -> Section:
    """Sales and margin of the categories that sold most in 30 days."""
    _ = voice.gettext
    rows = figures.lists["categorias"]
    names = [shortened(row["categoria"]) for row in rows]
    return Section(
        "categories",
        _("Margin by category"),
        shown_of(voice, rows, _("The last 30 days that are over.")),
        _ranking_table(voice, _("Category"), names, rows),
        _("Nothing was sold in the last 30 days that are over."),
        _ranking_chart(voice, _("Margin by category"), names, rows),
    )


def best_sellers(figures: Figures, voice: Voice) -> Section:
    """The products that sold most in this month and the one before."""
    _ = voice.gettext
    rows = figures.lists["mas_vendidos"]
    names = [product_of(row).name for row in rows]
    return Section(
        "best-sellers",
        _("What sells most"),
        shown_of(voice, rows, _("Net sales of this month and the one before.")),
        _ranking_table(voice, _("Product"), [product_of(row) for row in rows], rows),
        _("Nothing was sold in these two months."),
        _ranking_chart(voice, _("What sells most"), names, rows),
    )


def _ranking_table(
    voice: Voice, what: str, heads: Sequence[str | Product], rows: Sequence[Row]
) -> Table:
    _ = voice.gettext
    return Table(
        [what, _("Sales"), _("Margin"), _("Margin %"), _("Units")],
        [
            [
                head,
                voice.money(row["venta"]),
                voice.money(row["margen"]),
                voice.percent(row["margen_relativo"]),
                voice.quantity(row["unidades"]),
            ]
            for head, row in zip(heads, rows, strict=True)
        ],
    )


def _ranking_chart(voice: Voice, title: str, labels: list[str], rows: list[Row]) -> str:
    _ = voice.gettext
    if not rows:
        return ""
    drawing = charts.ranking(
        labels,
        Series(_("Sales"), [row["venta"] for row in rows]),
        Series(_("Margin"), [row["margen"] for row in rows]),
        [voice.percent(row["margen_relativo"]) for row in rows],
    )
    return charts.draw(drawing, title, voice)


def abc(figures: Figures, voice: Voice) -> Section:
    """How few products make most of the sales."""
    _ = voice.gettext
    curve, classes = figures.lists["abc_curva"], figures.lists["abc_clases"]
    title = _("ABC: how few products make most of the sales")
    chart = ""
    if curve:
        shares = [(row["productos"], row["participacion_acumulada"]) for row in curve]
        chart = charts.draw(charts.curve(shares, _ABC_STEPS), title, voice)
    table = Table(
        [_("Class"), _("Products"), _("Sales"), _("Share of sales")],
        [
            [
                row["clase"],
                voice.quantity(row["productos"]),
                voice.money(row["venta"]),
                voice.percent(row["participacion"]),
            ]
            for row in classes
        ],
    )
    return Section(
        "abc",
        title,
        _("Net sales of 365 days. Across: share of the products; up: share of the sales."),
        table,
        _("Nothing was sold in the last 365 days."),
        chart,
    )


def shown_of(voice: Voice, rows: Sequence[Row], note: str) -> str:
    """A note, and how many of how many are shown where that is not all."""
    everything = total(list(rows))
    if everything <= len(rows):
        return note
    _ = voice.gettext
    part = _("Shown: {shown} of {total}.").format(
        shown=voice.quantity(len(rows)), total=voice.quantity(everything)
    )
    return f"{note} {part}"


def compared(now: Decimal, before: Decimal) -> Decimal | None:
    """The change as a share of what was before; None where there was nothing."""
    return (now - before) / before if before > 0 else None

"""The sections of what was sold: days, categories, products, and the ABC curve."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from pipeline.base.voice import Voice
from pipeline.report import charts
from pipeline.report.charts import Series
from pipeline.report.doubt import by_category, by_product, doubtful_note, share
from pipeline.report.figures import Figures, Row, total
from pipeline.report.parts import Bar, Product, Section, Table, product_of, shortened

# A younger shop's chart begins with its first day, but has two weeks at least.
_FEWEST_DAYS = 14
# Of a ranking; the table beneath has the rest.
BARS = 10
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
        [
            *(_("Day"), _("Taken"), _("Sales"), _("Week before"), _("Margin")),
            _("Margin, week before"),
        ],
        [
            [
                voice.weekday(row["dia"]),
                voice.money(row["bruta"]),
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
        [
            *(_("Day"), _("Taken"), _("Sales"), _("Margin"), _("Units"), _("Returned")),
            _("Shrinkage"),
        ],
        [
            [
                voice.long_day(row["dia"]),
                voice.money(row["bruta"]),
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
    doubtful = by_category(figures)
    return _ranking(
        voice,
        ("categories", _("Margin by category")),
        shown_of(voice, rows, _("The last 30 days that are over."), "dw.mv_ventas_diarias"),
        _("Nothing was sold in the last 30 days that are over."),
        (_("Category"), [shortened(row["categoria"]) for row in rows]),
        rows,
        [share(doubtful.get(row["categoria"]), row["bruta"]) for row in rows],
    )


def best_sellers(figures: Figures, voice: Voice) -> Section:
    """The products that sold most in this month and the one before."""
    _ = voice.gettext
    rows = figures.lists["mas_vendidos"]
    doubtful = by_product(figures)
    return _ranking(
        voice,
        ("best-sellers", _("What sells most")),
        shown_of(
            voice,
            rows,
            _("Net sales of this month and the one before."),
            "dw.mv_margen_producto_mes",
        ),
        _("Nothing was sold in these two months."),
        (_("Product"), [product_of(row) for row in rows]),
        rows,
        [share(doubtful.get(row["id_producto"]), row["bruta"]) for row in rows],
    )


def _ranking(
    voice: Voice,
    heading: tuple[str, str],
    note: str,
    empty: str,
    heads: tuple[str, Sequence[str | Product]],
    rows: Sequence[Row],
    doubts: Sequence[Decimal],
) -> Section:
    """Bars of the first ten, and a table of all, with what is doubtful where anything is."""
    _ = voice.gettext
    what, names = heads
    columns = [what, _("Sales"), _("Margin"), _("Margin %"), _("Units")]
    cells = [
        [
            name,
            voice.money(row["venta"]),
            voice.money(row["margen"]),
            voice.percent(row["margen_relativo"]),
            voice.quantity(row["unidades"]),
        ]
        for name, row in zip(names, rows, strict=True)
    ]
    if any(doubts):
        columns.append(_("At no firm cost"))
        for line, doubt in zip(cells, doubts, strict=True):
            line.append(voice.percent(doubt) if doubt else "")
        note = f"{note} {doubtful_note(voice)}"
    largest = max([Decimal(1), *(max(row["venta"], row["margen"]) for row in rows[:BARS])])
    bars = [
        Bar(
            name if isinstance(name, str) else name.name,
            f"{voice.money(row['venta'])} · {voice.percent(row['margen_relativo'])}"
            + (" *" if doubt else ""),
            _length(row["venta"], largest),
            _length(row["margen"], largest),
        )
        for name, row, doubt in zip(names[:BARS], rows[:BARS], doubts[:BARS], strict=True)
    ]
    return Section(
        *heading,
        note,
        Table(columns, cells),
        empty,
        bars=bars,
        legend=(_("Sales"), _("Margin")),
    )


def _length(amount: Decimal, largest: Decimal) -> float:
    return round(float(max(amount, Decimal(0)) / largest) * 100, 2)


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


def DOUBTFUL(voice: Voice) -> str:
    """What an asterisk means."""
    return voice.gettext(
        "* Part of these sales has no firm cost: goods sold before their receipt was typed in, or "
        "that came in at cost 0. Their margin will change."
    )


def shown_of(voice: Voice, rows: Sequence[Row], note: str, rest: str) -> str:
    """A note and, where not all are shown, how many of how many are, and where the rest is."""
    everything = total(list(rows))
    if everything <= len(rows):
        return note
    _ = voice.gettext
    part = _("Shown: {shown} of {total}; the rest: {rest}.").format(
        shown=voice.quantity(len(rows)), total=voice.quantity(everything), rest=rest
    )
    return f"{note} {part}"


def compared(now: Decimal, before: Decimal) -> Decimal | None:
    """The change as a share of what was before; None where there was nothing."""
    return (now - before) / before if before > 0 else None

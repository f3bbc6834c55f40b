"""The report as one page of HTML that needs no other file and no network."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC
from decimal import Decimal

from jinja2 import Environment, PackageLoader, StrictUndefined

from pipeline.base.voice import Voice, voice_of
from pipeline.report import branches, closings, differences, losses, runs, sales, stock
from pipeline.report.figures import Figures, Row, total
from pipeline.report.parts import Card, Product, Section

Make = Callable[[Figures, Voice], Section]

_FOR_THE_SHOP: tuple[Make, ...] = (
    *(sales.week, sales.days, sales.categories, sales.best_sellers),
    *(branches.sales, branches.stock, losses.by_category, losses.counts),
    *(stock.out_of_stock, stock.running_out, branches.to_send),
    *(stock.below_cost, stock.prices),
    *(stock.slow, stock.value, sales.abc, stock.cost_jumps),
)
_FOR_THE_OPERATOR: tuple[Make, ...] = (
    *(runs.by_day, runs.last, runs.rejects),
    *(closings.corrections, differences.stock, stock.below_zero),
)


def render_page(figures: Figures, language: str) -> str:
    """The page in `language` ('es' or 'en'), whatever the shop lacks.

    Its `<meta name="data-until">` holds the end of the data in UTC, or nothing before the
    first run.
    """
    voice = voice_of(language, figures.zone)
    environment = Environment(
        loader=PackageLoader("pipeline.report", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    style, _, _ = environment.loader.get_source(environment, "page.css")  # type: ignore[union-attr]
    until = figures.until
    return environment.get_template("page.html").render(
        _=voice.gettext,
        language=language,
        style=style,
        shop=figures.shop,
        until=until and voice.moment(until),
        until_utc=until.astimezone(UTC).isoformat() if until else "",
        zone=figures.zone,
        cards=_cards(figures, voice) if until else [],
        for_the_shop=_sections(_FOR_THE_SHOP, figures, voice),
        for_the_operator=_sections(_FOR_THE_OPERATOR, figures, voice),
        is_product=lambda cell: isinstance(cell, Product),
    )


def _sections(makers: Sequence[Make], figures: Figures, voice: Voice) -> list[Section]:
    return [make(figures, voice) for make in makers] if figures.until else []


def _cards(figures: Figures, voice: Voice) -> list[Card]:
    """The figures that a shopkeeper looks for first."""
    _ = voice.gettext
    assert figures.until is not None
    today = figures.lists["ventas_diarias"][-1]
    week, before = sales.whole_weeks(figures)
    sold, sold_before = _sum(week, "venta"), _sum(before, "venta")
    margin = _sum(week, "margen")
    (stored,) = figures.lists["inventario"]
    change = sales.compared(sold, sold_before)
    return [
        Card(
            _("Sales today"),
            voice.money(today["venta"]),
            _("until {time}").format(time=voice.clock(figures.until)),
            "days",
        ),
        Card(
            _("Sales of the last 7 days"),
            voice.money(sold),
            _("{change} on the week before").format(change=voice.change(change)),
            "week",
        ),
        Card(
            _("Margin of the last 7 days"),
            voice.money(margin),
            _("{share} of the sales").format(share=voice.percent(margin / sold if sold else None)),
            "week",
        ),
        Card(
            _("Value of the stock"),
            voice.money(stored["valor"]),
            _("{count} products in stock").format(count=voice.quantity(stored["con_existencias"])),
            "value",
        ),
        Card(
            _("Out of stock"),
            voice.quantity(total(figures.lists["agotados"])),
            _("{count} running out").format(
                count=voice.quantity(total(figures.lists["por_agotarse"]))
            ),
            "out-of-stock",
        ),
        Card(
            _("Sold below cost"),
            voice.quantity(total(figures.lists["bajo_costo"])),
            _("{count} prices differ").format(
                count=voice.quantity(total(figures.lists["precios"]))
            ),
            "below-cost",
        ),
    ]


def _sum(rows: Sequence[Row], column: str) -> Decimal:
    return sum((row[column] for row in rows), Decimal(0))

"""The report as one page of HTML that needs no other file and no network."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC
from decimal import Decimal

from jinja2 import Environment, PackageLoader, StrictUndefined

from pipeline.base.voice import Voice, voice_of
from pipeline.report import (
    branches,
    closings,
    differences,
    doubt,
    hours,
    losses,
    periods,
    problems,
    runs,
    sales,
    stock,
)
from pipeline.report.figures import Figures, Row, total
from pipeline.report.parts import Card, Product, Section
from pipeline.translation import mark as N_

Make = Callable[[Figures, Voice], Section]

# Each with what it is called; what is wrong comes first.
_PROBLEMS: tuple[Make, ...] = (
    *(problems.rejects, stock.below_zero, differences.stock, problems.out_of_scope),
    *(stock.cost_jumps, closings.corrections),
)
_GROUPS: tuple[tuple[str, tuple[Make, ...]], ...] = (
    (N_("Today"), (periods.now, sales.week)),
    (
        N_("What to order"),
        (stock.out_of_stock, stock.running_out, branches.to_send, branches.stock),
    ),
    (
        N_("What is sold"),
        (
            *(hours.sales, sales.days, sales.categories, sales.best_sellers, branches.sales),
            *(losses.by_category, sales.abc),
        ),
    ),
    (
        N_("The stock and its prices"),
        (stock.ageing, stock.slow, stock.value, losses.counts, stock.below_cost, stock.prices),
    ),
    (N_("The runs"), (runs.by_day, runs.last)),
)


def render_page(figures: Figures, language: str, links: Mapping[str, str] | None = None) -> str:
    """The page in `language` ('es' or 'en'), whatever the shop lacks.

    `links` are the files beside it that hold a list of LISTS whole, by its name.

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
        notices=problems.notices(figures, voice) if until else [],
        problems=_sections(_PROBLEMS, figures, voice),
        groups=[
            (voice.gettext(name), _sections(makers, figures, voice)) for name, makers in _GROUPS
        ],
        links=_links(links or {}),
        currency=figures.currency,
        halves=_halves,
        is_product=lambda cell: isinstance(cell, Product),
    )


def _links(files: Mapping[str, str]) -> dict[str, str]:
    """Which file stands below a section."""
    below = {"out-of-stock": "por_pedir", "running-out": "por_pedir"}
    below["branch-reorder"] = "reponer_sucursal"
    return {section: files[name] for section, name in below.items() if name in files}


def _sections(makers: Sequence[Make], figures: Figures, voice: Voice) -> list[Section]:
    return [make(figures, voice) for make in makers] if figures.until else []


def _halves(sections: Sequence[Section]) -> list[Sequence[Section]]:
    """Those with something to show in two columns about as long as each other, in their order."""
    shown = [section for section in sections if section.table.rows]
    lengths = [_length(section) for section in shown]
    uneven = {at: max(sum(lengths[:at]), sum(lengths[at:])) for at in range(1, len(shown))}
    first = min(uneven, key=lambda at: uneven[at], default=len(shown))
    return [shown[:first], shown[first:]]


def _length(section: Section) -> int:
    """About how many lines of a table a section is as long as."""
    if section.chart:
        return 18
    if section.grids:
        return 8 + len(section.grids[0].rows)
    # A bar has a line above it, and a name of a product often two.
    return 6 + (
        2 * len(section.bars) if section.bars else min(len(section.table.rows), 11) * 3 // 2
    )


def _cards(figures: Figures, voice: Voice) -> list[Card]:
    """The figures that a shopkeeper looks for first; none of sales where nothing is sold."""
    _ = voice.gettext
    assert figures.until is not None
    cards = _sales_cards(figures, voice) if any(map(_sold, figures.lists["ventas_diarias"])) else []
    (stored,) = figures.lists["inventario"]
    return [
        *cards,
        Card(
            _("Value of the stock"),
            _money(figures, voice, stored["valor"]),
            _("{count} products in stock").format(count=voice.quantity(stored["con_existencias"])),
            "ageing",
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


def _sales_cards(figures: Figures, voice: Voice) -> list[Card]:
    _ = voice.gettext
    assert figures.until is not None
    today = figures.lists["ventas_diarias"][-1]
    week, before = sales.whole_weeks(figures)
    taken, taken_before = _sum(week, "bruta"), _sum(before, "bruta")
    sold, margin = _sum(week, "venta"), _sum(week, "margen")
    doubtful = doubt.share(doubt.of_the_week(figures), taken)
    change = sales.compared(taken, taken_before)
    net = _("net of tax {amount}")
    of_sales = _("{share} of the net sales").format(
        share=voice.percent(margin / sold if sold else None)
    )
    if doubtful:
        of_sales += ". " + _("{share} of the sales have no firm cost").format(
            share=voice.percent(doubtful)
        )
    return [
        Card(
            _("Sales today"),
            _money(figures, voice, today["bruta"]),
            _("until {time}").format(time=voice.clock(figures.until))
            + (f"; {net.format(amount=voice.money(today['venta']))}" if figures.with_tax else ""),
            "now",
        ),
        Card(
            _("Sales of the last 7 days"),
            _money(figures, voice, taken),
            _("{change} on the week before").format(change=voice.change(change))
            + (f"; {net.format(amount=voice.money(sold))}" if figures.with_tax else ""),
            "week",
        ),
        Card(
            _("Margin of the last 7 days"), _money(figures, voice, margin), of_sales, "categories"
        ),
    ]


def _sold(row: Row) -> bool:
    return bool(row["bruta"] or row["venta"] or row["margen"])


def _money(figures: Figures, voice: Voice, amount: Decimal) -> str:
    """An amount behind the sign of the shop's currency, if it has given one."""
    sign = f"{figures.currency}\N{NO-BREAK SPACE}" if figures.currency else ""
    return f"{sign}{voice.money(amount)}"


def _sum(rows: Sequence[Row], column: str) -> Decimal:
    return sum((row[column] for row in rows), Decimal(0))

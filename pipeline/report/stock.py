"""The sections of what is in the shop: its value, what runs out or lies, prices and costs."""

from __future__ import annotations

from collections.abc import Callable

from pipeline.base.voice import Voice
from pipeline.report import charts
from pipeline.report.figures import Figures, Row
from pipeline.report.parts import Product, Section, Table, product_of, shortened
from pipeline.report.sales import shown_of
from pipeline.translation import mark as N_

Cell = Callable[[Row], str | Product]
# Where the rest of a list is that a page does not hold.
_REST = {
    "agotados": "dw.mv_reposicion",
    "por_agotarse": "dw.mv_reposicion",
    "lentos": "dw.v_antiguedad",
    "bajo_costo": "dw.mv_precios",
    "precios": "dw.mv_precios",
    "saltos_costo": "dw.v_saltos_costo",
    "bajo_cero": "dw.mv_inventario_valorizado",
}
# Of what dw.v_antiguedad says.
_AGES = {
    "1: menos de 90": N_("less than 90"),
    "2: 90 a 179": N_("90 to 179"),
    "3: 180 a 364": N_("180 to 364"),
    "4: 365 o más": N_("365 or more"),
}


def value(figures: Figures, voice: Voice) -> Section:
    """What the stock was worth at the end of each of the last 91 days."""
    _ = voice.gettext
    rows = figures.lists["valor_diario"]
    title = _("Value of the stock less what is below zero, day by day")
    (now,) = figures.lists["inventario"] or [{"valor": None, "valor_negativo": None}]
    chart = ""
    if rows:
        drawing = charts.value_over_time(
            [row["dia"] for row in rows], [row["valor"] for row in rows], voice
        )
        chart = charts.draw(drawing, title, voice)
    return Section(
        "value",
        title,
        _(
            "At average cost, at the end of each day. Now: {stored} in stock, {lacking} below "
            "zero. Product by product at the end of any day: {function}"
        ).format(
            stored=voice.money(now["valor"]),
            lacking=voice.money(now["valor_negativo"]),
            function=f"SELECT * FROM dw.existencias_al('{figures.day}')",
        ),
        Table(
            [_("Day"), _("Value")],
            [[voice.long_day(row["dia"]), voice.money(row["valor"])] for row in reversed(rows)],
        ),
        _("No movement yet."),
        chart,
    )


def out_of_stock(figures: Figures, voice: Voice) -> Section:
    """What sells and is not there."""
    _ = voice.gettext
    return _list(
        figures,
        voice,
        "agotados",
        ("out-of-stock", _("Out of stock")),
        _(
            "Sold in the last 90 days, and there is none left; what sells fastest comes first. To "
            "order: for as many days as dw.politica_reposicion says, 30 where it says nothing."
        ),
        _("Nothing that sells is out of stock."),
        {
            **suppliers(figures, voice, "agotados"),
            _("Stock"): lambda row: voice.quantity(row["existencias"]),
            _("Sold a day"): lambda row: voice.quantity(row["venta_diaria"]),
            _("To order"): lambda row: voice.quantity(row["por_pedir"]),
        },
    )


def running_out(figures: Figures, voice: Voice) -> Section:
    """What lasts two weeks or less."""
    _ = voice.gettext
    return _list(
        figures,
        voice,
        "por_agotarse",
        ("running-out", _("Running out")),
        _(
            "Lasts 15 days or less at the pace of the last 90 days, or since it came in, if that "
            "is less."
        ),
        _("Nothing is running out."),
        {
            **suppliers(figures, voice, "por_agotarse"),
            _("Stock"): lambda row: voice.quantity(row["existencias"]),
            _("Sold a day"): lambda row: voice.quantity(row["venta_diaria"]),
            _("Days left"): lambda row: voice.tenths(row["dias_cobertura"]),
            _("To order"): lambda row: voice.quantity(row["por_pedir"]),
        },
    )


def suppliers(figures: Figures, voice: Voice, name: str) -> dict[str, Cell]:
    """The column of whom each is ordered from, where the shop's query says it of any."""
    if not any(row["proveedor"] for row in figures.lists[name]):
        return {}
    return {voice.gettext("Supplier"): lambda row: shortened(row["proveedor"] or "")}


def slow(figures: Figures, voice: Voice) -> Section:
    """What lies for more than half a year, the most money first."""
    _ = voice.gettext
    rows = figures.lists["lentos"]
    note = _(
        "Stock for more than 180 days, or that nobody bought in 90: {amount} lie there. Not what "
        "came in this month or the last."
    )
    return _list(
        figures,
        voice,
        "lentos",
        ("slow", _("What hardly moves")),
        note.format(amount=voice.money(rows[0]["valor_total"] if rows else None)),
        _("Nothing lies for more than 180 days."),
        {
            _("Stock"): lambda row: voice.quantity(row["existencias"]),
            _("Value"): lambda row: voice.money(row["valor"]),
            _("Last sale"): lambda row: voice.long_day(row["ultima_venta"]),
        },
    )


def below_cost(figures: Figures, voice: Voice) -> Section:
    """What is sold for less than it cost."""
    _ = voice.gettext
    return _list(
        figures,
        voice,
        "bajo_costo",
        ("below-cost", _("Sold below cost")),
        _("The last price, without tax, does not cover the average cost."),
        _("Nothing is sold below cost."),
        {
            _("Price without tax"): lambda row: voice.unit_money(row["precio_neto"]),
            _("Average cost"): lambda row: voice.unit_money(row["costo_promedio"]),
            _("Loss per unit"): lambda row: voice.unit_money(row["perdida"]),
        },
    )


def prices(figures: Figures, voice: Voice) -> Section:
    """Where the price charged is not the suggested one."""
    _ = voice.gettext
    return _list(
        figures,
        voice,
        "precios",
        ("prices", _("Prices that differ from the suggested one")),
        _("Both with tax; what matters most at the pace of the last 90 days comes first."),
        _("Every price charged is the suggested one."),
        {
            _("Charged"): lambda row: voice.unit_money(row["precio"]),
            _("Suggested"): lambda row: voice.unit_money(row["precio_sugerido"]),
            _("Difference"): lambda row: voice.change(row["diferencia_relativa"]),
        },
    )


def cost_jumps(figures: Figures, voice: Voice) -> Section:
    """Receipts whose cost is likely a typing error."""
    _ = voice.gettext
    return _list(
        figures,
        voice,
        "saltos_costo",
        ("cost-jumps", _("Cost jumps")),
        _("Receipts of the last 90 days whose cost is far from the average: typing errors?"),
        _("No receipt of the last 90 days is far from the average cost."),
        {
            _("Movement"): lambda row: row["documento"] or str(row["id_movimiento"]),
            _("Date"): lambda row: voice.long_day(row["fecha"].astimezone(voice.zone).date()),
            _("Cost"): lambda row: voice.unit_money(row["costo_unitario"]),
            _("Average before"): lambda row: voice.unit_money(row["costo_promedio_anterior"]),
        },
    )


def below_zero(figures: Figures, voice: Voice) -> Section:
    """What was sold before it was received."""
    _ = voice.gettext
    return _list(
        figures,
        voice,
        "bajo_cero",
        ("below-zero", _("Provisional costs: stock below zero")),
        _("Sold before it was received; its cost is provisional until the receipt is typed in."),
        _("No stock is below zero: no cost waits for a receipt."),
        {
            _("Stock"): lambda row: voice.quantity(row["existencias_negativas"]),
            _("Average cost"): lambda row: voice.unit_money(row["costo_promedio"]),
        },
    )


def _list(
    figures: Figures,
    voice: Voice,
    name: str,
    heading: tuple[str, str],
    note: str,
    empty: str,
    columns: dict[str, Cell],
) -> Section:
    """A list of products, with a column for each of `columns`."""
    _ = voice.gettext
    rows = figures.lists[name]
    table = Table(
        [_("Product"), *columns],
        [[product_of(row), *(cell(row) for cell in columns.values())] for row in rows],
        words=2 if _("Supplier") in columns else 1,
    )
    return Section(*heading, shown_of(voice, rows, note, _REST[name]), table, empty)


def ageing(figures: Figures, voice: Voice) -> Section:
    """How long what is in stock was not sold, and the money in it."""
    _ = voice.gettext

    def age(code: str) -> str:
        return _(_AGES[code])

    return Section(
        "ageing",
        _("Since when the stock was not sold"),
        _("Days since the last sale or, of what was never sold, since it came in."),
        Table(
            [_("Days"), _("Products"), _("Value"), _("Share of the value")],
            [
                [
                    age(row["tramo"]),
                    voice.quantity(row["productos"]),
                    voice.money(row["valor"]),
                    voice.percent(row["parte"]),
                ]
                for row in figures.lists["antiguedad"]
            ],
        ),
        _("There is nothing in stock."),
    )

"""What people are told of a run: templates, and nothing else; their Spanish is in the catalogue."""

from __future__ import annotations

from pipeline.translation import mark as _
from pipeline.translation import translator

MESSAGES: dict[str, str] = {
    "failed.title": _("ETL {shop}: the run failed"),
    "failed.body": _(
        "What failed: {step}\nWindow: {window}\nCause: {cause}\n"
        "What to do: mend the cause, then type: {command}\n"
        "Nothing is left half done; the next run resumes the same window. "
        "While the cause stays the same, you are told once in {hours} h."
    ),
    "unpublished.title": _("ETL {shop}: the report was not published"),
    "unpublished.body": _(
        "What failed: {step}\nWindow: {window}\nCause: {cause}\n"
        "What to do: mend the cause, then type: {command}\n"
        "What was loaded stays; the next run publishes the report. "
        "While the cause stays the same, you are told once in {hours} h."
    ),
    "apart.title": _("ETL {shop}: {step} did not end well"),
    "apart.body": _(
        "What failed: {step}\nCause: {cause}\n"
        "What to do: mend the cause, then type: {command}\n"
        "While the cause stays the same, you are told once in {hours} h."
    ),
    "recovered.title": _("ETL {shop}: the runs work again"),
    "recovered.body": _("The run succeeded. They had failed since {since}."),
    "digest.title": _("ETL {shop}: the run succeeded"),
    "digest.window": _(
        "{window}: {loaded} new or changed, {removed} removed, "
        "{rejected} rejected, {revalued} revalued; {seconds} s; run {run_id}"
    ),
    "digest.stock": _(
        "Of {products} products productos.sql now says otherwise whether they have a stock: they "
        "were valued again"
    ),
    "digest.costs": _(
        "Of {products} products the cost of reference is another: they were valued again"
    ),
    "digest.adjustments": _("Booked as the shop's own stock: {what}"),
    "digest.superseded": _("{window}: another run loaded first; nothing was loaded"),
    "digest.nothing": _("Nothing was due."),
    "left_out.title": _("ETL {shop}: movements that no run carries"),
    "left_out.body": _(
        "New in the shop, and out of scope:\n{found}\n"
        "What to do: correct them in the shop, or void them; to see all, type: {command}\n"
        "Of the same kind you are told once in {hours} h."
    ),
    "left_out.type": _("{movements} of type {type}"),
    "left_out.meant": _("{movements} of type {type}: is {meant} meant?"),
    "left_out.date": _(
        "{movements} of type {type} dated before the initial date or the opening, "
        "such as movement {movement} of {date}"
    ),
    "corrections.title": _("ETL {shop}: what is closed was corrected"),
    "corrections.body": _(
        "Booked of what is closed up to {day}: {booked}.\n"
        "Since that closing, in all: {in_all}.\n"
        "What was closed stays as it was; each of them is a line of the view dw.v_correcciones, "
        "and this is told again by: {command}\n"
        "You are told once in {hours} h."
    ),
    "deleted.title": _("ETL {shop}: movements were deleted in the shop"),
    "deleted.body": _(
        "{movements} movements that were valued are deleted in the shop, and left the ledger; what "
        "came after them was valued again.\n"
        "What to do: ask who deleted them, since a document that is voided leaves a trace; to see "
        "the windows, type: {command}\n"
        "You are told once in {hours} h."
    ),
    "stock.title": _("ETL {shop}: stock that is not the shop's own"),
    "stock.body": _(
        "Of {products} products the stock here is newly not what the shop says that it has.\n"
        "In all: {in_all}.\nThe dearest: {dearest}.\n{causes}\n"
        "What to do: see them in the view dw.v_diferencias_existencias, or type: {command}\n"
        "You are told once in {hours} h."
    ),
    "stock.one": _("{product}: {ours} here, {theirs} in the shop"),
    "window": _("{window}, up to {until}"),
    "round.title": _("ETL: {shops} shops failed"),
    "round.body": _(
        "The other shops were carried.\n{failed}\n"
        "What to do: mend each cause; the next round carries them. To see all shops, type: "
        "{command}\nWhile the same shops fail for the same causes, you are told once in {hours} h."
    ),
    "round.more": _("… and {shops} more"),
    "round_recovered.title": _("ETL: all shops work again"),
    "no_window": _("none: what is due could not be found out"),
    "no_window_before": _("none: no window was due before it"),
    "no_cause": _("see the log of the run"),
}


def say(language: str, name: str, **values: object) -> str:
    """A message in `language` ('es' or 'en'); raises KeyError when a placeholder is missing."""
    return translator(language)(MESSAGES[name]).format(**values)

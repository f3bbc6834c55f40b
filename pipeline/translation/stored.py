"""What the functions of sql/olap say, which know no language but the code's: translated here.

A test compares these templates with the texts of the SQL files, which are their home.
"""

from __future__ import annotations

import re
from functools import cache

from pipeline.translation import mark as N_
from pipeline.translation import translated

# What is put into a placeholder is translated in its turn, where it is one of these texts.
TEMPLATES = (
    N_("the upgrade makes views anew on which others stand ({views}); nothing was changed"),
    N_("drop those, run init, and create them again"),
    N_("dw.kardex lacks a key, without which a movement could be in it twice"),
    N_(
        "run `python -m pipeline init`, which makes it; if it cannot, a backup was restored over "
        "this database: restore it into an empty one"
    ),
    N_("{table} holds movements of a run that this database has not had"),
    N_("a backup was restored over a later state: restore it into an empty database"),
    N_("{table} holds a movement that dw.kardex has, too ({key}); nothing was changed"),
    N_("a backup was restored over this database: restore it into an empty one"),
    N_("of the {rows} rows of {table} dw.kardex took {taken}; nothing was changed"),
    N_("a trigger or a rule of dw.kardex keeps rows out: disable it, and run init again"),
    N_(
        "the upgrade moves the rows of {table} to dw.kardex, and something stands on it ({views}); "
        "nothing was changed"
    ),
    N_("drop that, run init, and create it again on dw.kardex"),
    N_("{table} inherits from dw.kardex, and its rows would count as movements"),
    N_(
        "if a backup was restored over this database, restore it into an empty one, and run init; "
        "else ALTER TABLE {table} NO INHERIT dw.kardex"
    ),
    N_("there is no rule {rule} for a movement; nothing was written"),
    N_("give dw.valuar_movimiento a branch for it, and run init"),
    N_("movimientos.sql yields rows without id_movimiento"),
    N_("movimientos.sql yields id_movimiento {movement} {times} times in one read"),
    N_(
        "correct its joins so that each movement is one row, or make ids unique where tables have "
        "the same (year * 1000000000000 + id), then run again"
    ),
    N_("{column} {one} and {other} come to the same number, {number}; nothing was written"),
    N_("make another text of one of them in the queries, wherever it stands"),
    N_("{query}.sql yields {rows} different rows of {column} {number} in one read"),
    N_("make its ids unique: correct its joins, or how it makes numbers of its keys"),
    N_("existencias.sql yields rows without id_producto"),
    N_("existencias.sql yields product {product} of branch {branch} {times} times"),
    N_("existencias.sql yields product {product} {times} times"),
    N_("existencias.sql yields product {product} by branch and as a whole"),
    N_("correct it so that each product is one row, or one a branch, then run again"),
    N_(
        "movimientos.sql yields id_movimiento {movement}: numbers below -2^60 are those of our own "
        "adjustments"
    ),
    N_("make other numbers of its ids there, then run again"),
    N_("dw.ajuste_existencias is only added to; nothing was changed"),
    N_("what an adjustment was wrong by, the next window books"),
    N_(
        "the stock would be made the shop's own by {adjustments} adjustments of {products} "
        "products, {units} units worth {value} (the stock: {stocked} units worth {stock}), the "
        "dearest {quantity} of product {name} worth {worth}; nothing was written"
    ),
    N_(
        "this OLAP books none without being told once: look at them with `python -m pipeline "
        "plan`; where another OLAP of this shop has booked some, import those first (`python -m "
        "pipeline adjustments`); if it is right: luigi --module pipeline RunDue "
        "--local-scheduler --accept-adjustments"
    ),
    N_(
        "it is more than ETL_MAX_REMOVED_SHARE of the stock: look at them with `python -m "
        "pipeline plan`; if it is right: luigi --module pipeline RunDue --local-scheduler "
        "--accept-adjustments"
    ),
    N_(
        "the adjustments would not bring the stock of product {product} to the shop's; nothing was "
        "written"
    ),
    N_("set ETL_STOCK_DIFFERENCES=report until it is known why"),
    N_("the adjustment {movement} is not as it was booked; nothing was changed"),
    N_("import the file that `python -m pipeline adjustments --output` wrote, as it is"),
    N_(
        "this OLAP has booked an adjustment of product {product} itself since then, at {moment}; "
        "nothing was changed"
    ),
    N_(
        "of product {product} this OLAP has booked an adjustment itself, at {moment}, and one of "
        "both is of the whole, the other of a branch; nothing was changed"
    ),
    N_(
        "import them into an OLAP before it books any: make it anew with `python -m pipeline "
        "init`, import, then run"
    ),
    N_("somebody else changed rows of dw.kardex while they were valued; nothing was written"),
    N_(
        "{products}, and without them {leave} of the {all} movements of the ledger would leave it "
        "and wait as rejects; nothing was written"
    ),
    N_("productos.sql yields no product any more"),
    N_("productos.sql yields {products} products, and no more {missing} that have movements"),
    N_(
        "put the products back, or correct productos.sql; or if it is right: {command} "
        "--accept-source {source}"
    ),
    N_(
        "{movements} movements that are closed come again with other ids, and would count twice; "
        "nothing was written"
    ),
    N_(
        "yield the ids that they had in movimientos.sql; or open the closings again, the last one "
        "first, and close anew after the run: `python -m pipeline close --reopen`"
    ),
    N_("{rejects} of {read} movements read would be rejected ({reasons}); nothing was written"),
    N_("the query is wrong rather than the data: correct sql/oltp, or raise ETL_MAX_REJECT_SHARE"),
    N_(
        "of the {all} movements of the ledger, {removed} would be removed{earlier} and {replaced} "
        "replaced by other documents with their ids{before}{corrected}, dated {first} to {last}; "
        "{sources}; nothing was written"
    ),
    N_(" ({removed} by the runs before)"),
    N_(" ({replaced} in the windows before)"),
    N_("; {void} are void or valid no more, and {corrected} have another quantity, cost or date"),
    N_(
        "were so many voided or corrected, or does movimientos.sql take from the catalogue (a flag "
        "read as anulado, a cost) what belongs to the line? correct that"
    ),
    N_("{advice}; or if it is right: {command} --accept-source {source}"),
    N_(
        "{again} of those removed come again with other ids: does movimientos.sql make ids in "
        "another way? if it should not, correct it"
    ),
    N_(
        "{partly} of those replaced keep their date, or all but their date: were they corrected, "
        "were products merged or dw.tipo_movimiento edited, or do ids begin anew? put them right, "
        "or make ids unique in movimientos.sql (year * 1000000000000 + id)"
    ),
    N_(
        "were they deleted or archived, or does an edited query or dw.tipo_movimiento leave them "
        "out? put them back, or correct that"
    ),
    N_(
        "is it another database, such as a test's, or do ids begin anew? correct OLTP_DB_*; or, "
        "after TRUNCATE ... RESTART IDENTITY or with a new year's tables, make ids unique in "
        "movimientos.sql (year * 1000000000000 + id)"
    ),
    N_(
        "server {server}, timeline {timeline} and database {database} are the same as before, "
        "{tables}"
    ),
    N_("and so are its tables"),
    N_("its tables are not (truncated, rewritten, restored or others)"),
    N_(
        "the ledger was read from server {server}, timeline {timeline}, database {database}; "
        "this one is server {server_now}, timeline {timeline_now}, database {database_now}; "
        "{same}another {others}"
    ),
    N_("the same {parts}, "),
    N_("server"),
    N_("timeline"),
    N_("database"),
    N_("server and timeline"),
    N_("server and database"),
    N_("timeline and database"),
    N_("server and timeline and database"),
    N_(
        "the OLTP shows no movement since {last}: {days} days on which this shop sells; nothing "
        "was written"
    ),
    N_(
        "see that OLTP_DB_* is where the till writes; if the shop was closed, raise "
        "ETL_MAX_SILENT_DAYS"
    ),
    N_("the OLAP is not initialised"),
    N_("run `python -m pipeline init`"),
    N_("ETL_TIMEZONE is {zone}, but this OLAP was loaded in {loaded}, and its days would shift"),
    N_("set ETL_TIMEZONE={zone}"),
    N_("the window was not opened by etl.abrir_ventana"),
    N_(
        "the opening is dated after movements that are already in the ledger ({products}); "
        "nothing was changed"
    ),
    N_("give --drop-earlier to let them go, or correct the date"),
    N_("the opening would change what is closed up to {day} ({products}); nothing was changed"),
    N_(
        "tell it by a count (CONTEO), or open the last closing again: "
        "`python -m pipeline close --reopen`"
    ),
    N_("product {product}"),
    N_("earlier history would change what is closed up to {day}; nothing was changed"),
    N_("open the closings again, the last one first: `python -m pipeline close --reopen`"),
    N_("movements of type {type} are closed, and would be reported otherwise; nothing was changed"),
    N_(
        "give what comes from now on a type of its own, or open the closings again, the last one "
        "first: `python -m pipeline close --reopen`"
    ),
    N_("{day} is closed already, as all up to {last} is; nothing was changed"),
    N_("{day} is not over yet; nothing was changed"),
    N_("close a day that is over"),
    N_("{day} is not loaded to its end yet; nothing was changed"),
    N_("run `luigi --module pipeline RunDue`, and close it then"),
    N_("the last closing is that of {day}; nothing was changed"),
    N_("there is no closing; nothing was changed"),
    N_("what was closed up to {day} is not what it was"),
    N_("there is no first run to go back from"),
    N_("set ETL_INITIAL_SINCE and run RunDue"),
    N_(
        "the initial date or the OLTP changed, or a window read everything, since the history was "
        "read; nothing was written"
    ),
    N_("run it again: it is read anew"),
    N_("pid {pid}, user {user}, application {application}, since {since}"),
    N_("product {product}: {movements} movements before {date}"),
    N_("the ledger does not foot"),
    N_("the stock is not its ledger's last row"),
    N_("the last sale or average value of the stock is not its ledger's"),
    N_("the product has a ledger but no stock row"),
    N_("an adjustment is not in the ledger as it was booked"),
    N_("the row does not follow the booking that it corrects"),
    N_("a replay gives other figures"),
    N_("the suggested price is not that of its cost"),
    N_("none was clean before"),
    N_("the last one found something"),
    N_("the OLAP was restored, moved or rewritten"),
    N_("the rules were replaced or upgraded"),
    N_("earlier history came in"),
    N_("opening balances changed"),
    N_("prices' policy or tax changed"),
    N_("a month ended"),
    N_("a window read everything"),
    N_("there are few movements"),
    N_("{table} is not the sum of the ledger, {since}"),
    N_("{table} is not the sum of {other}, {since}"),
    N_("{table} is not the sum of the ledger"),
)
# Such a list stands in one placeholder, an entry for a product.
_LIST = re.compile(r", (?=product \d)")


def worded(text: str) -> str:
    """A text of sql/olap in the language of ETL_LANG; any other comes back as it is."""
    parts = _LIST.split(text)
    if len(parts) > 1:
        return ", ".join(map(worded, parts))
    for template in TEMPLATES:
        if found := _pattern(template).fullmatch(text):
            values = {name: worded(value) for name, value in found.groupdict().items()}
            return translated(template).format(**values)
    return text


@cache
def _pattern(template: str) -> re.Pattern[str]:
    """What the template becomes when it is filled in."""
    fixed = re.split(r"{(\w+)}", template)
    parts = [re.escape(p) if n % 2 == 0 else f"(?P<{p}>.*?)" for n, p in enumerate(fixed)]
    return re.compile("".join(parts), re.DOTALL)

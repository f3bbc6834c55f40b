"""The shop's own words: the example's tables and queries with the columns that they may lack."""

from __future__ import annotations

from pathlib import Path

from shop_database import Shop

SHIPPED = Path(__file__).resolve().parents[1] / "sql" / "oltp"
COLUMNS = (
    "ALTER TABLE detalle_transaccion ADD COLUMN IF NOT EXISTS impuesto numeric,"
    " ADD COLUMN IF NOT EXISTS precio_con_impuesto boolean",
    "ALTER TABLE productos ADD COLUMN IF NOT EXISTS inventariable boolean,"
    " ADD COLUMN IF NOT EXISTS activo boolean, ADD COLUMN IF NOT EXISTS costo_referencia numeric,"
    " ADD COLUMN IF NOT EXISTS proveedor text",
)


def own_words(shop: Shop, scope: str = "true", beside: str = "") -> None:
    """The tables have them, and the shop's own queries yield them, of the lines in `scope`.

    `beside` are further columns of movimientos.sql.
    """
    # Once: what is typed in and not committed holds its table.
    with shop.oltp.cursor() as cursor:
        cursor.execute("SELECT FROM pg_attribute WHERE attname = 'inventariable' AND attnum > 0")
        if not cursor.rowcount:
            for statement in COLUMNS:
                cursor.execute(statement)
    folder = Path(shop.env["ETL_STATE_DIR"]).with_name("consultas")
    folder.mkdir(exist_ok=True)
    for path in SHIPPED.glob("[mps]*s.sql"):
        text = path.read_text(encoding="utf-8")
        if path.name == "movimientos.sql":
            text = text.replace("d.importe,", "d.importe, d.impuesto, d.precio_con_impuesto,")
            text = text.replace("    d.xmin AS", f"{beside}    d.xmin AS")
            text = f"{text.rstrip()}\nWHERE {scope}\n"
        if path.name == "productos.sql":
            text = text.replace(
                "p.categoria,",
                "p.categoria, p.inventariable, p.activo, p.costo_referencia, p.proveedor,",
            )
        (folder / path.name).write_text(text, encoding="utf-8")
    shop.env["ETL_OLTP_SQL_DIR"] = str(folder)

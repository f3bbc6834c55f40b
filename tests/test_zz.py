from datetime import UTC, datetime, timedelta
from decimal import Decimal as D
from olap_comparison import assert_olap_equals_replay
END = datetime(2026, 10, 17, 3, tzinfo=UTC)
INI = END - timedelta(days=60)
def d(n): return INI + timedelta(days=n)
def doc(shop, tipo, when, prod, q, precio=None, costo=None, suc=None, dest=None, origen=None, importe=None):
    with shop.oltp.cursor() as c:
        c.execute("INSERT INTO transacciones (tipo, fecha, id_sucursal, id_sucursal_destino) VALUES (%s,%s,%s,%s) RETURNING id_transaccion", (tipo, when, suc, dest))
        t = c.fetchone()[0]
        c.execute("INSERT INTO detalle_transaccion (id_transaccion, id_producto, cantidad, precio_unitario, costo_unitario, id_origen, importe) VALUES (%s,%s,%s,%s,%s,%s,%s) RETURNING id_detalle", (t, prod, q, precio, costo, origen, importe))
        return c.fetchone()[0]
def test_all(shop):
    shop.env["ETL_INITIAL_SINCE"] = INI.isoformat()
    shop.product(1, "Lácteos"); shop.product(2); shop.branch(1); shop.branch(2)
    r = doc(shop, "ENTRADA_MERCANCIA", d(1), 1, 10, costo=5, suc=1)
    v = doc(shop, "VENTA", d(2), 1, 4, precio=9, suc=1)
    doc(shop, "COSTO_ADICIONAL", d(3), 1, None, costo=7, origen=r)
    doc(shop, "DEVOLUCION_VENTA", d(4), 1, 1, precio=9, suc=1, origen=v)
    doc(shop, "VENTA", d(5), 1, -1, precio=9, suc=1)
    doc(shop, "TRASLADO", d(6), 1, 2, suc=1, dest=2)
    doc(shop, "AJUSTE_SALIDA", d(7), 1, 1, suc=2)
    doc(shop, "CONTEO", d(8), 1, 5, suc=1)
    doc(shop, "CONTEO", d(9), 1, 7)
    doc(shop, "DEVOLUCION_COMPRA", d(10), 1, 1, suc=1, origen=r)
    doc(shop, "DESCUENTO_VENTA", d(11), 1, None, precio=2)
    doc(shop, "AJUSTE_ENTRADA", d(12), 1, 2, costo=4)
    doc(shop, "ENTRADA_MERCANCIA", d(12), 2, 2100000, costo=D("0.001429"), importe=3000)
    doc(shop, "VENTA", d(13), 2, -3, precio=1)
    shop.run_in_process(as_of=END)
    assert_olap_equals_replay(shop, INI)
    # late: a receipt before, a cost later, the sale corrected
    doc(shop, "ENTRADA_MERCANCIA", d(0), 1, 3, costo=2, suc=2)
    doc(shop, "COSTO_ADICIONAL", d(20), 1, 1, costo=3, origen=r)
    shop.till("UPDATE detalle_transaccion SET cantidad = 5 WHERE id_detalle = %d" % v)
    doc(shop, "VENTA", d(8), 1, 1, precio=9, suc=1)
    shop.run_in_process(as_of=END + timedelta(hours=1))
    assert_olap_equals_replay(shop, INI)
    shop.till("UPDATE detalle_transaccion SET id_producto = 2 WHERE id_detalle = %d" % r)
    shop.run_in_process(as_of=END + timedelta(hours=2))
    assert_olap_equals_replay(shop, INI)
    done = shop.command("verify")
    print(done.stdout, done.stderr)
    assert done.returncode == 0

"""Every setting: its default, and what it is for in the words of .env.example and of the guide."""

from __future__ import annotations

from pipeline.settings.databases import ANALYTICAL, SHOP, Group, Setting

_RUN = (
    Setting(
        "ETL_STATE_DIR",
        "state",
        "Folder of the receipts and extracts of each window; relative to the working directory.",
        "Carpeta de las constancias y los extractos de cada ventana; relativa a la de trabajo.",
    ),
    Setting(
        "ETL_OLTP_SQL_DIR",
        "",
        "Folder of the shop's own movimientos.sql, productos.sql and sucursales.sql, or "
        "receta:NAME, a shipped recipe for another system. Empty: those of the example.",
        "Carpeta con movimientos.sql, productos.sql y sucursales.sql propios de la tienda, o "
        "receta:NOMBRE, una receta incluida para otro sistema. Vacío: los del ejemplo.",
    ),
    Setting(
        "ETL_CAPTURE",
        "xmin",
        "How a window finds what is new: xmin scans the tables; xid8 reads an index, for a very "
        "large OLTP whose owner has run sql/oltp/captura_xid8.sql; full reads everything each "
        "time, for a small shop, or tables whose rows have no version (foreign tables).",
        "Cómo halla una ventana lo nuevo: xmin recorre las tablas; xid8 lee un índice, para un "
        "OLTP muy grande cuyo dueño corrió sql/oltp/captura_xid8.sql; full lee todo cada vez, para "
        "una tienda chica, o tablas cuyas filas no tienen versión (tablas foráneas).",
    ),
    Setting(
        "ETL_INITIAL_SINCE",
        "",
        "The first run takes movements from this date on …",
        "La primera corrida toma los movimientos desde esta fecha …",
    ),
    Setting(
        "ETL_INITIAL_DAYS",
        "7",
        "… or, if that is empty, of so many days.",
        "… o, si está vacía, los de tantos días.",
    ),
    Setting(
        "ETL_TIMEZONE",
        "UTC",
        "Days and months are cut in this zone, and dates without an offset are read in it. The "
        "first load fixes it.",
        "Días y meses se cortan en esta zona, y las fechas sin desfase se leen en ella. Queda "
        "fija con la primera carga.",
    ),
    Setting(
        "ETL_DELETED_HOURS",
        "24",
        "The first window after so many hours looks for movements that the OLTP has no more, and "
        "takes out those that are not closed. 0: never; `verify --repair` does it.",
        "La primera ventana después de tantas horas busca los movimientos que el OLTP ya no tiene, "
        "y saca los que no están cerrados. 0: nunca; lo hace `verify --repair`.",
    ),
    Setting(
        "ETL_KEEP_DAYS",
        "30",
        "Folders of windows older than so many days are removed.",
        "Las carpetas de ventanas con más días que estos se borran.",
    ),
    Setting(
        "ETL_PRICES_INCLUDE_TAX",
        "true",
        "true: sale prices include the tax of dw.politica_precio, and net sales are price / (1 + "
        "tax); a line of movimientos.sql may say otherwise (impuesto, precio_con_impuesto).",
        "true: los precios de venta incluyen el impuesto de dw.politica_precio, y la venta neta "
        "es precio / (1 + impuesto); un renglón de movimientos.sql puede decir otra cosa "
        "(impuesto, precio_con_impuesto).",
    ),
)

_GUARDS = (
    Setting(
        "ETL_MAX_REJECT_SHARE",
        "0.05",
        "Share of rejected movements (and at least 20 of them) above which the query must be "
        "wrong.",
        "Proporción de movimientos rechazados (y al menos 20) a partir de la cual tiene que estar "
        "mal la consulta.",
    ),
    Setting(
        "ETL_MAX_REMOVED_SHARE",
        "0.05",
        "Share of the ledger (and at least 20 movements) that a load may remove, replace by "
        "other documents, or give another quantity, cost or date.",
        "Proporción del kardex (y al menos 20 movimientos) que una carga puede quitar, "
        "reemplazar por otros documentos, o dejar con otra cantidad, costo o fecha.",
    ),
    Setting(
        "ETL_MAX_SILENT_DAYS",
        "5",
        "Trading days without any movement after which an empty window is suspicious.",
        "Días de venta sin ningún movimiento tras los que una ventana vacía es sospechosa.",
    ),
    Setting(
        "ETL_STOCK_DIFFERENCES",
        "report",
        "What becomes of stock that is not the shop's own (existencias.sql): report shows it, "
        "adjust books it as AJUSTE_ENTRADA or AJUSTE_SALIDA in each window. The first window that "
        "books any, and one worth more than ETL_MAX_REMOVED_SHARE of the stock, waits for "
        "--accept-adjustments.",
        "Qué se hace con las existencias que no son las de la tienda (existencias.sql): report las "
        "muestra, adjust las asienta como AJUSTE_ENTRADA o AJUSTE_SALIDA en cada ventana. La "
        "primera ventana que asienta alguno, y la que vale más que ETL_MAX_REMOVED_SHARE de las "
        "existencias, espera a --accept-adjustments.",
    ),
    Setting(
        "ETL_COST_JUMP_FACTOR",
        "20",
        "A receipt's cost so many times above or below the average is listed as a jump, and "
        "loaded.",
        "Una entrada con un costo tantas veces por encima o por debajo del promedio se lista como "
        "salto, y se carga.",
    ),
    Setting(
        "ETL_LOCK_TIMEOUT",
        "60",
        "Seconds to wait for a lock that somebody else holds, on either side.",
        "Segundos que se espera un bloqueo ajeno, en cualquiera de los dos lados.",
    ),
)

_SHOWN = (
    Setting(
        "ETL_SHOP_NAME",
        "",
        "The shop's name, as the report says it. Empty: the name of the analytical database.",
        "El nombre de la tienda, como lo dice el informe. Vacío: el de la base analítica.",
    ),
    Setting(
        "ETL_CURRENCY",
        "",
        "The sign of the shop's currency, such as S/ or $: it stands before the report's amounts.",
        "El signo de la moneda de la tienda, como S/ o $: va delante de los importes del informe.",
    ),
    Setting(
        "ETL_REPORT_PATH",
        "",
        "The report: one page of HTML for the shopkeeper, written after each run, Backfill and "
        "rebuild (pip install '.[report]').",
        "El informe: una página HTML para el dueño de la tienda, escrita después de cada corrida, "
        "Backfill y rebuild (pip install '.[report]').",
    ),
    Setting(
        "ETL_TRACKING_URL",
        "",
        "A web address that luigid's page links each task to, such as the shop's dashboards or "
        "its published report. It is no secret: whoever sees that page sees it.",
        "Una dirección web a la que la página de luigid enlaza cada tarea, como los tableros de "
        "la tienda o su informe publicado. No es secreta: la ve quien ve esa página.",
    ),
    Setting(
        "ETL_LANG",
        "es",
        "The language of commands, failures, notices, the report and the kardex's page: es or en.",
        "Idioma de las órdenes y las fallas, de los avisos, del informe y de la página del kardex: "
        "es o en.",
    ),
)

_SUNAT = (
    Setting(
        "ETL_RUC",
        "",
        "The taxpayer's number, of 11 digits: for the files of `book --format ple`.",
        "El RUC del contribuyente, de 11 dígitos: para los archivos de `book --format ple`.",
    ),
    Setting(
        "ETL_ESTABLISHMENT",
        "0000",
        "The code of the establishment in the RUC, 4 digits and up to 3 more; 0000 is the fiscal "
        "domicile, 9999 a third party's.",
        "El código del establecimiento en el RUC, 4 dígitos y hasta 3 más; 0000 es el domicilio "
        "fiscal, 9999 el de un tercero.",
    ),
)

_TOLD = (
    Setting(
        "ETL_LOG_FORMAT",
        "text",
        "text, or json: every line of the log is one JSON object.",
        "text, o json: cada línea del registro es un objeto JSON.",
    ),
    Setting(
        "ETL_NOTIFY_URLS",
        "",
        "Who is told when a run fails and when one succeeds again: URLs of Apprise, separated by "
        "spaces or commas (pip install '.[notify]'), such as mailto://user:password@gmail.com",
        "A quién se avisa cuando una corrida falla y cuando otra vuelve a salir bien: URL de "
        "Apprise, separadas por espacios o comas (pip install '.[notify]'), como "
        "mailto://user:password@gmail.com",
    ),
    Setting(
        "ETL_NOTIFY_AGAIN_HOURS",
        "24",
        "The same failure is told once in so many hours.",
        "La misma falla se avisa una vez cada tantas horas.",
    ),
    Setting(
        "ETL_NOTIFY_DIGEST",
        "false",
        "true: what each run did is told, too.",
        "true: también se avisa qué hizo cada corrida.",
    ),
    Setting(
        "ETL_HEARTBEAT_URL",
        "",
        "Asked for (GET) after each success: a service that warns when it has not been for too "
        "long.",
        "Se consulta (GET) después de cada éxito: un servicio que avisa cuando pasa demasiado "
        "tiempo sin que la consulten.",
    ),
    Setting(
        "ETL_METRICS_FILE",
        "",
        "Written after each run for Prometheus' node_exporter (pip install '.[metrics]'); ends in "
        ".prom.",
        "Se escribe después de cada corrida para el node_exporter de Prometheus (pip install "
        "'.[metrics]'); termina en .prom.",
    ),
)

_MANY = (
    Setting(
        "ETL_SHOPS_DIR",
        "",
        "Many shops: the folder with a <shop>.env for each, and common.env with what they share; "
        "RunShops runs them.",
        "Muchas tiendas: la carpeta con un <tienda>.env para cada una, y common.env con lo que "
        "comparten; RunShops las corre.",
    ),
    Setting(
        "ETL_SHOP",
        "",
        "In the environment: the one of them that a single task is for, as --shop for a command.",
        "En el entorno, cuál de ellas es la de una tarea suelta, como --shop para una orden.",
    ),
    Setting(
        "ETL_RESOURCE",
        "",
        "The resource of luigid that a shop's run takes one of: so many shops of one database "
        "server run at once as [resources] says under this name.",
        "El recurso de luigid del que la corrida de una tienda toma uno: a la vez corren tantas "
        "tiendas de un mismo servidor de bases como [resources] diga con este nombre.",
    ),
)

_SUPERSET = (
    Setting(
        "SUPERSET_URL",
        "",
        "Where the dashboards are, such as http://localhost:8088: after each window they show the "
        "new data. Empty: nothing is done.",
        "Dónde están los tableros, como http://localhost:8088: después de cada ventana muestran "
        "los datos nuevos. Vacío: no se hace nada.",
    ),
    Setting(
        "SUPERSET_USER",
        "admin",
        "A user of it with the role Admin, for that and for scripts/superset-import.",
        "Un usuario suyo con el rol Admin, para eso y para scripts/superset-import.",
    ),
    Setting("SUPERSET_PASSWORD", "", "Its password.", "Su contraseña."),
)

GROUPS = (
    Group(
        "The shop's database (OLTP): read only", "La base de la tienda (OLTP): solo lectura", SHOP
    ),
    Group("The analytical database (OLAP)", "La base analítica (OLAP)", ANALYTICAL),
    Group("The run", "La corrida", _RUN),
    Group(
        "Guards: each holds the window and says why",
        "Controles: cada uno detiene la ventana y dice por qué",
        _GUARDS,
    ),
    Group("Being shown", "Lo que se muestra", _SHOWN),
    Group("Peru: SUNAT", "Perú: SUNAT", _SUNAT),
    Group("Being told", "Los avisos", _TOLD),
    Group("Many shops", "Muchas tiendas", _MANY),
    Group("Superset", "Superset", _SUPERSET),
)
SETTINGS = {setting.name: setting for group in GROUPS for setting in group.settings}

"""The settings of both databases, and what a setting is."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Setting:
    """One name; `default` is None where it must be given, and `example` is what it may then be."""

    name: str
    default: str | None
    en: str
    es: str
    example: str = ""


@dataclass(frozen=True)
class Group:
    """Settings that belong together, under a heading in either language."""

    en: str
    es: str
    settings: tuple[Setting, ...]


SHOP = (
    Setting("OLTP_DB_HOST", "localhost", "The shop's server.", "El servidor de la tienda."),
    Setting("OLTP_DB_PORT", "5432", "Its port.", "Su puerto."),
    Setting("OLTP_DB_NAME", None, "The shop's database.", "La base de la tienda.", "tienda"),
    Setting(
        "OLTP_DB_USER", None, "The account that reads it.", "La cuenta que la lee.", "etl_oltp"
    ),
    Setting(
        "OLTP_DB_PASSWORD",
        "",
        "Its password; empty: looked for in libpq's ~/.pgpass.",
        "Su contraseña; vacía: se busca en el ~/.pgpass de libpq.",
    ),
    Setting(
        "OLTP_DB_SSLMODE",
        "prefer",
        "TLS, as libpq has it: disable, allow, prefer, require, verify-ca or verify-full.",
        "TLS, como en libpq: disable, allow, prefer, require, verify-ca o verify-full.",
    ),
    Setting(
        "OLTP_DB_SSLROOTCERT",
        "",
        "The file of the CA, for verify-ca and verify-full.",
        "El archivo de la CA, para verify-ca y verify-full.",
    ),
    Setting(
        "OLTP_DB_ENCODING",
        "",
        "Only for a database whose encoding is SQL_ASCII, which does not say what its bytes are: "
        "LATIN1, WIN1252, … as PostgreSQL calls it.",
        "Solo para una base cuya codificación es SQL_ASCII, que no dice qué son sus bytes: LATIN1, "
        "WIN1252, … como la llama PostgreSQL.",
    ),
    Setting(
        "OLTP_ADMIN_USER",
        "",
        "Only for `init` (the example shop, and to grant the reader's role) and `import`. Empty: "
        "the account above.",
        "Solo para `init` (la tienda de ejemplo, y dar su rol al lector) e `import`. Vacío: la "
        "cuenta de arriba.",
    ),
    Setting("OLTP_ADMIN_PASSWORD", "", "Its password.", "Su contraseña."),
)

ANALYTICAL = (
    Setting("OLAP_DB_HOST", "localhost", "The analytical server.", "El servidor analítico."),
    Setting("OLAP_DB_PORT", "5433", "Its port.", "Su puerto."),
    Setting("OLAP_DB_NAME", None, "The analytical database.", "La base analítica.", "analitica"),
    Setting(
        "OLAP_DB_USER", None, "The account that loads it.", "La cuenta que la carga.", "etl_olap"
    ),
    Setting(
        "OLAP_DB_PASSWORD",
        "",
        "Its password; empty: looked for in libpq's ~/.pgpass.",
        "Su contraseña; vacía: se busca en el ~/.pgpass de libpq.",
    ),
    Setting("OLAP_DB_SSLMODE", "prefer", "TLS, as for the OLTP.", "TLS, igual que en el OLTP."),
    Setting(
        "OLAP_DB_SSLROOTCERT",
        "",
        "The file of the CA, as for the OLTP.",
        "El archivo de la CA, igual que en el OLTP.",
    ),
    Setting(
        "OLAP_ADMIN_USER",
        "",
        "Only for `init`. Empty: the account above.",
        "Solo para `init`. Vacío: la cuenta de arriba.",
    ),
    Setting("OLAP_ADMIN_PASSWORD", "", "Its password.", "Su contraseña."),
    Setting(
        "OLAP_BI_USER",
        "",
        "The dashboards' account: `init` makes it a member of bi_lector.",
        "La cuenta de los tableros: `init` la hace miembro de bi_lector.",
    ),
    Setting(
        "OLAP_BI_PASSWORD",
        "",
        "Its password: the report logs in with it, scripts/superset-import has Superset log in, "
        "and `doctor` looks at what the dashboards see.",
        "Su contraseña: con ella entra el informe, scripts/superset-import hace entrar a "
        "Superset, y `doctor` mira lo que ven los tableros.",
    ),
)

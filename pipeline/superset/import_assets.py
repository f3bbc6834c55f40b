"""The import of superset/ into a Superset: scripts/superset-import runs it."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import pipeline
from pipeline.errors import PipelineError, SettingsError
from pipeline.settings import Database, load_shop, read_dashboards_account, shops
from pipeline.superset.account import SupersetError, load_account
from pipeline.superset.bundle import DATABASE_FILE, Bundle, read_bundle, uri
from pipeline.superset.client import Session
from pipeline.superset.read_back import read_back
from pipeline.translation import translated as _

_TIMEOUT = 120.0  # seconds: an import, and a chart over a long history


def main() -> int:
    """Import and read back; the exit code is 1 after a failure that is said in one line."""
    options = _arguments()
    try:
        if shop := options.shop or load_shop():
            shops.file_of(shop)
            shops.take_turn(shop)
        account = load_account(options.url, options.user)
        if account is None:
            raise SettingsError(_("SUPERSET_URL is not set: give --url or the setting"))
        olap = read_dashboards_account()
        _require_login(olap.user, olap.password)
        bundle = read_bundle(options.folder, olap, shops.current())
        session = Session(account, _TIMEOUT)
        import_bundle(session, bundle, olap)
        charts = read_back(session, bundle)
    except PipelineError as failure:
        print(f"superset-import: {failure}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(_("superset-import: interrupted; run it again"), file=sys.stderr)
        return 130
    print(_("{charts} charts have their data. The dashboards:").format(charts=charts))
    for dashboard in bundle.room("dashboards").values():
        slug, title = dashboard["slug"], dashboard["dashboard_title"]
        print(f"  {title:<24}{account.url}/superset/dashboard/{slug}/")
    return 0


def import_bundle(session: Session, bundle: Bundle, olap: Database) -> None:
    """Try the OLAP's login from Superset, then import; raises SupersetError.

    Tried first, so that what cannot work leaves Superset as it was.
    """
    database = bundle.files[DATABASE_FILE]
    try:
        session.post(
            "/api/v1/database/test_connection/",
            {
                "sqlalchemy_uri": uri(olap, olap.password),
                "database_name": database["database_name"],
                "extra": json.dumps(database["extra"]),
            },
        )
    except SupersetError as failure:
        said = str(failure).replace(olap.password, "****").partition("; (Background")[0]
        raise SupersetError(
            _(
                "{olap} is not open to Superset: {said}; correct OLAP_DB_HOST, OLAP_DB_PORT, "
                "OLAP_DB_NAME, OLAP_BI_USER or OLAP_BI_PASSWORD (nothing was imported)"
            ).format(olap=olap, said=said)
        ) from None
    answer = session.upload(
        "/api/v1/assets/import/",
        {"passwords": json.dumps({DATABASE_FILE: olap.password}), "sparse": "false"},
        "bundle",
        bundle.packed(),
    )
    if answer.get("message") != "OK":
        raise SupersetError(
            _("the import is answered with {json}").format(json=json.dumps(answer)[:300])
        )


def _require_login(user: str, password: str) -> None:
    """Say which of the dashboards' settings is missing; raises SettingsError."""
    for name, value in (("OLAP_BI_USER", user), ("OLAP_BI_PASSWORD", password)):
        if not value:
            raise SettingsError(
                _(
                    "{name} is not set: Superset logs in with it; give it in the environment or "
                    ".env"
                ).format(name=name)
            )


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="./scripts/superset-import",
        description="Imports the dashboards of superset/ into a Superset, or updates them there. "
        "Passwords come from the environment or .env: SUPERSET_PASSWORD, OLAP_BI_PASSWORD.",
        epilog="example: ./scripts/superset-import --url http://localhost:8088 --user admin",
    )
    parser.add_argument("--url", default="", help="Superset's address (default: SUPERSET_URL)")
    parser.add_argument("--user", default="", help="its user, an Admin (default: SUPERSET_USER)")
    parser.add_argument(
        "--shop",
        default="",
        help="the shop of ETL_SHOPS_DIR whose they are: each has its own (default: ETL_SHOP)",
    )
    folder = Path(pipeline.__file__).resolve().parents[1] / "superset"
    parser.add_argument(
        "--folder", type=Path, default=folder, help="where the files are (default: superset/)"
    )
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())

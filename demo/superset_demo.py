"""The dashboards over the demo's shop: scripts/superset-demo runs it."""

from __future__ import annotations

import argparse
import shutil
import sys
from pathlib import Path

import pipeline
from demo import story
from demo.place import Place, account, shown
from demo.progress import step
from demo.superset_server import SupersetServer, venv
from pipeline.errors import PipelineError
from pipeline.superset.bundle import read_bundle
from pipeline.superset.client import Session
from pipeline.superset.import_assets import import_bundle
from pipeline.superset.read_back import read_back

_CHECKOUT = Path(pipeline.__file__).resolve().parents[1]
_FOLDER = _CHECKOUT / ".superset-demo"
_TIMEOUT = 120.0  # seconds for each answer


def main() -> int:
    """Show the dashboards, or stop or remove their Superset; returns the exit code."""
    options = _arguments()
    try:
        if options.stop or options.clean:
            _end(clean=options.clean)
        else:
            _show()
    except (PipelineError, OSError) as error:
        print(f"superset-demo: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("superset-demo: interrupted; run it again to go on", file=sys.stderr)
        return 130
    return 0


def _show() -> None:
    place = Place(_CHECKOUT / ".demo", _CHECKOUT)
    # To the end: two at once would start two Supersets in one folder.
    with place.held():
        server = place.server()
        if server is None or not server.running() or not place.settings():
            story.show(place)
        with step("Superset, installed in an environment of its own"):
            superset = SupersetServer(_FOLDER, venv(_CHECKOUT / "superset/requirements.txt"))
        with step("Its database and login"):
            superset.make()
        with step("Superset started") as current:
            current.text += started(superset)
        with step("Dashboards imported") as current:
            olap = account(place.settings(), "OLAP", "BI")
            bundle = read_bundle(_CHECKOUT / "superset", olap)
            session = Session(superset.account, _TIMEOUT)
            import_bundle(session, bundle, olap)
            current.text += f": {read_back(session, bundle)} charts have their data"
    login = superset.account
    print(f"""
  dashboards  {login.url}/dashboard/list/
              user {login.user}, password {login.password}
  page        {shown(place.page)}: the shopkeeper's, of the same shop; open it in a browser
""")
    print("./scripts/superset-demo --stop stops Superset; --clean removes it, too.")


def started(superset: SupersetServer) -> str:
    """Start it; returns what is to be said of its port, if it could not have its own."""
    wanted = superset.port
    superset.start()
    return "" if superset.port == wanted else f" on port {superset.port}, since {wanted} is taken"


def _end(clean: bool) -> None:
    if not _FOLDER.exists():
        print("There is no Superset of the demo.")
        return
    # What stops it needs no Python of Superset's.
    SupersetServer(_FOLDER, _FOLDER).stop()
    if clean:
        shutil.rmtree(_FOLDER)
    print(f"The demo's Superset is stopped{f', and {shown(_FOLDER)} is removed' * clean}.")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="./scripts/superset-demo",
        description="Shows the dashboards over the demo's shop, in a Superset of its own that "
        "answers on 127.0.0.1 alone. Run it again and it goes on with what is there.",
    )
    ends = parser.add_mutually_exclusive_group()
    ends.add_argument("--stop", action="store_true", help="stop the demo's Superset")
    ends.add_argument("--clean", action="store_true", help="stop it, and remove what it made")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())

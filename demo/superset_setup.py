"""Makes Superset's own database and its administrator; run by Superset's own Python."""

import json
import os
from pathlib import Path

from flask.cli import ScriptInfo
from superset.app import create_app
from superset.cli.main import superset

_USER = ["--username", "admin", "--firstname", "Demo", "--lastname", "Tienda"]


def main() -> None:
    """Upgrade, create the user, sync the roles; raises what fails.

    In one process: each of Superset's commands alone takes seconds to start, and a password
    among their arguments would stand in the list of processes.
    """
    home = Path(os.environ["PIPELINE_SUPERSET_HOME"])
    password = json.loads((home / "login.json").read_text(encoding="utf-8"))["password"]
    application = create_app()
    administrator = ["fab", "create-admin", *_USER, "--email", "demo@example.com"]
    for command in (
        ["db", "upgrade"],
        [*administrator, "--password", password],
        ["init"],
    ):
        made = ScriptInfo(create_app=lambda: application)
        superset.main(args=command, obj=made, standalone_mode=False)


main()

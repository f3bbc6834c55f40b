"""The dashboards of superset/, read and packed as Superset's import takes them."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import yaml

from pipeline.settings import Database
from pipeline.superset.account import SupersetError
from pipeline.superset.of_shop import for_shop
from pipeline.superset.queries import query_context
from pipeline.translation import translated as _

# What Superset puts in the place of a password, and takes for "the one that comes apart".
MASK = "XXXXXXXXXX"
DATABASE_FILE = "databases/analitica.yaml"
ROOMS = ("databases", "datasets", "charts", "dashboards")

Asset = dict[str, Any]


@dataclass(frozen=True)
class Bundle:
    """Each file's content by its path in the folder, such as charts/margen.yaml."""

    files: dict[str, Asset]

    def room(self, name: str) -> dict[str, Asset]:
        """The files of one of ROOMS, by path."""
        return {path: asset for path, asset in self.files.items() if path.startswith(f"{name}/")}

    def packed(self) -> bytes:
        """The zip archive, under the one folder at its top that the import expects."""
        archive = io.BytesIO()
        with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as zipped:
            for path, asset in self.files.items():
                text = yaml.safe_dump(asset, allow_unicode=True, sort_keys=False)
                zipped.writestr(f"superset/{path}", text)
        return archive.getvalue()


def read_bundle(folder: Path, olap: Database, shop: str = "") -> Bundle:
    """The folder's files with the OLAP of the settings and each chart's query; `shop`'s of many.

    `olap` is the dashboards' account: its password is not used; its time zone is
    that in which moments are shown. Raises SupersetError where a file is missing or malformed.
    """
    files = dict(_read(folder))
    try:
        database = files[DATABASE_FILE]
        database["sqlalchemy_uri"] = uri(olap, MASK)
        arguments = database["extra"]["engine_params"]["connect_args"]
        arguments["options"] = f"-c timezone={olap.timezone}"
        for path, asset in files.items():
            if path.startswith("charts/"):
                asset["query_context"] = json.dumps(query_context(asset["params"]))
    except (KeyError, TypeError) as error:
        raise SupersetError(
            _("{folder} lacks {error}: restore it from the repository").format(
                folder=folder, error=error
            )
        ) from None
    return Bundle(for_shop(files, shop))


def uri(olap: Database, password: str) -> str:
    """The account's address for SQLAlchemy, which takes the database's name as it stands.

    Raises SupersetError for a name that such an address cannot hold.
    """
    if "?" in olap.name:
        raise SupersetError(
            _("OLAP_DB_NAME is '{name}', but Superset takes no name with a ?").format(
                name=olap.name
            )
        )
    options = {"sslmode": olap.sslmode}
    if olap.sslrootcert:
        options["sslrootcert"] = olap.sslrootcert
    login = f"{quote(olap.user, safe='')}:{quote(password, safe='')}"
    # An IPv6 address needs brackets there.
    host = f"[{olap.host}]" if ":" in olap.host else olap.host
    place = f"{host}:{olap.port}"
    if olap.host.startswith("/"):
        # The folder of a socket.
        place, options = "", {"host": olap.host, "port": str(olap.port), **options}
    return f"postgresql+psycopg2://{login}@{place}/{olap.name}?{urlencode(options)}"


def _read(folder: Path) -> Iterator[tuple[str, Asset]]:
    paths = [folder / "metadata.yaml"]
    for room in ROOMS:
        paths += sorted((folder / room).glob("*.yaml"))
    for path in paths:
        name = path.relative_to(folder).as_posix()
        try:
            asset = yaml.safe_load(path.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
            said = " ".join(str(error).split())
            raise SupersetError(
                _("superset/{name} cannot be read: {said}").format(name=name, said=said)
            ) from None
        if not isinstance(asset, dict):
            raise SupersetError(
                _("superset/{name} is no mapping: restore it from the repository").format(name=name)
            )
        yield name, asset

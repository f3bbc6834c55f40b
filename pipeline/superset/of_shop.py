"""Many shops in one Superset: each has a database, datasets, charts and dashboards of its own."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid5


def uuid_of(shop: str, original: str) -> str:
    """The shop's own of what has the uuid `original` in superset/; without a shop it is that."""
    return str(uuid5(UUID(original), shop)) if shop else original


def for_shop(files: dict[str, dict[str, Any]], shop: str) -> dict[str, dict[str, Any]]:
    """The same assets, by path, as the shop's own: other uuids throughout, its name in titles.

    So the import of a second shop overwrites nothing of the first. Without a shop they are as they
    were.
    """
    if not shop:
        return files
    own = {
        asset["uuid"]: uuid_of(shop, asset["uuid"]) for asset in files.values() if "uuid" in asset
    }
    found = {path: _exchange(asset, own) for path, asset in files.items()}
    for asset in found.values():
        for name in ("database_name", "dashboard_title"):
            if name in asset:
                asset[name] = f"{asset[name]} · {shop}"
        if table := asset.get("table_name"):
            # In an SQLite of its own Superset keeps one dataset of a name, of whatever database.
            asset["sql"] = f"SELECT * FROM {asset['schema']}.{table}"
            asset["table_name"] = f"{table} · {shop}"
        if "slug" in asset:
            asset["slug"] = f"{asset['slug']}-{shop}"
    return found


def _exchange(value: Any, own: dict[str, str]) -> Any:
    """Every uuid below, wherever one stands as a whole."""
    if isinstance(value, dict):
        return {key: _exchange(found, own) for key, found in value.items()}
    if isinstance(value, list):
        return [_exchange(found, own) for found in value]
    return own.get(value, value) if isinstance(value, str) else value

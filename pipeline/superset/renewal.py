"""After a window: Superset's cache gives way to the new data."""

from __future__ import annotations

import json
import logging
from datetime import datetime, timezone

from pipeline.superset.account import load_account
from pipeline.superset.client import Session

log = logging.getLogger("luigi-interface.pipeline")

_TIMEOUT = 10.0  # seconds for each answer; the first that fails ends it
_SCHEMA = "dw"
_PAGE = 100


def renew_dashboards() -> None:
    """Have every dataset on the OLAP's views asked anew; does nothing without SUPERSET_URL.

    When a dataset changed is part of the key under which Superset caches its answers, so each
    gets the moment of the renewal into its `extra`. `/cachekey/invalidate` would do nothing
    where STORE_CACHE_KEYS_IN_METADATA_DB is off, as it is by default, and
    `/chart/warm_up_cache` fills the cache for one choice of the filters only.
    Raises SettingsError or SupersetError.
    """
    account = load_account()
    if account is None:
        return
    session = Session(account, _TIMEOUT)
    moment = datetime.now(timezone.utc).isoformat()
    found = session.get(
        f"/api/v1/dataset/?q=(columns:!(id,extra),filters:!((col:schema,opr:eq,value:{_SCHEMA})),"
        f"page_size:{_PAGE})"
    )["result"]
    for dataset in found:
        kept = json.loads(dataset.get("extra") or "{}")
        extra = json.dumps(kept | {"renewed": moment})
        session.put(f"/api/v1/dataset/{dataset['id']}", {"extra": extra})
    log.info("Superset: %d datasets will be asked anew", len(found))

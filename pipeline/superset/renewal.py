"""After a window: Superset's cache gives way to the new data."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import count
from typing import Any

from pipeline.base.logs import log
from pipeline.settings import shops
from pipeline.superset.account import SupersetError, load_account
from pipeline.superset.client import Session
from pipeline.superset.of_shop import uuid_of
from pipeline.translation import translated as _

# That of superset/databases/analitica.yaml, written down again since a run has no YAML to read.
DATABASE_UUID = "5178a01a-3398-5399-85cc-19b9c8ecfd43"
_TIMEOUT = 10.0  # seconds for each answer; the first that fails ends it
_PAGE = 100  # the most that Superset gives at once, as it comes


def renew_dashboards() -> None:
    """Have every dataset of the OLAP's database asked anew; does nothing without SUPERSET_URL.

    The shop's own datasets there are among them; those of other databases are left alone.

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
    moment = datetime.now(UTC).isoformat()
    # Before the first of them is changed, since a change moves it to another page.
    found = list(_datasets(session))
    for dataset in found:
        kept = json.loads(dataset.get("extra") or "{}")
        extra = json.dumps(kept | {"renewed": moment})
        session.put(f"/api/v1/dataset/{dataset['id']}", {"extra": extra})
    log.info(_("Superset: %d datasets will be asked anew"), len(found))


def _datasets(session: Session) -> Iterator[dict[str, Any]]:
    uuid = uuid_of(shops.current(), DATABASE_UUID)
    databases = session.get(
        f"/api/v1/database/?q=(columns:!(id),filters:!((col:uuid,opr:eq,value:'{uuid}')))"
    )["result"]
    if not databases:
        raise SupersetError(_("Superset has no dashboards yet: run scripts/superset-import"))
    mine = f"(col:database,opr:rel_o_m,value:{databases[0]['id']})"
    for page in count():
        found = session.get(
            f"/api/v1/dataset/?q=(columns:!(id,extra),filters:!({mine}),"
            f"order_column:table_name,page:{page},page_size:{_PAGE})"
        )["result"]
        # A Superset may give fewer a page than it is asked for.
        if not found:
            return
        yield from found

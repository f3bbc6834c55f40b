"""What a notice says where the shop's own stock is newly not ours."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pipeline.base.text_tables import cell_text
from pipeline.run import differences
from pipeline.state.told import cause_key
from pipeline.telling.counts import counts_of
from pipeline.telling.messages import say
from pipeline.telling.wording import typed

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pipeline.settings import Notices
    from pipeline.state.window import Window

_STATUS = "python -m pipeline status"


def kinds_in(notices: Notices, due: Iterable[Window]) -> dict[str, dict[str, Any]]:
    """What these windows found by their receipts, of which there is one kind; none if nothing."""
    counted = (counts_of(notices, window) for window in due)
    found = [counts for counts in counted if counts.get("diferencias_nuevas")]
    if not found:
        return {}
    new = sum(counts["diferencias_nuevas"] for counts in found)
    return {cause_key("stock", ""): {"new": new, "found": found[-1]["diferencias"]}}


def body(notices: Notices, kinds: Sequence[dict[str, Any]]) -> str:
    """The message: how many are new, how many in all, the dearest, and what causes it."""
    (kind,) = kinds
    found = kind["found"]
    row = found["mayores"][0]
    dearest = say(
        notices.language,
        "stock.one",
        product=differences.name_of(row),
        ours=cell_text(differences.number(row["nuestras"])),
        theirs=cell_text(differences.number(row["tienda"])),
    )
    return say(
        notices.language,
        "stock.body",
        products=kind["new"],
        in_all=differences.in_words(found),
        dearest=dearest,
        causes=differences.causes(found),
        command=typed(_STATUS),
        hours=notices.again_hours,
    )

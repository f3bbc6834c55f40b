"""Any history with closings ends in the closed ledger plus one ordered replay of the rest."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis.stateful import precondition, rule
from property_shop import DAY, PropertyShop
from shop_database import Shop
from test_property import History, lines, offsets, products, tipos, try_histories

HISTORIES, LONG_HISTORIES = 20, 800


class Midnights(PropertyShop):
    """A shop that begins at midnight, so that documents fall on the ends of periods, too."""

    def __init__(self, shop: Shop) -> None:
        super().__init__(shop)
        self.initial = self.initial.replace(hour=0, minute=0, second=0)
        shop.env["ETL_INITIAL_SINCE"] = self.initial.isoformat()


class ClosingHistory(History):
    """One history of a shop that closes, reopens and archives."""

    def a_shop(self) -> PropertyShop:
        return Midnights(self.shop)

    @rule(days=st.integers(1, 30))
    def close(self, days: int) -> None:
        """Up to some midnight after the last closing, if there is one; nothing changes by it."""
        end = (self.it.books.end or self.it.initial) + days * DAY
        self.settle()
        if end <= self.it.as_of:
            self.it.close_books(end)
            self.it.assert_equal()

    @precondition(lambda self: self.it.books.ends)
    @rule()
    def reopen(self) -> None:
        self.it.reopen_books()

    @precondition(lambda self: self.it.books.ends and not self.it.open)
    @rule()
    def archive_what_is_closed(self) -> None:
        self.archive(self.it.books.end)

    @precondition(lambda self: self.it.books.ends)
    @rule(tipo=tipos, halves=st.integers(-8, 2), drawn=lines)
    def document_about_the_end(self, tipo: str, halves: int, drawn: Any) -> None:
        """Late, at the end of the period itself, or just after it."""
        assert self.it.books.end is not None
        self.it.document(tipo, self.it.books.end + halves * timedelta(hours=12), drawn, 1)

    @precondition(lambda self: self.it.books.closed)
    @rule(
        data=st.data(),
        edit=st.one_of(
            st.fixed_dictionaries({"anulada": st.booleans()}),
            offsets.map(lambda offset: {"after": offset}),
            products.map(lambda product: {"id_producto": product}),
            st.integers(1, 9).map(lambda units: {"cantidad": units}),
        ),
    )
    def correct_what_is_closed(self, data: Any, edit: dict[str, Any]) -> None:
        """A void, or another date, product or quantity of what has a closed row."""
        there = sorted(self.it.books.last.keys() & set(self.it.lines))
        if not there:
            return
        number = data.draw(st.sampled_from(there))
        if "anulada" in edit:
            self.shop.correct_document(number, **edit)
        elif "after" in edit:
            self.shop.correct_document(number, fecha=self.it.initial + edit["after"])
        else:
            self.shop.correct_line(number, **edit)


@pytest.mark.longest
@pytest.mark.parametrize("shard", range(2))
def test_any_history_with_closings_ends_in_them_and_the_replay(
    shop: Shop, request: pytest.FixtureRequest, shard: int
):
    try_histories(
        request,
        type("ThisHistory", (ClosingHistory,), {"shop": shop}),
        10 + shard,
        HISTORIES,
        LONG_HISTORIES,
    )

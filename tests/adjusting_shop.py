"""A shop that keeps levels and no receipts, and has them booked; its days pass as a test says."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from unittest import mock

from olap_comparison import assert_olap_equals_replay
from oracle_rows import Replay
from property_levels import not_booked, wrong_differences
from property_shop import PropertyShop
from shop_database import Shop

from pipeline.run import extract
from pipeline.run.verify import verify
from pipeline.state.request import Request

MILK, SCREWS, CHEESE = 1, 2, 3
INITIAL = datetime(2025, 3, 3, tzinfo=UTC)
DAY = timedelta(days=1)


class AdjustingShop(PropertyShop):
    """Each read() is of a snapshot of the day it says, and ends in a comparison with the oracle.

    The shop's own stock is the table niveles: `level` changes it. The windows' adjustments are
    accepted.
    """

    def __init__(self, shop: Shop) -> None:
        super().__init__(shop)
        self.initial = INITIAL
        self.as_of = INITIAL + DAY
        shop.env["ETL_INITIAL_SINCE"] = INITIAL.isoformat()
        # Until a test has it looked for, what is deleted is seen by a repair alone.
        shop.env["ETL_DELETED_HOURS"] = "0"
        shop.branch(1)
        self.tell_stock({}, versions=False)
        self.adjust(True)

    def level(self, product: int, quantity: Any, branch: int | None = None) -> None:
        """What the shop says that it has, from now on; None: it says nothing of it."""
        place = "id_producto = %s AND id_sucursal IS NOT DISTINCT FROM %s"
        self.shop.till(f"DELETE FROM niveles WHERE {place}", product, branch)
        if quantity is not None:
            self.shop.till("INSERT INTO niveles VALUES (%s, %s, %s)", product, branch, quantity)

    def read(self, day: float, request: Request | None = None, *, unseen: bool = False) -> None:
        """A window whose snapshot is of so many days after the beginning.

        With `unseen` something was deleted that no window can see, and nothing is compared.
        """
        moment = INITIAL + day * DAY
        self.as_of = max(moment, self.as_of)
        real = extract.open_read

        def then(*arguments: Any) -> Any:
            source = real(*arguments)
            return replace(source, snapshot=replace(source.snapshot, moment=moment))

        with mock.patch.object(extract, "open_read", then):
            self.run(request=request)
        self.now = moment
        if not unseen:
            self.assert_right()

    def repair(self, day: float) -> None:
        """What `verify --repair` does."""
        with self.settings() as settings:
            found = verify(settings, None, everything=True)
        assert found.movements
        self.read(day, Request(recheck=tuple(found.movements)))

    def assert_right(self) -> Replay:
        """The OLAP is the replay, what differs is booked, and verify finds nothing."""
        expected = self.replay()
        found = wrong_differences(self.shop, expected) + not_booked(self.shop, expected)
        self.assert_equal()
        assert not found, found
        return expected

    def clean(self) -> bool:
        """Whether verify finds nothing."""
        with self.settings() as settings:
            return verify(settings, None, everything=True).clean

    def booked(self) -> list[tuple[Any, ...]]:
        """What was booked: product, branch, quantity, its day, whether it undoes another."""
        return [
            (
                row["id_producto"],
                row["id_sucursal"],
                row["cantidad"],
                (row["fecha"] - INITIAL) / DAY,
                row["deshace"] is not None,
            )
            for row in self.shop.olap_rows(
                "SELECT * FROM dw.ajuste_existencias"
                " ORDER BY hasta, deshace IS NULL, id_producto, id_sucursal, fecha DESC"
            )
        ]

    def stock(self, product: int, day: float, branch: int | None = None) -> Decimal:
        """What the ledger says there was of a product just after so many days."""
        rows = self.shop.olap_rows(
            "SELECT coalesce(sum(variacion), 0) AS existencias FROM dw.kardex"
            " WHERE id_producto = %s AND fecha <= %s AND (id_sucursal = %s OR %s)",
            product,
            INITIAL + day * DAY,
            branch,
            branch is None,
        )
        return Decimal(rows[0]["existencias"])


__all__ = ["AdjustingShop", "assert_olap_equals_replay"]

"""How the report speaks: in ETL_LANG, with numbers and dates as the shop writes them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Context, Decimal, Inexact, localcontext
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from babel import Locale, UnknownLocaleError
from babel.core import get_global
from babel.dates import format_date, format_skeleton, format_time
from babel.numbers import format_decimal, format_percent

from pipeline.translation import translator

NOTHING = "\N{EN DASH}"
# Python's own 28 digits are fewer than a ledger's numeric(38, 6) can have.
_EXACT = Context(prec=60, traps=[Inexact])


@dataclass(frozen=True)
class Voice:
    """One language and locale; `gettext` translates, the methods write figures for the eye.

    What is None is written as a dash.
    """

    locale: Locale
    zone: ZoneInfo
    gettext: Callable[[str], str]

    def money(self, amount: Decimal | None) -> str:
        """An amount in the shop's currency, with two decimals."""
        return self._decimal(amount, "#,##0.00")

    def whole(self, amount: Decimal | None) -> str:
        """An amount or a quantity without decimals, where there is no room for more."""
        return self._decimal(amount, "#,##0")

    def unit_money(self, amount: Decimal | None) -> str:
        """A price or cost of one unit: two decimals, up to four where there are more."""
        return self._decimal(amount, "#,##0.00##")

    def quantity(self, quantity: Decimal | int | None) -> str:
        """Units, with up to three decimals; also any count."""
        return self._decimal(quantity, "#,##0.###")

    def exact(self, number: Decimal, decimals: int) -> str:
        """A number with so many decimals; raises decimal.Inexact if it has more."""
        # Written as Babel would, who takes ten times as long: a book has millions of them.
        exact = number.quantize(Decimal(1).scaleb(-decimals), context=_EXACT)
        return f"{exact:,f}".translate(_separators(self.locale))

    def tenths(self, number: Decimal | None) -> str:
        """Days, seconds or times, with one decimal."""
        return self._decimal(number, "#,##0.0")

    def percent(self, share: Decimal | None, pattern: str = "#,##0.0%") -> str:
        """A fraction of one as a percentage."""
        if share is None:
            return NOTHING
        with localcontext(rounding=ROUND_HALF_UP):
            return str(format_percent(share, pattern, locale=self.locale))

    def change(self, share: Decimal | None) -> str:
        """A fraction of one as a percentage that always has its sign."""
        return self.percent(share, "+#,##0.0%;-#,##0.0%")

    def day(self, day: date | None) -> str:
        """A day and its month, such as 3 nov."""
        return NOTHING if day is None else str(format_skeleton("MMMd", day, locale=self.locale))

    def weekday(self, day: date) -> str:
        """A day of these weeks, such as mar 3."""
        return str(format_skeleton("Ed", day, locale=self.locale))

    def weekday_name(self, weekday: int) -> str:
        """The short name of a weekday, 1 being Monday, such as lun."""
        return str(self.locale.days["stand-alone"]["abbreviated"][weekday - 1])

    def long_day(self, day: date | None) -> str:
        """A whole date."""
        return NOTHING if day is None else str(format_date(day, "medium", locale=self.locale))

    def table_day(self, day: date) -> str:
        """A whole date in figures, all of one width.

        In English it is that of ISO 8601, since its countries disagree on the order.
        """
        return f"{day:%Y-%m-%d}" if self.locale.language == "en" else f"{day:%d/%m/%Y}"

    def moment(self, moment: datetime) -> str:
        """A date and its time in the shop's zone."""
        return f"{self.long_day(moment.astimezone(self.zone).date())}, {self.clock(moment)}"

    def clock(self, moment: datetime) -> str:
        """A time of the day in the shop's zone."""
        return str(format_time(moment, "short", tzinfo=self.zone, locale=self.locale))

    def chart_numbers(self) -> dict[str, Any]:
        """What Vega needs to write numbers as here: a format locale of d3."""
        symbols = self.locale.number_symbols["latn"]
        return {
            "decimal": symbols["decimal"],
            "thousands": symbols["group"],
            "grouping": [3],
            "currency": ["", ""],
        }

    def _decimal(self, number: Decimal | int | None, pattern: str) -> str:
        if number is None:
            return NOTHING
        # Babel rounds as Python does, and half even is not how the ledger rounds.
        with localcontext(rounding=ROUND_HALF_UP):
            return str(format_decimal(number, pattern, locale=self.locale))


@lru_cache
def _separators(locale: Locale) -> dict[int, str]:
    symbols = locale.number_symbols["latn"]
    return str.maketrans({",": symbols["group"], ".": symbols["decimal"]})


def voice_of(language: str, zone: str) -> Voice:
    """The voice of a language in the country of a time zone.

    es in America/Lima is es_PE, whose decimals have a point; where CLDR knows no such
    locale it is the language's own.
    """
    territory = get_global("zone_territories").get(zone)
    try:
        locale = Locale(language, territory)
    except UnknownLocaleError:
        locale = Locale(language)
    return Voice(locale, ZoneInfo(zone), translator(language))

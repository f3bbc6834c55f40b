"""Reads a CSV, plain or .gz, as rows with checked values; an error names file, line and column."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from difflib import get_close_matches
from itertools import chain
from pathlib import Path

from pipeline.base.text_lines import file_error, line_error, text_lines
from pipeline.base.text_tables import on_a_line
from pipeline.errors import InputError
from pipeline.settings.moments import parse_moment
from pipeline.translation import translated as _

# DESIGN 7.2: what is refused here would wait in etl.rechazo for ever.
AMOUNT_LIMIT = Decimal(10) ** 11
_MICRO = Decimal("0.000001")

_SHOWN_LIMIT = 60  # characters of a bad value
_LIKE = 0.85  # of the letters of a column's name
# 18 digits: beyond bigint's reach by far, and an identity can still count on from there.
_ID = re.compile(r"[0-9]{1,18}")
_NUMBER = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]{1,3})?")
_NUMBER_LIMIT = 60  # characters: far more digits than any amount, far fewer than numeric's end
_BOOLEANS = {"true": True, "t": True, "false": False, "f": False}


def rounded(value: Decimal) -> Decimal:
    """An amount as the OLAP keeps it: half up to 6 decimals (DESIGN 6); |value| < 1e20."""
    return value.quantize(_MICRO, ROUND_HALF_UP)


def value_error(path: Path, line: int, column: str, value: object, expected: str) -> InputError:
    """The error of one value; `expected` begins with 'must'. Long values are cut."""
    text = str(value)
    shown = on_a_line(text)
    if len(shown) > _SHOWN_LIMIT:
        shown = shown[:_SHOWN_LIMIT] + "…"
    said = f"'{shown}'" if text else _("empty")
    return line_error(
        path,
        line,
        _("{column} is {said}, but {expected}").format(column=column, said=said, expected=expected),
    )


class Row:
    """One record; `line` is the physical line on which it starts.

    Values are asked for by the names given to read_rows, and come without the
    blanks around them. Each method but text() refuses an empty value; whoever
    allows it asks `if row.text(column)` first.
    """

    __slots__ = ("_fields", "_positions", "line", "path")

    def __init__(
        self, path: Path, line: int, fields: Sequence[str], positions: dict[str, int]
    ) -> None:
        """Made by Rows: `positions` says where in `fields` a column is."""
        self.path = path
        self.line = line
        self._fields = fields
        self._positions = positions

    def error(self, column: str, expected: str) -> InputError:
        """An InputError about the value of `column`; `expected` begins with 'must'."""
        return value_error(self.path, self.line, column, self.text(column), expected)

    def text(self, column: str) -> str:
        """The value; '' where it is empty, or where the file lacks the column."""
        position = self._positions.get(column)
        return "" if position is None else self._fields[position].strip()

    def required_text(self, column: str) -> str:
        """The value, which must not be empty."""
        value = self.text(column)
        if not value:
            raise self.error(column, _("must have a value"))
        return value

    def choice(self, column: str, choices: Sequence[str]) -> str:
        """The value, which must be one of `choices`."""
        value = self.text(column)
        if value not in choices:
            raise self.error(column, _("must be {choices}").format(choices=_(" or ").join(choices)))
        return value

    def boolean(self, column: str) -> bool:
        """true or false in any case, or t or f, as psql writes them."""
        value = _BOOLEANS.get(self.text(column).lower())
        if value is None:
            raise self.error(column, _("must be true or false"))
        return value

    def integer(self, column: str, *, any_sign: bool = False) -> int:
        """An id: a whole number of 1 to 18 digits, above 0 unless it may have `any_sign`."""
        value = self.text(column)
        if any_sign and _ID.fullmatch(value.removeprefix("-")):
            return int(value)
        if not _ID.fullmatch(value) or int(value) == 0:
            raise self.error(column, _("must be a whole number above 0"))
        return int(value)

    def decimal(
        self, column: str, *, above: int | None = None, minimum: int | None = None
    ) -> Decimal:
        """A finite number as written, not rounded, with a decimal point.

        It must be greater than `above`, not less than `minimum`, and of a size
        below AMOUNT_LIMIT, each after the rounding that the OLAP will do.
        """
        if above is not None:
            bound = _(" above {above}").format(above=above)
        elif minimum is not None:
            bound = _(", {minimum} or more").format(minimum=minimum)
        else:
            bound = ""
        raw = self.text(column)
        if "," in raw:
            raise self.error(
                column,
                _("must be a number{bound}, with a decimal point, not a comma").format(bound=bound),
            )
        if not _NUMBER.fullmatch(raw) or len(raw) > _NUMBER_LIMIT:
            raise self.error(column, _("must be a number{bound}").format(bound=bound))
        value = Decimal(raw)
        if abs(value) >= AMOUNT_LIMIT or abs(kept := rounded(value)) >= AMOUNT_LIMIT:
            side = (
                _("below {amount_limit}").format(amount_limit=AMOUNT_LIMIT)
                if value > 0
                else _("above -{amount_limit}").format(amount_limit=AMOUNT_LIMIT)
            )
            raise self.error(column, _("must be a number {side}").format(side=side))
        if (above is not None and kept <= above) or (minimum is not None and kept < minimum):
            digits = _(" at 6 decimals") if kept != value else ""
            raise self.error(
                column, _("must be a number{bound}{digits}").format(bound=bound, digits=digits)
            )
        return value

    def moment(self, column: str, zone: str) -> datetime:
        """An ISO date or date-time, in `zone` where it has no offset. Returns UTC."""
        try:
            return parse_moment(self.text(column), zone)
        except (ValueError, OverflowError):
            raise self.error(
                column, _("must be a date or a date-time such as 2026-01-31 or 2026-01-31T17:30:00")
            ) from None


class Rows:
    """The records of an open file, read as they are asked for, once.

    `columns` are those of the names asked for that the file has. Records
    without any value are passed over.
    """

    def __init__(
        self,
        path: Path,
        lines: Iterator[str],
        required: Sequence[str | tuple[str, ...]],
        optional: Sequence[str],
    ) -> None:
        """Read the header; raises InputError as read_rows says."""
        self._path = path
        first = next(lines, "")
        if not first.strip():
            raise file_error(
                path, _("is empty") if not first else _("has an empty line 1, no header")
            )
        delimiter = ";" if ";" in first and "," not in first else ","
        self._reader = csv.reader(chain([first], lines), delimiter=delimiter, strict=True)
        header = next(self._records())[1]
        self._width = len(header)
        self._positions = _positions(path, header, required, optional)
        self.columns = frozenset(self._positions)

    def __iter__(self) -> Iterator[Row]:
        """Yield the rows; raises InputError at the first record that is none."""
        for line, fields in self._records():
            if not any(map(str.strip, fields)):
                continue
            if len(fields) != self._width:
                problem = _("the number of fields is {fields}, but must be {width}").format(
                    fields=len(fields), width=self._width
                )
                hint = _(" (a comma in a value wants quotes)") if len(fields) > self._width else ""
                raise line_error(self._path, line, problem + hint)
            yield Row(self._path, line, fields, self._positions)

    def _records(self) -> Iterator[tuple[int, list[str]]]:
        while True:
            line = self._reader.line_num + 1
            try:
                fields = next(self._reader)
            except StopIteration:
                return
            except csv.Error as error:
                raise line_error(
                    self._path, line, _("is not valid CSV: {error}").format(error=error)
                ) from error
            yield line, fields


def _positions(
    path: Path,
    header: list[str],
    required: Sequence[str | tuple[str, ...]],
    optional: Sequence[str],
) -> dict[str, int]:
    names = [name.strip().lower() for name in header]
    groups = [group if isinstance(group, tuple) else (group,) for group in required]
    missing = [
        _(" or ").join(group) for group in groups if not any(name in names for name in group)
    ]
    if missing:
        has = ", ".join(names)
        has = has if len(has) <= 4 * _SHOWN_LIMIT else has[: 4 * _SHOWN_LIMIT] + "…"
        what = _("columns") if len(missing) > 1 else _("column")
        raise line_error(
            path,
            1,
            _("the header lacks the {what} {missing} (has: {has})").format(
                what=what, missing=", ".join(missing), has=has
            ),
        )
    wanted = [name for name in chain(*groups, optional) if name in names]
    for name in wanted:
        if names.count(name) > 1:
            raise line_error(
                path, 1, _("the header has the column {name} more than once").format(name=name)
            )
    absent = [name for name in chain(*groups, optional) if name not in names]
    for name in names:
        # Passed over in silence, a count without its date would hold at another.
        like = get_close_matches(name, absent, n=1, cutoff=_LIKE)
        if like and name not in wanted:
            told = _(
                "the header has the column {name}: is {like} meant? Give it another name"
            ).format(name=name, like=like[0])
            raise line_error(path, 1, told)
    return {name: names.index(name) for name in wanted}


@contextmanager
def read_rows(
    path: Path, *, required: Sequence[str | tuple[str, ...]], optional: Sequence[str] = ()
) -> Iterator[Rows]:
    """Open a CSV file and check its header; the rows are read while they are iterated.

    The names are those of the header, in any case and order; a tuple in
    `required` stands for columns of which the file must have one or more, and
    columns not named are ignored, unless one looks like a misspelt name. UTF-8,
    with or without BOM; separated by commas, or by semicolons where the header has
    these and no comma; .gz is known by its content. Raises InputError, with file and
    line, for a file that cannot be read, lacks a column, or at the row that is not as
    it must be.
    """
    try:
        raw = path.open("rb")
    except OSError as error:
        raise file_error(
            path, _("cannot be read: {strerror}").format(strerror=error.strerror or error)
        ) from error
    with raw:
        yield Rows(path, text_lines(path, raw), required, optional)

"""csv_rows: what is read, what is refused, and where an error says that it is."""

from __future__ import annotations

import gzip
import os
import random
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from pipeline.base.csv_rows import Row, read_rows, rounded
from pipeline.errors import InputError

Make = Callable[..., Path]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """A function (content, name) → the path of a file that has it."""

    def write(content: str | bytes, name: str = "f.csv") -> Path:
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return write


def rows_of(path: Path, *required: str | tuple[str, ...], optional: tuple[str, ...] = ()) -> list:
    with read_rows(path, required=required or ("a", "b"), optional=optional) as rows:
        return list(rows)


def texts(path: Path) -> list[tuple[int, str, str]]:
    return [(row.line, row.text("a"), row.text("b")) for row in rows_of(path)]


def refusal(action: Callable[[], object]) -> str:
    """The message of the InputError, which is one line."""
    with pytest.raises(InputError) as caught:
        action()
    message = str(caught.value)
    assert "\n" not in message and message.endswith("; nothing was loaded"), message
    return message


# --- what is read -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "content",
    [
        b"a,b\n1,dos\n",
        b"a,b\r\n1,dos\r\n",
        b"a,b\n1,dos",
        b"\xef\xbb\xbfa,b\n1,dos\n",
        b"a;b\n1;dos\n",
        b'"a";"b"\n"1";"dos"\n',
        b"b,a\ndos,1\n",
        b" A ,z,B\n 1 ,ignored,\tdos \n",
        gzip.compress(b"a,b\n1,dos\n", mtime=0),
        gzip.compress(b"a,b\n", mtime=0) + gzip.compress(b"1,dos\n", mtime=0),
    ],
)
def test_reads_the_usual_shapes(make: Make, content: bytes) -> None:
    assert texts(make(content)) == [(2, "1", "dos")]


def test_values_may_hold_separators_quotes_and_line_ends(make: Make) -> None:
    path = make('a,b\n"x,y","say ""hi"""\n"one\ntwo\n",ñandú\nlast,\n')
    assert texts(path) == [(2, "x,y", 'say "hi"'), (3, "one\ntwo", "ñandú"), (6, "last", "")]


def test_records_without_values_are_passed_over_and_counted_as_lines(make: Make) -> None:
    assert texts(make("a,b\n\n1,x\n,\n \n2,y\n\n")) == [(3, "1", "x"), (6, "2", "y")]


def test_a_header_alone_is_a_file_without_rows(make: Make) -> None:
    assert texts(make("a,b\n")) == []


def test_a_comma_in_the_header_wins_over_semicolons(make: Make) -> None:
    assert texts(make("a,b,c;d\n1,x;y,3\n")) == [(2, "1", "x;y")]


def test_columns_tells_which_of_the_names_the_file_has(make: Make) -> None:
    path = make("a,c,z\n1,2,3\n")
    with read_rows(path, required=[("a", "b"), "c"], optional=["d"]) as rows:
        assert rows.columns == {"a", "c"}
        (row,) = rows
        assert (row.text("b"), row.text("d")) == ("", "")


def test_a_pipe_can_be_read(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_bytes, args=(gzip.compress(b"a,b\n1,x\n"),))
    writer.start()
    assert texts(pipe) == [(2, "1", "x")]
    writer.join()


# --- files that are refused -------------------------------------------------------------------

PACKED = gzip.compress(random.Random(7).randbytes(3000).hex().encode(), mtime=0)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", ": is empty;"),
        (b"\xef\xbb\xbf", ": is empty;"),
        (b"\na,b\n", ": has an empty line 1"),
        (b"a,c\n", ", line 1: the header lacks the column b (has: a, c);"),
        (b"c\td\n", ", line 1: the header lacks the columns a, b (has: c\td);"),
        (b"a,b,a\n", ", line 1: the header has the column a more than once;"),
        (b"a,b\n1,x\n1\n", ", line 3: the number of fields is 1, but must be 2;"),
        (b"a,b\n1,x\n\n1,2,50\n", ", line 4: the number of fields is 3, but must be 2 (a comma"),
        (b"a,b\n1,x\n1,caf\xe9\n", ", line 3: is not UTF-8 (byte 0xe9); save the file as UTF-8;"),
        ("a,b\n1,x\n".encode("utf-16-le"), ", line 1: has a NUL byte"),
        (b"a,b\n1,x\n2,y\0\n", ", line 3: has a NUL byte"),
        (b'a,b\n"x\ny",1\n"x"y,1\n', ", line 4: is not valid CSV: ',' expected after '\"'"),
        (b'a,b\n1,x\n2,"y\n3,z\n', ", line 3: is not valid CSV: unexpected end of data"),
        (b"a,b\n1," + b"x" * 200_000, ", line 2: is not valid CSV: field larger"),
        (b"a,b\n" + b"x" * 2_000_000, ", line 2: is longer than 1000000 bytes;"),
        (b"a,b\r1,x\r", ", line 1: is not valid CSV"),
        (PACKED[:-9], ": is a truncated or damaged .gz"),
        (PACKED[:2000] + b"\0\1\2\3" + PACKED[2004:], ": is a truncated or damaged .gz"),
        (PACKED + b"junk", ": is a truncated or damaged .gz"),
        (PACKED[:5], ": is a truncated or damaged .gz"),
    ],
)
def test_refuses_a_file_by_name_and_line(make: Make, content: bytes, says: str) -> None:
    path = make(content)
    assert refusal(lambda: rows_of(path)).startswith(f"{path}{says}")


def test_refuses_what_is_named_gz_and_is_none(make: Make) -> None:
    assert "is named .gz, but is none" in refusal(lambda: rows_of(make("a,b\n", "f.csv.gz")))


def test_refuses_what_cannot_be_opened(tmp_path: Path) -> None:
    missing = refusal(lambda: rows_of(tmp_path / "missing.csv"))
    assert missing.endswith("cannot be read: No such file or directory; nothing was loaded")
    assert "cannot be read: Is a directory" in refusal(lambda: rows_of(tmp_path))


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads every file")
def test_refuses_what_may_not_be_read(make: Make) -> None:
    path = make("a,b\n")
    path.chmod(0)
    assert "cannot be read: Permission denied" in refusal(lambda: rows_of(path))


def test_a_group_that_is_missing_is_named_whole(make: Make) -> None:
    message = refusal(lambda: rows_of(make("c\n"), ("a", "b"), "c"))
    assert "the header lacks the column a or b" in message


def test_a_column_that_looks_like_a_misspelt_one_is_refused(make: Make) -> None:
    path = make("a,b,fech\n1,2,2020-01-01\n")
    message = refusal(lambda: rows_of(path, optional=("fecha",)))
    assert "line 1: the header has the column fech: is fecha meant?" in message
    both = make("a,b,fecha,fech\n1,2,3,4\n")
    assert len(rows_of(both, optional=("fecha",))) == 1


def test_good_rows_come_before_the_error(make: Make) -> None:
    seen = []
    with (
        pytest.raises(InputError),
        read_rows(make("a,b\n1,x\n2\n"), required=("a", "b")) as rows,
    ):
        seen.extend(row.text("a") for row in rows)
    assert seen == ["1"]


# --- values -----------------------------------------------------------------------------------


def row(value: str) -> Row:
    return Row(Path("ventas.csv"), 17, [value], {"v": 0})


@pytest.mark.parametrize(
    ("value", "number"),
    [
        ("1", "1"),
        ("-2.50", "-2.50"),
        ("+.5", "0.5"),
        ("1e-5", "0.00001"),
        ("99999999999.999999", "99999999999.999999"),
        ("0.1234567890123456789", "0.1234567890123456789"),
    ],
)
def test_decimals_are_returned_as_written(value: str, number: str) -> None:
    assert row(value).decimal("v") == Decimal(number)


@pytest.mark.parametrize(
    ("value", "bounds", "expected"),
    [
        ("abc", {"above": 0}, "must be a number above 0"),
        ("", {"minimum": 0}, "must be a number, 0 or more"),
        ("NaN", {}, "must be a number"),
        ("inf", {}, "must be a number"),
        ("1_000", {}, "must be a number"),
        ("٣", {}, "must be a number"),
        ("1" * 61, {}, "must be a number"),
        ("1e9999", {}, "must be a number"),
        ("0", {"above": 0}, "must be a number above 0"),
        ("0.0000004", {"above": 0}, "must be a number above 0 at 6 decimals"),
        ("-0.01", {"minimum": 0}, "must be a number, 0 or more"),
        ("1,5", {"above": 0}, "must be a number above 0, with a decimal point, not a comma"),
        ("1.234,50", {}, "must be a number, with a decimal point, not a comma"),
        ("1e11", {}, "must be a number below 100000000000"),
        ("99999999999.9999995", {}, "must be a number below 100000000000"),
        ("-1e99", {}, "must be a number above -100000000000"),
    ],
)
def test_decimals_are_refused(value: str, bounds: dict[str, int], expected: str) -> None:
    said = f"'{value}'" if value else "empty"
    said = said if len(value) < 61 else f"'{value[:60]}…'"
    message = refusal(lambda: row(value).decimal("v", **bounds))
    assert message == f"ventas.csv, line 17: v is {said}, but {expected}; nothing was loaded"


def test_bounds_hold_after_rounding() -> None:
    assert row("0.0000005").decimal("v", above=0) == Decimal("0.0000005")
    assert row("-0.0000004").decimal("v", minimum=0) == Decimal("-0.0000004")
    assert rounded(Decimal("0.0000005")) == Decimal("0.000001")


def test_integers() -> None:
    assert row("999999999999999999").integer("v") == 999999999999999999
    assert row(" 007 ").integer("v") == 7
    for bad in ("", "0", "-1", "+1", "1.0", "1e3", "x", "1000000000000000000", "²"):
        message = refusal(lambda bad=bad: row(bad).integer("v"))
        assert message.endswith("but must be a whole number above 0; nothing was loaded")


@pytest.mark.parametrize(
    ("value", "utc"),
    [
        ("2026-01-31", datetime(2026, 1, 31, 5, tzinfo=UTC)),
        ("2026-01-31 17:30", datetime(2026, 1, 31, 22, 30, tzinfo=UTC)),
        ("2026-01-31T17:30:00+00:00", datetime(2026, 1, 31, 17, 30, tzinfo=UTC)),
        ("2026-01-31T17:30:00Z", datetime(2026, 1, 31, 17, 30, tzinfo=UTC)),
    ],
)
def test_moments_without_an_offset_are_in_the_zone(value: str, utc: datetime) -> None:
    assert row(value).moment("v", "America/Lima") == utc


@pytest.mark.parametrize("value", ["", "31/01/2026", "2026-02-30", "hoy", "0001-01-01T00:00+10:00"])
def test_moments_are_refused(value: str) -> None:
    message = refusal(lambda: row(value).moment("v", "UTC"))
    assert "but must be a date or a date-time such as 2026-01-31 or" in message


def test_booleans_and_choices() -> None:
    assert [row(v).boolean("v") for v in ("true", "True", "t", "FALSE", "f")] == [
        True,
        True,
        True,
        False,
        False,
    ]
    assert "'si', but must be true or false" in refusal(lambda: row("si").boolean("v"))
    assert row("x").choice("v", ("x", "y")) == "x"
    assert "'z', but must be x or y" in refusal(lambda: row("z").choice("v", ("x", "y")))
    assert "v is empty, but must have a value" in refusal(lambda: row(" ").required_text("v"))


def test_a_bad_value_is_shown_in_one_short_line() -> None:
    message = refusal(lambda: row("a\nb\x1b" + "c" * 500).integer("v"))
    assert f"v is 'a b?{'c' * 56}…', but" in message

"""A text file's lines, plain or .gz, in UTF-8; an error names the file and the line."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator
from io import BufferedReader
from pathlib import Path

from pipeline.errors import InputError
from pipeline.translation import translated as _

_LINE_LIMIT = 1_000_000  # bytes: a file without line ends must not fill the memory
_GZIP_MAGIC = b"\x1f\x8b"


def file_error(path: Path, problem: str) -> InputError:
    """The error of a file as a whole; `problem` goes on from its name."""
    return InputError(_("{path}: {problem}; nothing was loaded").format(path=path, problem=problem))


def line_error(path: Path, line: int, problem: str) -> InputError:
    """The error of one line, counted as an editor does: the header is line 1."""
    return InputError(
        _("{path}, line {line}: {problem}; nothing was loaded").format(
            path=path, line=line, problem=problem
        )
    )


def _unpacked(path: Path, raw: BufferedReader) -> BufferedReader | gzip.GzipFile:
    # By content: a name tells nothing of what a browser or a mail program did to the file.
    if raw.peek(2)[:2] == _GZIP_MAGIC:
        return gzip.GzipFile(fileobj=raw)
    if path.suffix.lower() == ".gz":
        raise file_error(path, _("is named .gz, but is none (damaged, or unpacked already?)"))
    return raw


def text_lines(path: Path, raw: BufferedReader) -> Iterator[str]:
    """The lines of an open file, .gz known by its content; raises InputError."""
    number = 0
    try:
        source = _unpacked(path, raw)
        while line := source.readline(_LINE_LIMIT):
            number += 1
            if len(line) == _LINE_LIMIT:
                raise line_error(
                    path,
                    number,
                    _("is longer than {line_limit} bytes").format(line_limit=_LINE_LIMIT),
                )
            if b"\0" in line:
                raise line_error(path, number, _("has a NUL byte; save the file as UTF-8 text"))
            yield line.decode("utf-8-sig" if number == 1 else "utf-8")
    except UnicodeDecodeError as error:
        byte = error.object[error.start]
        raise line_error(
            path,
            number,
            _("is not UTF-8 (byte 0x{byte:02x}); save the file as UTF-8").format(byte=byte),
        ) from error
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise file_error(
            path,
            _("is a truncated or damaged .gz after line {number} ({error}); copy it again").format(
                number=number, error=error
            ),
        ) from error
    except OSError as error:
        raise file_error(
            path, _("cannot be read: {strerror}").format(strerror=error.strerror or error)
        ) from error

"""DurableTarget: a LocalTarget that survives a power cut, and the receipts kept in it."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import luigi

from pipeline.errors import StateError
from pipeline.state.replacing import replacing
from pipeline.translation import translated as _


def make_private_folder(path: Path) -> None:
    """Create a folder of the state, readable by its owner only.

    Raises StateError in one line when it cannot be made or written.
    """
    try:
        missing = [ancestor for ancestor in (path, *path.parents) if not ancestor.exists()]
        for ancestor in reversed(missing):
            ancestor.mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise _unusable(path, error) from error
    if not path.is_dir() or not os.access(path, os.R_OK | os.W_OK | os.X_OK):
        raise StateError(
            _(
                "{path} is no folder, or cannot be written: check its owner, or set ETL_STATE_DIR"
            ).format(path=path)
        )


def _unusable(path: Path, error: OSError) -> StateError:
    return StateError(
        _(
            "{path} cannot be written: {strerror}; check its owner and the free disk "
            "space, or set ETL_STATE_DIR"
        ).format(path=path, strerror=error.strerror or error)
    )


class DurableTarget(luigi.LocalTarget):  # type: ignore[misc]
    """A file that exists whole or not at all: fsynced, renamed, its folder fsynced."""

    @property
    def file(self) -> Path:
        """The target's path."""
        return Path(self.path)

    @contextmanager
    def replace(self) -> Iterator[BinaryIO]:
        """A stream for the new content, which takes the target's place at the end of the block.

        If the block raises, nothing is left behind. Raises StateError when the
        file cannot be written.
        """
        make_private_folder(self.file.parent)
        try:
            with replacing(self.file, 0o600) as stream:
                yield stream
        except OSError as error:
            raise _unusable(self.file, error) from error

    def write_receipt(self, receipt: Mapping[str, Any]) -> None:
        """Write a JSON object as the target's whole content."""
        text = json.dumps(receipt, indent=2, default=str, ensure_ascii=False)
        with self.replace() as stream:
            stream.write(text.encode() + b"\n")

    def read_receipt(self) -> dict[str, Any]:
        """The JSON object that the target holds; raises StateError if it is not one."""
        try:
            receipt = json.loads(self.file.read_bytes())
        except (OSError, ValueError) as error:
            raise StateError(
                _("{path} cannot be read as a receipt: {error}").format(path=self.path, error=error)
            ) from error
        if not isinstance(receipt, dict):
            raise StateError(
                _("{path} is not a receipt: it holds no JSON object").format(path=self.path)
            )
        return receipt

"""Luigi's configuration file, and its central scheduler where one answers."""

from __future__ import annotations

import configparser
import http.client
import os
from collections.abc import Iterator
from pathlib import Path

from luigi.interface import core

from pipeline.doctor.findings import Finding
from pipeline.translation import mark as N_
from pipeline.translation import translated as _

_PATIENCE = 2  # seconds
# Where Luigi looks without LUIGI_CONFIG_PATH; it merges what it finds.
_PLACES = ("/etc/luigi/client.cfg", "/etc/luigi/luigi.cfg", "client.cfg", "luigi.cfg")
_COPY = N_("set LUIGI_CONFIG_PATH in cron to the luigi.cfg that the project ships")


def configuration() -> Iterator[Finding]:
    """A luigi.cfg is found and sets exit codes: without them a failed run can exit with 0.

    The files are read here, since the pipeline fills the gaps of what Luigi has in memory.
    """
    what, named = "luigi.cfg", os.environ.get("LUIGI_CONFIG_PATH")
    if named and not Path(named).is_file():
        yield Finding(
            "warning",
            what,
            _("LUIGI_CONFIG_PATH is {named}, which is no file").format(named=named),
            _(_COPY),
        )
        return
    files = [path for path in (*_PLACES, named) if path and Path(path).is_file()]
    if not files:
        yield Finding("warning", what, _("none found; built-in defaults apply"), _(_COPY))
        return
    # Interpolation and repeated options are Luigi's to judge.
    parser = configparser.RawConfigParser(strict=False)
    try:
        parser.read(files, encoding="utf-8")
    except (configparser.Error, UnicodeDecodeError, OSError) as error:
        reason = str(error).splitlines()[0]
        yield Finding("warning", what, f"{', '.join(files)}: {reason}", _("correct the file"))
        return
    found = ", ".join(files)
    if not parser.has_section("retcode"):
        yield Finding(
            "warning",
            what,
            _("{found} has no [retcode]; built-in exit codes apply").format(found=found),
            _(_COPY),
        )
        return
    silent = [name for name, code in parser.items("retcode") if code.strip() == "0"]
    if silent:
        yield Finding(
            "warning",
            what,
            _("{found}: [retcode] {silent} is 0, as after a success").format(
                found=found, silent=", ".join(silent)
            ),
            _("give each an exit code of its own, as the luigi.cfg of the project does"),
        )
    else:
        yield Finding("ok", what, found)


def luigid() -> Iterator[Finding]:
    """Whether luigid answers where runs without --local-scheduler would look for it."""
    settings = core()
    host, port = settings.scheduler_host, settings.scheduler_port
    connection = http.client.HTTPConnection(host, port, timeout=_PATIENCE)
    try:
        connection.request("GET", "/")
        server = connection.getresponse().getheader("Server", "")
    except (OSError, http.client.HTTPException):
        yield Finding(
            "skipped",
            "luigid",
            _("none at {host}:{port}; --local-scheduler does without it").format(
                host=host, port=port
            ),
        )
        return
    finally:
        connection.close()
    if "tornado" in server.lower():
        yield Finding("ok", "luigid", _("answers at {host}:{port}").format(host=host, port=port))
    else:
        yield Finding(
            "skipped",
            "luigid",
            _("something else answers at {host}:{port}").format(host=host, port=port),
        )

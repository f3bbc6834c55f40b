"""The whole examination, in the order in which an operator would set things right."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from pipeline.doctor import folder, olap, oltp, outputs, scheduler, settings_file, zones
from pipeline.doctor.findings import Finding, attempt, refused
from pipeline.doctor.sides import examine_side
from pipeline.errors import PipelineError, SettingsError
from pipeline.olap.presence import exchanged
from pipeline.settings import Settings, load_settings
from pipeline.translation import mark as N_
from pipeline.translation import translated as _

_CORRECT_SETTING = N_("correct it in the environment or in .env (see .env.example)")


def examine() -> Iterator[Finding]:
    """Every finding; nothing is changed, and no failure stops what does not need what failed."""
    try:
        settings = load_settings()
    except SettingsError as failure:
        yield refused(_("settings"), failure, _(_CORRECT_SETTING))
        yield Finding(
            "skipped",
            _("otherwise"),
            _("not examined without settings: state folder, OLTP, OLAP, report, notices, metrics"),
        )
    else:
        yield Finding(
            "ok",
            _("settings"),
            _("read; days and months are cut in {timezone}").format(timezone=settings.timezone),
        )
        yield from attempt(_("state folder"), partial(folder.writable, settings.state_dir))
        yield from attempt(_("state disk"), partial(folder.free_space, settings.state_dir))
        yield from _exchanged(settings)
        yield from examine_side(settings.oltp, settings, oltp.CHECKS)
        yield from examine_side(settings.olap, settings, olap.CHECKS)
        yield from attempt(_("time zone"), partial(zones.agreement, settings))
        for what, check in outputs.CHECKS:
            yield from attempt(_(what), partial(check, settings))
    yield from attempt(".env", settings_file.private)
    yield from attempt(_(".env and environment"), settings_file.overridden)
    yield from attempt("luigi.cfg", scheduler.configuration)
    yield from attempt("luigid", scheduler.luigid)


def _exchanged(settings: Settings) -> Iterator[Finding]:
    """Whether each side's settings lead to the other: else both would complain of much else."""
    try:
        found = exchanged(settings.oltp, settings.olap)
    except PipelineError:
        # Each side is examined on its own.
        return
    if found:
        yield Finding(
            "error",
            _("OLTP and OLAP"),
            _("{oltp} holds an OLAP, and {olap} none").format(
                oltp=settings.oltp, olap=settings.olap
            ),
            _("OLTP_DB_… and OLAP_DB_… are exchanged: OLTP is the shop's own database"),
        )

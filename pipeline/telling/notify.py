"""Tells people of a run: channels through Apprise, and the heartbeat. What tells never raises."""

from __future__ import annotations

import logging
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from typing import Any, Literal
from urllib.parse import urlsplit

from pipeline.base.logs import log
from pipeline.errors import PipelineError, missing_extra
from pipeline.translation import translated as _

# Those of Apprise.
Kind = Literal["info", "success", "warning", "failure"]
TIMEOUT = 10.0  # seconds, for all channels together, and for the heartbeat


def send(
    urls: Sequence[str], title: str, body: str, timeout: float = TIMEOUT, *, kind: Kind = "info"
) -> bool:
    """Send to every channel at once; returns whether one of them at least took it.

    Its `kind` is what a channel colours it by.

    A channel that is broken, or has not answered after `timeout` seconds, is logged
    by its position and scheme: the rest of its URL is secret.
    """
    if not urls:
        return False
    try:
        apprise = _load_apprise()
    except PipelineError as missing:
        log.warning(_("nobody is told: %s"), missing)
        return False

    def through(url: str) -> Callable[[], str | None]:
        def action() -> str | None:
            channel = apprise.Apprise()
            if not channel.add(url):
                return _("Apprise does not understand its URL")
            sent = channel.notify(
                title=title,
                body=body,
                notify_type=apprise.NotifyType(kind),
                body_format=apprise.NotifyFormat.TEXT,
            )
            return None if sent else _("it did not take the message")

        return action

    failures = _all_within(timeout, [through(url) for url in urls])
    for number, (url, failure) in enumerate(zip(urls, failures, strict=True), 1):
        if failure:
            log.warning(_("notice not sent to %s: %s"), _position(number, url), failure)
    return not all(failures)


def not_understood(urls: Sequence[str]) -> list[str]:
    """The channels whose URL Apprise does not understand, named as send() does; nothing is sent.

    Raises PipelineError, which names what to install, without the extra `notify`.
    """
    apprise = _load_apprise()
    return [
        _position(number, url)
        for number, url in enumerate(urls, 1)
        if not apprise.Apprise().add(url)
    ]


def _position(number: int, url: str) -> str:
    return _("channel {number} ({scheme}://…)").format(
        number=number, scheme=url.partition("://")[0]
    )


def _load_apprise() -> Any:
    """Apprise with its own log silenced, which may hold what is secret."""
    try:
        import apprise
    except ImportError as error:
        raise missing_extra("ETL_NOTIFY_URLS", "notify", error) from error
    quiet = logging.getLogger("apprise")
    quiet.propagate = False
    if not quiet.handlers:
        quiet.addHandler(logging.NullHandler())
    return apprise


def beat(url: str, timeout: float = TIMEOUT) -> bool:
    """Ask for `url`, whose path is secret; returns whether it answered in `timeout` seconds."""

    def action() -> str | None:
        try:
            with urllib.request.urlopen(url, timeout=timeout):
                return None
        except urllib.error.HTTPError as error:
            return _("it answers {code}").format(code=error.code)
        except urllib.error.URLError as error:
            return str(error.reason)
        except TimeoutError:
            # Connected, but silent: this one is not wrapped.
            return _("timed out")

    (failure,) = _all_within(timeout, [action])
    if failure:
        address = urlsplit(url)
        log.warning(_("heartbeat to %s://%s failed: %s"), address.scheme, address.hostname, failure)
    return failure is None


def _all_within(timeout: float, actions: Sequence[Callable[[], str | None]]) -> list[str | None]:
    """Run the actions beside each other; each returns why it failed, or None.

    In threads that nobody waits for, since a name that does not resolve or a server
    that answers drop by drop outlasts the timeouts of sockets.
    """
    silent = _("no answer in {seconds:g} s").format(seconds=timeout)
    outcomes: list[str | None] = [silent] * len(actions)

    def run(number: int) -> None:
        try:
            outcomes[number] = actions[number]()
        except Exception as error:
            # Its text may hold the URL.
            outcomes[number] = type(error).__name__

    threads = [
        threading.Thread(target=run, args=(number,), daemon=True) for number in range(len(actions))
    ]
    deadline = time.monotonic() + timeout
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(max(0.0, deadline - time.monotonic()))
    return list(outcomes)

"""The dashboards as somebody sees them: in the system's Chromium, without a window."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pipeline.superset.account import Account

LAPTOP = 1366  # pixels
# Superset draws only the charts that are in sight, so all of a dashboard must be.
_HEIGHT = 3200
_PATIENCE = 90_000  # milliseconds
_DRAWN = """() => {
    const cells = document.querySelectorAll('.dashboard-component-chart-holder');
    const drawn = document.querySelectorAll(
        '.dashboard-component-chart-holder :is(canvas, table, .header-line, .ant-empty)');
    return cells.length && drawn.length >= cells.length
        && !document.querySelector('.loading, [data-test=loading-indicator]');
}"""
_BOTTOM = """() => Math.max(...[...document.querySelectorAll('.dashboard-component-chart-holder')]
    .map(cell => cell.getBoundingClientRect().bottom))"""


class Viewer:
    """A page that is logged in; `refused` are the answers of 400 and more since then."""

    def __init__(self, page: Any, account: Account) -> None:
        self._page, self._url = page, account.url
        self.refused: list[str] = []
        page.goto(f"{self._url}/login/")
        page.fill("#username", account.user)
        page.fill("#password", account.password)
        page.click("button[type=submit]")
        page.wait_for_url(lambda url: "login" not in url)
        page.on(
            "response",
            lambda answer: (
                answer.status >= 400 and self.refused.append(f"{answer.status} {answer.url}")
            ),
        )

    def show(self, slug: str, picture: Path) -> int:
        """Open a dashboard and take its picture; returns how many charts it drew.

        Raises AssertionError when something is refused, an alert is shown, or the dashboard is
        wider than a laptop's screen.
        """
        page = self._page
        page.set_viewport_size({"width": LAPTOP, "height": _HEIGHT})
        page.goto(f"{self._url}/superset/dashboard/{slug}/")
        page.wait_for_function(_DRAWN, timeout=_PATIENCE)
        assert not self.refused, self.refused
        alerts = page.locator("[role=alert], .ant-alert-error").all_inner_texts()
        assert not alerts, alerts
        assert page.evaluate("document.documentElement.scrollWidth") <= LAPTOP
        count: int = page.locator(".dashboard-component-chart-holder").count()
        bottom = int(page.evaluate(_BOTTOM)) + 20
        # What is drawn moves into its place.
        page.wait_for_timeout(1500)
        clip = {"x": 0, "y": 0, "width": LAPTOP, "height": min(bottom, _HEIGHT)}
        page.screenshot(path=str(picture), clip=clip)
        return count


@contextmanager
def viewer(account: Account) -> Iterator[Viewer]:
    """A browser for some dashboards."""
    from playwright.sync_api import sync_playwright

    program = shutil.which("chromium") or shutil.which("chromium-browser")
    assert program, "there is no Chromium here"
    with sync_playwright() as playwright:
        # As root, as CI is, Chromium runs without its sandbox only; it sees our own pages alone.
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        try:
            yield Viewer(browser.new_page(locale="es-PE"), account)
        finally:
            browser.close()

"""The dashboards as somebody sees them: in the system's Chromium, without a window."""

from __future__ import annotations

import shutil
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

from pipeline.superset.account import Account

LAPTOP = 1366  # pixels
# Superset draws only the charts that are in sight, so all of a dashboard must be.
_HEIGHT = 3200
_PATIENCE = 90_000  # milliseconds
_GLANCE = 2_000  # between two looks at whether it can still come out well
_DRAWN = """() => {
    const cells = document.querySelectorAll('.dashboard-component-chart-holder');
    const drawn = document.querySelectorAll(
        '.dashboard-component-chart-holder :is(canvas, table, .header-line, .ant-empty)');
    return cells.length && drawn.length >= cells.length
        && !document.querySelector('.loading, [data-test=loading-indicator]');
}"""
_BOTTOM = """() => Math.max(...[...document.querySelectorAll('.dashboard-component-chart-holder')]
    .map(cell => cell.getBoundingClientRect().bottom))"""


class Answer(NamedTuple):
    """What a chart of an open dashboard was answered: its labels and rows as the page has them.

    Where it pages, `count` is how many rows it is told of, and the rows are the first page's.
    """

    names: list[str]
    data: list[dict[str, Any]]
    count: int | None

    def rows(self) -> list[list[Any]]:
        """A list a row; what was spread over a column for each branch is gathered again."""
        if self.data and not set(self.names) <= self.data[0].keys():
            axis = self.names[0]
            return [
                [row[axis], series, value]
                for row in self.data
                for series, value in row.items()
                if series != axis and value is not None
            ]
        return [[row[name] for name in self.names] for row in self.data]


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
        page.on("response", self._hear)

    def _hear(self, answer: Any) -> None:
        # A page offers Superset the colours that it chose, whoever looks at it; who may not edit
        # is refused, and is shown nothing of it.
        offered = "/colors?mark_updated=false" in answer.url and answer.status == 403
        if answer.status >= 400 and not offered:
            self.refused.append(f"{answer.status} {answer.url}")

    def show(self, slug: str, picture: Path) -> int:
        """Open a dashboard and take its picture; returns how many charts it drew.

        Raises AssertionError when something is refused, an alert is shown, or the dashboard is
        wider than a laptop's screen.
        """
        page = self._page
        page.set_viewport_size({"width": LAPTOP, "height": _HEIGHT})
        page.goto(f"{self._url}/superset/dashboard/{slug}/")
        self._wait_until_drawn()
        assert page.evaluate("document.documentElement.scrollWidth") <= LAPTOP
        count: int = page.locator(".dashboard-component-chart-holder").count()
        bottom = int(page.evaluate(_BOTTOM)) + 20
        # What is drawn moves into its place.
        page.wait_for_timeout(1500)
        clip = {"x": 0, "y": 0, "width": LAPTOP, "height": min(bottom, _HEIGHT)}
        page.screenshot(path=str(picture), clip=clip)
        return count

    @property
    def edits(self) -> bool:
        """Whether the dashboard that is open offers to be edited."""
        return bool(self._page.locator("[data-test=edit-dashboard-button]").count())

    def choose(self, name: str, value: str) -> None:
        """Choose a value in a filter of the bar."""
        self._filter(name).click()
        self._pick(value)
        self._page.keyboard.press("Escape")

    def choose_dates(self, name: str, since: date, until: date) -> None:
        """Type two dates into a filter of the bar; the second is not within."""
        page = self._page
        self._filter(name).click()
        page.locator(".ant-popover .ant-select").first.click()
        self._pick("Avanzado")
        for number, day in enumerate((since, until)):
            page.locator(".ant-popover input.ant-input").nth(number).fill(day.isoformat())
        page.click("[data-test=date-filter-control__apply-button]")

    def apply(self, charts: Collection[int]) -> dict[int, Answer]:
        """Apply the bar; returns what is answered to each chart until all of `charts` have been."""
        heard: dict[int, Any] = {}

        def all_answered(answer: Any) -> bool:
            if "/api/v1/chart/data" in answer.url:
                heard[answer.request.post_data_json["form_data"]["slice_id"]] = answer
            return heard.keys() >= set(charts)

        with self._page.expect_response(all_answered, timeout=_PATIENCE):
            self._page.click("[data-test=filter-bar__apply-button]")
        self._wait_until_drawn()
        return {chart: _read(answer) for chart, answer in heard.items()}

    def go_down(self, title: str, value: str, column: str) -> Answer:
        """Right click on a value of that table, and go down from it by a column.

        Once that has opened a window, the table is the one in it.
        """
        from playwright.sync_api import TimeoutError as StillDrawing

        page = self._page
        window = page.locator("[role=dialog]")
        table = window if window.count() else page.locator(f"[data-test-chart-name='{title}']")
        table.locator("td").get_by_text(value, exact=True).click(button="right")
        menu = page.get_by_text("Desglosar por", exact=True).last
        offered = page.locator(".ant-popover-inner-content:visible").get_by_text(column, exact=True)
        for _ in range(_PATIENCE // _GLANCE):
            menu.hover()
            with suppress(StillDrawing):
                offered.wait_for(timeout=_GLANCE)
                break
            # What came up under a mouse that rests is not entered.
            page.mouse.move(0, 0)
        with page.expect_response("**/api/v1/chart/data*", timeout=_PATIENCE) as heard:
            offered.click()
        window.locator("th").get_by_text(column, exact=True).wait_for(timeout=_PATIENCE)
        assert not self.refused, self.refused
        return _read(heard.value)

    def _wait_until_drawn(self) -> None:
        """Raises AssertionError as soon as something is refused or an alert is shown."""
        from playwright.sync_api import TimeoutError as StillDrawing

        drawn = None
        for _ in range(_PATIENCE // _GLANCE):
            with suppress(StillDrawing):
                drawn = self._page.wait_for_function(_DRAWN, timeout=_GLANCE)
            assert not self.refused, self.refused
            alerts = self._page.locator("[role=alert], .ant-alert-error").all_inner_texts()
            assert not alerts, alerts
            if drawn:
                return
        raise AssertionError(f"not every chart is drawn: {self._page.url}")

    def _filter(self, name: str) -> Any:
        label = self._page.locator("label", has_text=name)
        item = self._page.locator("[data-test=filter-bar] .ant-form-item", has=label)
        return item.locator(".ant-form-item-control").first

    def _pick(self, title: str) -> None:
        self._page.locator(f'.ant-select-item-option[title="{title}"]').click()


def _read(answer: Any) -> Answer:
    query, *_ = answer.request.post_data_json["queries"]
    columns = [c if isinstance(c, str) else c["label"] for c in query["columns"]]
    result, *counted = answer.json()["result"]
    count = counted[0]["data"][0]["rowcount"] if counted else None
    return Answer([*columns, *(query.get("metrics") or ())], result["data"], count)


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

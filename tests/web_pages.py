"""Somebody who fills in the forms of a system's web pages: no more of a browser than they need."""

from __future__ import annotations

import urllib.error
import urllib.request
from base64 import b64encode
from collections.abc import Callable
from html.parser import HTMLParser
from http.cookiejar import CookieJar
from urllib.parse import urlencode

# What a form sends when a button is pressed, by the names of its fields.
Fields = dict[str, str]


class Page(HTMLParser):
    """A page that came: `forms` with the values that stand in them, `text` what is read.

    `options` are what each select offers.
    """

    def __init__(self, html: str) -> None:
        super().__init__()
        self.html = html
        self.forms: list[Fields] = []
        self.options: dict[str, list[str]] = {}
        self.text: list[str] = []
        self._select: str | None = None
        self._chosen = False
        self._typed: str | None = None
        self._option: str | None = None
        self.feed(html)

    def form(self, having: str) -> Fields:
        """The form that has a field of that name; an AssertionError with the text if none has."""
        for fields in self.forms:
            if having in fields:
                return dict(fields)
        raise AssertionError(f"no form with {having}: {' | '.join(self.text)[:1500]}")

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Take the values of fields as they come."""
        found = dict(attrs)
        name, value = found.get("name"), found.get("value")
        if tag == "form":
            self.forms.append({})
        if not self.forms:
            return
        fields = self.forms[-1]
        if tag == "input" and name:
            kind = (found.get("type") or "text").lower()
            if kind in ("checkbox", "radio"):
                if "checked" in found:
                    fields[name] = value or "on"
            elif kind not in ("submit", "button", "image", "reset"):
                fields[name] = value or ""
        elif tag == "select" and name:
            self._select, self._chosen = name, False
            fields.setdefault(name, "")
            self.options[name] = []
        elif tag == "option" and self._select:
            self.options[self._select].append(value or "")
            if "selected" in found or not self._chosen:
                self._chosen = True
                if value is None:
                    self._option = self._select
                else:
                    fields[self._select] = value
        elif tag == "textarea" and name:
            self._typed = name
            fields[name] = ""

    def handle_endtag(self, tag: str) -> None:
        """A field ends."""
        if tag == "select":
            self._select = None
        elif tag == "textarea":
            self._typed = None

    def handle_data(self, data: str) -> None:
        """Text of the page, or of a field."""
        if self._typed:
            self.forms[-1][self._typed] += data
        elif self._option:
            self.forms[-1][self._option] = data.strip()
            self._option = None
        elif data.strip():
            self.text.append(data.strip())


def browser(place: str, user: str, password: str) -> Callable[..., Page]:
    """A function that gets a page of `place`, or sends it fields, as that user, with its cookies.

    It raises AssertionError with what the page says when the server refuses.
    """
    opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()))
    who = b64encode(f"{user}:{password}".encode()).decode()

    def get(page: str, fields: Fields | None = None) -> Page:
        body = None if fields is None else urlencode(fields).encode()
        headers = {"Authorization": f"Basic {who}", "X-Requested-With": "XMLHttpRequest"}
        request = urllib.request.Request(place + page, body, headers)
        try:
            with opener.open(request, timeout=300) as answer:
                return Page(answer.read().decode())
        except urllib.error.HTTPError as error:
            said = " | ".join(Page(error.read().decode()).text)
            raise AssertionError(f"{page}: {error.code}: {said[:1500]}") from error

    return get

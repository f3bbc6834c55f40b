"""A SQL-Ledger and the pages that a clerk of its uses: documents are posted, and posted again."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from shop_server import PASSWORD, REPOSITORY, ShopServer
from web_pages import Fields, Page

ROOT = REPOSITORY / "build" / "sql-ledger" / "root"
PERL = "lib/x86_64-linux-gnu"
SECRET = "secreta"  # a session's cookie is made of its letters, of which a space would be lost

# (part's number, quantity, price of one)
Line = tuple[str, Any, Any]


class Pages:
    """SQL-Ledger's pages, each made by a CGI program of its own, for whoever has these cookies.

    `place` is where it keeps its users and templates.
    """

    def __init__(self, place: Path) -> None:
        for folder in ("users", "spool", "templates"):
            (place / folder).mkdir(parents=True)
        (place / "users" / "members").touch()
        home = ROOT / "usr"
        self._home = home / "share" / "sql-ledger"
        self._cookies: dict[str, str] = {}
        self._environment = {
            "PATH": os.environ["PATH"],
            "SQL_LEDGER_PLACE": str(place),
            "PERL5LIB": f"{home}/share/perl5:{home}/{PERL}/perl5/5.36",
            "LD_LIBRARY_PATH": f"{home}/{PERL}",
            "REQUEST_METHOD": "POST",
            "CONTENT_TYPE": "application/x-www-form-urlencoded",
            "HTTP_USER_AGENT": "Mozilla",
        }

    def get(self, page: str, fields: Fields) -> Page:
        """Send it fields; AssertionError with what the page says where it is an error."""
        body = urlencode(fields)
        cookies = "; ".join(f"{name}={value}" for name, value in self._cookies.items())
        done = subprocess.run(
            ["perl", self._home / page],
            input=body,
            env=self._environment | {"CONTENT_LENGTH": str(len(body)), "HTTP_COOKIE": cookies},
            cwd=self._home,
            capture_output=True,
            text=True,
            check=True,
        )
        for name, value in re.findall(r"^Set-Cookie: ([^=]+)=([^;]+);", done.stdout, re.MULTILINE):
            self._cookies[name] = value
        answer = Page(done.stdout)
        assert "Error!" not in answer.text and "Session expired!" not in answer.text, (
            f"{page}: {done.stderr} {' | '.join(answer.text)[-1500:]}"
        )
        return answer


class Clerk:
    """Somebody at the pages of a dataset, which is made first."""

    def __init__(self, server: ShopServer, database: str, place: Path) -> None:
        self._pages = Pages(place)
        self._who = {"path": "bin/mozilla", "login": f"admin@{database}"}
        fields = {
            "path": "bin/mozilla", "dbdriver": "Pg", "dbdefault": "template1",
            "dbhost": server.server.host, "dbport": str(server.server.port),
            "dbuser": server.server.superuser, "dbpasswd": PASSWORD,
        }  # fmt: skip
        form = self._pages.get("admin.pl", fields | {"action": "create_dataset"}).form("chart")
        form |= {"db": database, "company": "Shop", "adminpassword": SECRET, "chart": "Default"}
        self._press("admin.pl", form | {"encoding": "UTF8"}, "Continue")
        # The first time it only makes the dataset one of today's version.
        for _ in range(2):
            self._pages.get("login.pl", self._who | {"action": "login", "password": SECRET})

    def add_party(self, kind: str, name: str, **fields: str) -> None:
        """A `customer` or `vendor`."""
        form = self._open("ct.pl", action="add", db=kind).form("name")
        self._press("ct.pl", form | {"name": name} | fields, "save")

    def add_part(self, kind: str, number: str, name: str, parts: Sequence[Line] = ()) -> None:
        """A part, service, assembly or kit (of `parts`)."""
        form = self._open("ic.pl", action="add", item=kind).form("partnumber")
        form |= {"partnumber": number, "description": name, "unit": "u"}
        for n, (part, _quantity, _price) in enumerate(parts, 1):
            form = self._press("ic.pl", form | {f"partnumber_{n}": part}, "update").form("item")
        for n, (_part, quantity, _price) in enumerate(parts, 1):
            form[f"qty_{n}"] = str(quantity)
        self._press("ic.pl", form, "save")

    def change_part(self, number: int, **fields: str) -> None:
        """Type other things into the fields of a part."""
        form = self._open("ic.pl", action="edit", id=str(number)).form("partnumber")
        self._press("ic.pl", form | fields, "save")

    def delete_part(self, number: int) -> None:
        """A part that no document names can be deleted."""
        form = self._open("ic.pl", action="edit", id=str(number)).form("partnumber")
        self._press("ic.pl", form, "delete")

    def post(self, page: str, kind: str, party: str, day: date, number: str,
             lines: Sequence[Line], **fields: str) -> None:  # fmt: skip
        """An invoice of that number, which counts at once.

        `page` is `is` of sales or `ir` of purchases, `kind` the type that its menu has; `fields`
        are other fields of the form, such as currency and exchangerate, or discount_2.
        """
        who = {"is": "customer", "ir": "vendor"}[page]
        opened = self._open(f"{page}.pl", action="add", type=kind)
        (party,) = [known for known in opened.options[who] if known.startswith(f"{party}--")]
        form = opened.form("transdate") | {who: party, "transdate": f"{day:%m-%d-%Y}"}
        form = self._press(f"{page}.pl", form | {"invnumber": number}, "update").form("transdate")
        form = self._fill(page, form, lines)
        self._press(f"{page}.pl", form | fields, "post")

    def post_again(self, page: str, document: int, lines: Sequence[Line]) -> None:
        """Open a posted invoice, type other lines over it, and post it once more."""
        form = self._open(f"{page}.pl", action="edit", id=str(document)).form("transdate")
        for n in range(1, int(form["rowcount"]) + 1):
            form |= {f"qty_{n}": "0"}
        form = self._press(f"{page}.pl", form, "update").form("transdate")
        form = self._fill(page, form, lines)
        warning = self._press(f"{page}.pl", form, "post")
        self._press(f"{page}.pl", warning.form("nextsub"), "Continue")

    def _fill(self, page: str, form: Fields, lines: Sequence[Line]) -> Fields:
        places = []
        for part, quantity, _price in lines:
            places.append(int(form["rowcount"]))  # the empty line at the end
            form |= {f"partnumber_{places[-1]}": part, f"qty_{places[-1]}": str(quantity)}
            form = self._press(f"{page}.pl", form, "update").form("transdate")
        for n, (_part, quantity, price) in zip(places, lines, strict=True):
            form |= {f"qty_{n}": str(quantity), f"sellprice_{n}": str(price)}
        return form

    def delete(self, page: str, document: int) -> None:
        """Delete a posted invoice."""
        form = self._open(f"{page}.pl", action="edit", id=str(document)).form("transdate")
        asked = self._press(f"{page}.pl", form, "Delete")
        self._press(f"{page}.pl", asked.form("transdate"), "Yes")

    def type_stock(self, part: str, onhand: int) -> None:
        """Somebody counts, and types what is there over what should be."""
        listed = self._list("list_inventory", part)
        self._press("ic.pl", listed | {"onhand_1": str(onhand)}, "continue")

    def put_together(self, part: str, quantity: int) -> None:
        """So many assemblies are put together."""
        self._press("ic.pl", self._list("list_assemblies", part) | {"qty_1": str(quantity)},
                    "continue")  # fmt: skip

    def _list(self, what: str, part: str) -> Fields:
        fields = {"nextsub": what, "partnumber": part, "sort": "partnumber"}
        return self._open("ic.pl", action="continue", **fields).form("rowcount")

    def _open(self, page: str, **fields: str) -> Page:
        return self._pages.get(page, self._who | fields)

    def _press(self, page: str, form: Fields, button: str) -> Page:
        return self._pages.get(page, form | {"action": button})

"""A LedgerSMB and the pages that a clerk of its uses: documents are typed, posted and approved."""

from __future__ import annotations

import os
import pwd
import socket
import subprocess
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from shop_server import PASSWORD, REPOSITORY, ShopServer
from web_pages import Fields, Page, browser

from demo import account

ROOT = REPOSITORY / "build" / "ledgersmb" / "root"
PERL = "lib/x86_64-linux-gnu"
CONFIGURATION = """[main]
auth = DB
cssdir = css/
date_format = yyyy-mm-dd
cookie_name = LedgerSMB
[paths]
templates = templates
localepath = locale/po
[database]
host = {host}
port = {port}
default_db = {database}
db_namespace = public
[log4perl_config_modules_loglevel]
LedgerSMB = ERROR
"""
CLERK = "clerk"
UNITED_STATES = "232"

# (part's number, quantity, price of one)
Line = tuple[str, Any, Any]


@contextmanager
def running_pages(server: ShopServer, database: str, folder: Path) -> Iterator[str]:
    """LedgerSMB's own web server, as its Debian package starts it; where its pages are."""
    port = _free_port()
    place = account.own_folder(folder / "ledgersmb")
    settings = place / "ledgersmb.conf"
    settings.write_text(
        CONFIGURATION.format(host=server.server.host, port=server.server.port, database=database)
    )
    settings.chmod(0o644)
    place.chmod(0o755)
    home = ROOT / "usr"
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(place),
        "TMPDIR": str(place),
        "LSMB_CONFIG_FILE": str(settings),
        "PERL5LIB": f"{home}/share/perl5:{home}/{PERL}/perl5/5.36",
        "LD_LIBRARY_PATH": f"{home}/{PERL}",
    }
    command = ["perl", home / "bin" / "starman", "-MTemplate", "--workers", "1"]
    command += ["--listen", f"127.0.0.1:{port}", "-I", "lib", "-I", "old/lib", "-I", "."]
    process = subprocess.Popen(
        [*command, "bin/ledgersmb-server.psgi"],
        cwd=home / "share" / "ledgersmb",
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        **_not_root(),
    )
    said: list[str] = []
    ready = threading.Event()
    threading.Thread(target=_follow, args=(process, said, ready), daemon=True).start()
    try:
        assert ready.wait(60), "".join(said)
        while not _answers(port):
            assert process.poll() is None, "".join(said)
        yield f"http://127.0.0.1:{port}/"
    finally:
        process.terminate()
        process.wait()


def _follow(process: subprocess.Popen[str], said: list[str], ready: threading.Event) -> None:
    """Read what it prints to its end; it binds its port last."""
    assert process.stdout
    for line in process.stdout:
        said.append(line)
        if line.startswith("Binding"):
            ready.set()
    ready.set()


def _not_root() -> dict[str, Any]:
    """LedgerSMB refuses to run as root."""
    if os.geteuid():
        return {}
    nobody = pwd.getpwnam("nobody")
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}


def _answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=10).close()
    except OSError:
        return False
    return True


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def create_company(place: str, superuser: str, database: str) -> None:
    """A company with a general chart of accounts, and a clerk who may do everything."""
    get = browser(place, superuser, PASSWORD)
    said = {"database": database}
    get("setup.pl", said | {"action": "create_db"})
    chart = {"action": "select_coa", "coa_lc": "us", "chart": "General.sql"}
    get("setup.pl", said | chart)
    page = get("setup.pl", said | {"action": "load_templates", "template_dir": "demo"})
    page = get(
        "setup.pl",
        page.form("employeenumber")
        | {"action": "save_user", "username": CLERK, "password": PASSWORD, "first_name": "Ana"}
        | {"last_name": "Paz", "employeenumber": "1", "ssn": "1", "dob": "1990-01-01"}
        | {"perms": "1", "country_id": UNITED_STATES},
    )
    assert "LedgerSMB may now be used" in page.html, page.text


class Clerk:
    """Somebody at LedgerSMB's pages."""

    def __init__(self, place: str, database: str) -> None:
        self._get = browser(place, CLERK, PASSWORD)
        self._get(f"login.pl?action=authenticate&company={database}")

    def add_party(self, kind: int, name: str, **account: str) -> None:
        """A vendor (1) or customer (2) with an account of that name."""
        form = self._get(f"contact.pl?action=add&entity_class={kind}").form("legal_name")
        form |= {"control_code": name, "account_class": str(kind), "legal_name": name}
        page = self._press("contact.pl", form | {"country_id": UNITED_STATES}, "save_company")
        form = page.form("ar_ap_account_id") | {"meta_number": name, "startdate": "2020-01-01"}
        self._press("contact.pl", form | account, "save_credit_new")

    def add_part(self, kind: str, number: str, name: str, parts: Sequence[Line] = ()) -> int:
        """A part, service or assembly (of `parts`); its id."""
        form = self._get(f"ic.pl?action=add&item={kind}").form("IC_income")
        form |= {"partnumber": number, "description": name, "unit": "u"}
        for n, (part, quantity, _price) in enumerate(parts, 1):
            form |= {f"partnumber_{n}": part, f"qty_{n}": str(quantity), "rowcount": str(n)}
            form = self._press("ic.pl", form, "update").form("IC_income")
        return int(self._press("ic.pl", form, "save").form("IC_income")["id"])

    def change_part(self, number: int, **fields: str) -> None:
        """Type other things into the fields of a part."""
        form = self._get(f"ic.pl?action=edit&id={number}").form("IC_income")
        self._press("ic.pl", form | fields, "save")

    def post(self, page: str, kind: str, party: str, day: str, lines: Sequence[Line],
             **fields: str) -> Fields:  # fmt: skip
        """An invoice is a draft once it is posted: the form that is shown then.

        `page` is `is` of sales or `ir` of purchases, `kind` the type that its menu has; `fields`
        are other fields of the form, such as currency and exchangerate, or discount_2.
        """
        who = {"is": "customer", "ir": "vendor"}[page]
        form = self._get(f"{page}.pl?action=add&type={kind}").form("transdate")
        form |= {who: party, "transdate": day, "crdate": day, "duedate": day}
        form["rowcount"] = str(len(lines))
        for n, (part, quantity, _price) in enumerate(lines, 1):
            form |= {f"partnumber_{n}": part, f"qty_{n}": str(quantity)}
            form |= {f"id_{n}": "", f"description_{n}": ""}
        form = self._press(f"{page}.pl", form, "update").form("transdate")
        for n, (_part, quantity, price) in enumerate(lines, 1):
            form |= {f"qty_{n}": str(quantity), f"sellprice_{n}": str(price)}
        return self._press(f"{page}.pl", form | fields, "post").form("transdate")

    def approve(self, page: str, form: Fields) -> Fields:
        """Somebody else's button: what was posted counts from now on."""
        return self._press(f"{page}.pl", form, "approve").form("transdate")

    def void(self, page: str, form: Fields) -> Fields:
        """A second document takes it back: the form of its draft."""
        return self._press(f"{page}.pl", form, "void").form("transdate")

    def count(self, day: str, counted: dict[str, Any]) -> None:
        """What was counted is typed; the page says what it expects; it is saved."""
        form = {"transdate": day, "source": "count", "action": "enter_adjust"}
        form = self._get("inventory.pl", form).form("rowcount")
        for n, (part, quantity) in enumerate(counted.items(), 1):
            form |= {f"id_{n}": "new", f"partnumber_{n}": part, f"counted_{n}": str(quantity)}
        form["rowcount"] = str(len(counted))
        form = self._press("inventory.pl", form, "adjustment_next").form("rowcount")
        self._press("inventory.pl", form | {"rowcount": str(len(counted))}, "adjustment_save")

    def approve_count(self, number: int) -> None:
        """The count of that number, from 1, moves stock from now on."""
        self._get("inv_reports.pl", {"action": "approve", "id": str(number)})

    def stock_kits(self, number: str, quantity: int) -> None:
        """So many kits are put together, today."""
        shown = {"action": "list_assemblies", "sort": "partnumber", "partnumber": number}
        form = self._get("ic.pl", shown).form("rowcount")
        self._press("ic.pl", form | {"qty_1": str(quantity)}, "continue")

    def _press(self, page: str, form: Fields, button: str) -> Page:
        return self._get(page, form | {"action": button})

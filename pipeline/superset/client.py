"""A session with Superset's REST API, by the standard library."""

from __future__ import annotations

import json
import secrets
import urllib.error
import urllib.request
from collections.abc import Mapping
from http.client import HTTPException, HTTPMessage
from http.cookiejar import CookieJar
from typing import IO, Any

from pipeline.errors import one_line
from pipeline.superset.account import Account, SupersetError
from pipeline.translation import translated as _

_LONGEST_ANSWER = 300


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A call without a token is sent to the login page, which answers 200: that is no success."""

    def redirect_request(
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: HTTPMessage,
        newurl: str,
    ) -> None:
        return None


class Session:
    """A login with its token and its CSRF token; opened by the constructor.

    Each call raises SupersetError in one line, without any password, when Superset
    cannot be reached within `timeout` seconds or does not answer with JSON and success.
    """

    def __init__(self, account: Account, timeout: float) -> None:
        self._account, self._timeout = account, timeout
        self._open = urllib.request.build_opener(
            _NoRedirect, urllib.request.HTTPCookieProcessor(CookieJar())
        ).open
        # Superset refuses a change whose Referer is another site.
        self._headers = {"Accept": "application/json", "Referer": f"{account.url}/"}
        credentials = {"username": account.user, "password": account.password, "provider": "db"}
        try:
            token = self.post("/api/v1/security/login", credentials)["access_token"]
            self._headers["Authorization"] = f"Bearer {token}"
            csrf = self.get("/api/v1/security/csrf_token/")["result"]
        except KeyError:
            raise SupersetError(
                _("{url} does not answer as Superset: correct it").format(url=account.url)
            ) from None
        self._headers["X-CSRFToken"] = csrf

    def get(self, path: str) -> dict[str, Any]:
        """The JSON at a path such as /api/v1/chart/1."""
        return self._call("GET", path)

    def post(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Send JSON, receive JSON."""
        return self._call("POST", path, json.dumps(body).encode(), "application/json")

    def put(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Change what is at a path."""
        return self._call("PUT", path, json.dumps(body).encode(), "application/json")

    def upload(
        self, path: str, fields: Mapping[str, str], name: str, content: bytes
    ) -> dict[str, Any]:
        """POST a form with one file, `name`, which is sent as bundle.zip."""
        boundary = secrets.token_hex(16)
        disposition = f"--{boundary}\r\nContent-Disposition: form-data; name="
        parts = [f'{disposition}"{key}"\r\n\r\n{value}\r\n' for key, value in fields.items()]
        parts.append(
            f'{disposition}"{name}"; filename="bundle.zip"\r\nContent-Type: application/zip\r\n\r\n'
        )
        body = "".join(parts).encode() + content + f"\r\n--{boundary}--\r\n".encode()
        return self._call("POST", path, body, f"multipart/form-data; boundary={boundary}")

    def _call(
        self, method: str, path: str, body: bytes | None = None, kind: str | None = None
    ) -> dict[str, Any]:
        headers = self._headers | ({"Content-Type": kind} if kind else {})
        where = _("Superset at {url}").format(url=self._account.url)
        request = urllib.request.Request(
            self._account.url + path, data=body, headers=headers, method=method
        )
        try:
            with self._open(request, timeout=self._timeout) as answer:
                found = json.loads(answer.read())
        except urllib.error.HTTPError as error:
            raise SupersetError(f"{where}: {self._refusal(error, method, path)}") from None
        except (OSError, HTTPException) as error:
            reason = getattr(error, "reason", None) or error or type(error).__name__
            raise SupersetError(
                _("{where} cannot be reached: {reason}; start it, or correct SUPERSET_URL").format(
                    where=where, reason=one_line(str(reason))
                )
            ) from None
        except ValueError:
            found = None
        if not isinstance(found, dict):
            raise SupersetError(
                _("{where} answers {path} without JSON: is this its address?").format(
                    where=where, path=path
                )
            )
        return found

    def _refusal(self, error: urllib.error.HTTPError, method: str, path: str) -> str:
        user = self._account.user
        if path.endswith("/security/login") and error.code == 401:
            return _(
                "it refuses the login of {user}; correct SUPERSET_USER or SUPERSET_PASSWORD"
            ).format(user=user)
        if error.code in (301, 302, 303, 307, 308):
            target = error.headers.get("Location", _("elsewhere")).partition("?")[0]
            return _("{method} {path} is redirected to {target}; correct SUPERSET_URL").format(
                method=method, path=path, target=target
            )
        try:
            said = _message(error.read())
        except (OSError, HTTPException):
            said = _("its answer broke off")
        if path.endswith("/security/login") and error.code == 404:
            return _("{method} {path} is not there ({said}); correct SUPERSET_URL").format(
                method=method, path=path, said=said
            )
        if error.code == 403:
            return _(
                "{user} may not {method} {path}: {said}; give that user the role Admin"
            ).format(user=user, method=method, path=path, said=said)
        return _("{method} {path} answers {code}: {said}").format(
            method=method, path=path, code=error.code, said=said
        )


def _message(body: bytes) -> str:
    """What an answer of failure says, in one line."""
    try:
        found = json.loads(body)
    except ValueError:
        return _("no JSON; is this the address of Superset?")
    texts = [found.get("message")] if isinstance(found, dict) else []
    if isinstance(found, dict):
        for error in (e for e in found.get("errors") or [] if isinstance(e, dict)):
            texts += [error.get("message"), _details(error.get("extra"))]
    said = "; ".join(t if isinstance(t, str) else json.dumps(t) for t in texts if t)
    return one_line(said or str(found))[:_LONGEST_ANSWER]


def _details(extra: Any) -> str:
    """Of a failed import, what each file lacks: the rest of `extra` are links to documentation."""
    if not isinstance(extra, dict):
        return ""
    named = {key: value for key, value in extra.items() if key.endswith(".yaml")}
    return json.dumps(named, ensure_ascii=False) if named else ""

"""The least of browsers: cookies, redirects, forms. A new one for each journey remembers nothing."""

from collections.abc import Mapping
from urllib.parse import urljoin, urlsplit

import httpx

from synthetic_citizen.forms import forms

LONGEST_WAY = 30


class Lost(Exception):
    """The way does not lead where it should; says where it ended."""


class Browser:
    """Walks pages.

    Args:
        inside: public origin → the address that leads there from here; the host's name stays the public one.
    """

    def __init__(self, http: httpx.Client, inside: Mapping[str, str]) -> None:
        self._http, self._inside = http, inside
        self._cookies: dict[str, dict[str, str]] = {}

    def walk(self, address: str, answers: Mapping[str, str], *, to: str) -> str:
        """From ``address`` over redirects and forms until the way leads to an address beginning with ``to``.

        Returns:
            that address, which is not opened.

        Raises:
            Lost: an error, or a page with nothing to answer.
        """
        page = self.send("GET", address)
        for _ in range(LONGEST_WAY):
            if page.has_redirect_location:
                address = urljoin(address, page.headers["Location"])
                if address.startswith(to):
                    return address
                page = self.send("GET", address)
                continue
            form = next((form for form in forms(page.text) if form.knows(answers)), None)
            if page.status_code != 200 or form is None:
                raise Lost(f"{page.status_code} at {_place(address)}")
            target = urljoin(address, form.action or address)
            page = self.send(form.method, target, form.filled(answers), origin=_origin(address))
            address = target
        raise Lost(f"no end, last at {_place(address)}")

    def send(
        self, method: str, address: str, form: Mapping[str, str] | None = None, *, origin: str = ""
    ) -> httpx.Response:
        """One request, as the page at ``origin`` would send it."""
        home = _origin(address)
        known = self._cookies.setdefault(home, {})
        headers = {"Host": urlsplit(address).netloc}
        if known:
            headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in known.items())
        if origin and method == "POST":
            headers["Origin"] = origin
        place = self._inside.get(home, home) + address.removeprefix(home)
        query, data = (form, None) if method == "GET" else (None, form)
        answer = self._http.request(method, place, headers=headers, params=query, data=data)
        for line in answer.headers.get_list("set-cookie"):
            name, _, value = line.partition(";")[0].partition("=")
            if value.strip('"') and "max-age=0" not in line.lower():
                known[name] = value
            else:
                known.pop(name, None)
        return answer


def _origin(address: str) -> str:
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc}"


def _place(address: str) -> str:
    """An address without its query, which may hold a code."""
    return address.partition("?")[0]

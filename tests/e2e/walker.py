"""The least of browsers: cookies, redirects, links and forms, over plain HTTP and nothing of ours."""

from collections.abc import Callable
from urllib.parse import urljoin

import httpx
from lxml import html

from tests.e2e.canaries import remember_answer


class Walker:
    """Walks pages by their forms. ``page`` is the last answer, ``address`` its address."""

    def __init__(self, follow_to: Callable[[str], bool] = lambda _: True) -> None:
        self.http = httpx.Client(timeout=60, event_hooks={"response": [remember_answer]})
        self._follow_to = follow_to
        self.address = ""
        self.page: httpx.Response

    def open(self, address: str) -> "Walker":
        """GET an address, relative to the present page."""
        return self._go("GET", urljoin(self.address, address))

    def form(self, to: str) -> dict[str, str]:
        """The fields, as they are, of the form that goes to the path ``to``."""
        return dict(next(form for form in self.document().forms if form.get("action") == to).form_values())

    def submit(
        self, button: tuple[str, str] | None = None, *, to: str | None = None, **values: str
    ) -> "Walker":
        """Submit the first form that goes ``to`` this path, has the button (name, value) and these fields."""
        for form in self.document().forms:
            if to is not None and form.get("action") != to:
                continue
            buttons = [
                (b.get("name"), b.get("value")) for b in form.xpath(".//button|.//input[@type='submit']")
            ]
            if button is not None and button not in buttons:
                continue
            if not set(values) <= {field.get("name") for field in form.xpath(".//*[@name]")}:
                continue
            fields = [(n, v) for n, v in form.form_values() if n not in values]
            fields += [*values.items(), *([button] if button else [])]
            target = urljoin(self.address, form.get("action") or self.address)
            method = (form.get("method") or "get").upper()
            return self._go(method, target, dict(fields))
        raise AssertionError(f"no form with {button} {values} on {self.address}:\n{self.page.text[:3000]}")

    def document(self) -> html.HtmlElement:
        """The parsed page."""
        return html.fromstring(self.page.text, base_url=self.address)

    def text(self) -> str:
        """What a reader reads, white space folded."""
        return " ".join(self.document().text_content().split())

    def _go(self, method: str, address: str, fields: dict[str, str] | None = None) -> "Walker":
        for _ in range(20):
            headers = {"Referer": self.address} if self.address else {}
            if method == "POST":
                origin = httpx.URL(self.address)
                headers["Origin"] = f"{origin.scheme}://{origin.netloc.decode()}"
            query = fields if method == "GET" else None
            data = fields if method == "POST" else None
            self.page = self.http.request(method, address, headers=headers, params=query, data=data)
            self.address = str(self.page.url)
            for cookie in self.http.cookies.jar:
                cookie.secure = False  # browsers trust loopback addresses and send Secure cookies there
            if not self.page.is_redirect:
                return self
            address, method, fields = urljoin(self.address, self.page.headers["Location"]), "GET", None
            if not self._follow_to(address):
                self.address = address
                return self
        raise AssertionError(f"more than twenty redirects, the last to {address}")

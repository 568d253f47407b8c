"""A browser for many journeys: cookies, redirects and forms over one connection that is kept."""

from urllib.parse import urlencode, urlsplit

from lxml import html

from benchmarks.lean import Answer, Lean

FORM = "application/x-www-form-urlencoded"


class Browser:
    """Signed in by its cookies.

    Raises:
        RuntimeError: an answer that is no page.
    """

    def __init__(self, origin: str, cookies: dict[str, str]) -> None:
        self.client = Lean(origin)
        self._origin = origin
        self._cookies = cookies
        self._page = b""

    def get(self, path: str) -> Answer:
        """A page, wherever it leads to."""
        return self._follow(self._ask("GET", path))

    def post(self, path: str, fields: dict[str, str]) -> Answer:
        """A form, and the page it leads to."""
        return self._follow(self._ask("POST", path, urlencode(fields).encode()))

    def fields(self, action: str) -> dict[str, str]:
        """What the present page's form of that action holds."""
        for form in html.fromstring(self._page).forms:
            if form.get("action") == action:
                return {name: value for name, value in form.form_values() if value is not None}
        raise RuntimeError(f"no form for {action}")

    def _follow(self, answer: Answer) -> Answer:
        while answer.status == 303:
            target = urlsplit(answer.header("location"))
            answer = self._ask("GET", f"{target.path}?{target.query}" if target.query else target.path)
        if answer.status != 200:
            raise RuntimeError(f"{answer.status} {answer.body[:300]!r}")
        self._page = answer.body
        return answer

    def _ask(self, method: str, path: str, body: bytes = b"") -> Answer:
        headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in self._cookies.items())}
        if method == "POST":
            headers |= {"Content-Type": FORM, "Origin": self._origin}
        answer = self.client.ask(method, path, headers, body)
        for key, value in answer.headers:
            if key == "set-cookie":
                name, _, rest = value.partition("=")
                self._cookies[name] = rest.partition(";")[0]
        return answer

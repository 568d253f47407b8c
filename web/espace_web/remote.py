"""Calls to the services with the citizen's own token.

Every call carries the request id and the page's language. A POST carries an ``Idempotency-Key`` and is
therefore repeated when the connection breaks, and while the service says that the same request is still
being worked on: a double click ends on the answer of the first.
"""

import time
from typing import IO, Any

import httpx

from espace.telemetry import cause_headers, get_logger, tracing

log = get_logger()

CONNECT_PAUSES = (0.05, 0.1, 0.2, 0.4, 0.8)
IN_PROGRESS_SECONDS = 20.0
TIMEOUT = httpx.Timeout(15.0, connect=2.0, pool=5.0)
STORE_TIMEOUT = httpx.Timeout(60.0, connect=3.0)


class ServiceDown(Exception):
    """A service did not answer, or answered with a fault of its own."""

    def __init__(self, service: str) -> None:
        super().__init__(service)
        self.service = service


class Refused(Exception):
    """A service refused: its problem+json."""

    def __init__(self, service: str, status: int, problem: dict[str, Any]) -> None:
        super().__init__(f"{service}: {status} {problem.get('code')}")
        self.service = service
        self.status = status
        self.problem = problem
        self.code = str(problem.get("code", ""))
        self.detail = str(problem.get("detail", ""))
        self.errors: dict[str, list[str]] = problem.get("errors") or {}
        self.violations: list[dict[str, str]] = problem.get("violations") or []


class Remote:
    """The services behind web, by short name."""

    def __init__(self, urls: dict[str, str], http: httpx.Client) -> None:
        self._urls = urls
        self._http = http

    def fetch(self, service: str, path: str) -> Any:
        """A public JSON document of a service, such as its OpenAPI description.

        Raises:
            ServiceDown: it cannot be had.
        """
        try:
            answer = self._http.get(self._urls[service] + path, headers=cause_headers())
            answer.raise_for_status()
            return answer.json()
        except (httpx.HTTPError, ValueError) as error:
            raise ServiceDown(service) from error

    def post_file(self, url: str, fields: dict[str, str], stream: IO[bytes], kind: str) -> httpx.Response:
        """Post a signed form to the object store, the file last and read as it goes.

        Raises:
            ServiceDown: the store does not answer.
        """
        try:
            return self._http.post(
                url, data=fields, files={"file": ("file", stream, kind)}, timeout=STORE_TIMEOUT
            )
        except httpx.HTTPError as error:
            raise ServiceDown("objects") from error

    def call(
        self,
        service: str,
        method: str,
        path: str,
        *,
        token: str | None,
        language: str,
        params: dict[str, Any] | None = None,
        json: Any = None,
        key: str | None = None,
        version: int | None = None,
    ) -> httpx.Response:
        """One call below ``/api/<service>/v1``; its answer of 2xx.

        Raises:
            ServiceDown: no answer, or 5xx.
            Refused: any other answer than 2xx.
        """
        headers = {"Accept": "application/json, */*;q=0.5", "Accept-Language": language}
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        if key is not None:
            headers["Idempotency-Key"] = key
        if version is not None:
            headers["If-Match"] = f'"{version}"'
        request = self._http.build_request(
            method, f"{self._urls[service]}/api/{service}/v1{path}", params=params, json=json, headers=headers
        )
        give_up = time.monotonic() + IN_PROGRESS_SECONDS
        pause = 0.1
        while True:
            answer = self._send(service, request, repeatable=method == "GET" or key is not None)
            problem = _problem(answer)
            if problem.get("code") != "request_in_progress" or time.monotonic() > give_up:
                break
            time.sleep(pause)
            pause = min(pause * 1.5, 1.0)
        if answer.status_code >= 500:
            log.warning("call.failed", audience=service, status=answer.status_code)
            raise ServiceDown(service)
        if answer.status_code >= 300:
            raise Refused(service, answer.status_code, problem)
        return answer

    def _send(self, service: str, request: httpx.Request, *, repeatable: bool) -> httpx.Response:
        for pause in (*CONNECT_PAUSES, None):
            with tracing.calling(request.method, self._urls[service], service) as span:
                request.headers.update(cause_headers())
                try:
                    answer = self._http.send(request)
                except httpx.TransportError as error:
                    span.fail(type(error).__name__)
                    refused = isinstance(error, httpx.ConnectError)
                    again = refused or (repeatable and not isinstance(error, httpx.TimeoutException))
                    if pause is None or not again:
                        log.warning("call.failed", audience=service, reason=type(error).__name__)
                        raise ServiceDown(service) from error
                else:
                    span.answered(answer.status_code, fails_from=400)
                    return answer
            time.sleep(pause)
        raise AssertionError("the last try returns or raises")


def _problem(answer: httpx.Response) -> dict[str, Any]:
    if answer.status_code < 400 or "json" not in answer.headers.get("Content-Type", ""):
        return {}
    try:
        found = answer.json()
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}

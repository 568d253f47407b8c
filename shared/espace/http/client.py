"""Calls from one service to another, with a token, the request's id and time-outs. No Flask here."""

import time
from typing import Any

import httpx

from espace import telemetry
from espace.auth import tls
from espace.auth.service_tokens import ServiceTokens
from espace.config import ServiceSettings, SettingsError
from espace.errors import TransientError
from espace.http.problems import Problem
from espace.telemetry import metrics, tracing

log = telemetry.get_logger()
TRANSIENT_STATUSES = frozenset({408, 425, 429})


class ServiceClient:
    """Another service's API. Safe to share between threads.

    Args:
        audience: short name of the service that is called.
        base_url: its inside address, without trailing slash.
        settings: our own; ``client_id`` and ``client_secret`` say who we are.
    """

    def __init__(
        self,
        *,
        audience: str,
        base_url: str,
        settings: ServiceSettings,
        tokens: ServiceTokens | None = None,
        timeout_seconds: float = 10.0,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        if not settings.client_id:
            raise SettingsError(f"{type(settings).__module__}: Settings.client_id has to name the program")
        self.audience = audience
        self._base_url = base_url
        self._tokens = tokens or ServiceTokens(
            settings.identity_url, settings.client_id, settings.client_secret
        )
        self._http = httpx.Client(
            base_url=base_url,
            timeout=httpx.Timeout(timeout_seconds, connect=2.0),
            transport=transport,
            trust_env=False,
            verify=tls.context(base_url),
        )

    def get(self, path: str, *, bearer: str | None = None, **options: Any) -> Any:
        """GET; see :meth:`request`."""
        return self.request("GET", path, bearer=bearer, **options)

    def post(self, path: str, *, bearer: str | None = None, **options: Any) -> Any:
        """POST; see :meth:`request`. Give ``headers={"Idempotency-Key": …}`` where it is asked for."""
        return self.request("POST", path, bearer=bearer, **options)

    def request(self, method: str, path: str, *, bearer: str | None = None, **options: Any) -> Any:
        """Send, and return the JSON of a successful answer (None for an empty one).

        Args:
            bearer: a citizen's token to use instead of our own.

        Raises:
            TransientError: it may work later: no answer, 408, 425, 429, 5xx, or our token was refused.
            Problem: any other error, with the status and code of the other service.
        """
        response = self._send(method, path, bearer, options)
        if response.status_code == 401 and bearer is None:
            self._tokens.forget(self.audience)
            response = self._send(method, path, bearer, options)
            if response.status_code == 401:
                raise self._transient(401, "our token was refused")
        if response.status_code >= 500 or response.status_code in TRANSIENT_STATUSES:
            raise self._transient(response.status_code, response.reason_phrase)
        if response.status_code >= 300:
            raise Problem.from_dict(response.status_code, _object(response))
        return response.json() if response.content else None

    def _send(self, method: str, path: str, bearer: str | None, options: dict[str, Any]) -> httpx.Response:
        authorization = f"Bearer {bearer or self._tokens.get(self.audience)}"
        started = time.perf_counter()
        outcome = "none"
        with tracing.calling(method, self._base_url, self.audience) as span:
            headers = {
                **options.get("headers", {}),
                **telemetry.cause_headers(),
                "Authorization": authorization,
            }
            try:
                response = self._http.request(method, path, **{**options, "headers": headers})
                outcome = f"{response.status_code // 100}xx"
                span.answered(response.status_code, fails_from=400)
            except httpx.TransportError as error:
                span.fail(type(error).__name__)
                raise self._transient(None, type(error).__name__) from error
            finally:
                seconds = time.perf_counter() - started
                metrics.HTTP_CLIENT_DURATION.labels(self.audience, outcome).observe(seconds)
        return response

    def _transient(self, status: int | None, reason: str) -> TransientError:
        log.warning("call.failed", audience=self.audience, status=status, reason=reason)
        return TransientError(f"{self.audience}: {status or ''} {reason}")


def _object(response: httpx.Response) -> dict[str, Any]:
    try:
        content = response.json()
    except ValueError:
        return {}
    return content if isinstance(content, dict) else {}

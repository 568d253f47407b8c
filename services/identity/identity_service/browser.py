"""Cookies, addresses, forms and pages: what every page of identity needs."""

from collections.abc import Mapping
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from authlib.common.urls import add_params_to_uri
from flask import Response, make_response, redirect, render_template, request

from espace.config import SettingsError
from espace.http import Problem, errors
from espace.i18n import format_instant
from identity_service import limits, secret
from identity_service.context import Context
from identity_service.language import page_language, texts

PROBLEMS = frozenset({"form_token_invalid", "too_many_requests", "temporarily_unavailable", "internal_error"})
SAFE_SITES = (None, "same-origin", "same-site", "none")


def page(
    context: Context, name: str, status: int = 200, *, asked: Mapping[str, str] | None = None, **values: Any
) -> Response:
    """A page in the language, and with the content security policy, of what a client asked (by default now).

    Its forms may lead to the source, and back to the client of a login.
    """
    lang = page_language(request.values if asked is None else asked)
    client = context.clients.find(asked["client_id"]) if asked else None
    common = {
        "home": context.settings.public_url,
        "lang": lang,
        "legal_time": _legal_time(context, lang),
        "_": partial(texts().gettext, lang),
    }
    response = make_response(render_template(name, **common, **values), status)
    source = urlsplit(context.settings.upstream_issuer)
    origins = {f"{source.scheme}://{source.netloc}", *(client.origins if client else ())}
    response.headers["Content-Security-Policy"] = (
        "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; object-src 'none'; "
        f"frame-ancestors 'none'; form-action 'self' {' '.join(sorted(origins))}"
    )
    response.headers["Cross-Origin-Opener-Policy"] = "same-origin"
    return response


def message(
    context: Context,
    title: str,
    text: str,
    status: int,
    *,
    retry: str = "",
    asked: Mapping[str, str] | None = None,
) -> Response:
    """A page that says what happened and what to do next; ``title`` and ``text`` name texts."""
    return page(context, "message.html", status, asked=asked, title=title, text=text, retry=retry)


def trouble(context: Context, error: Exception) -> Response:
    """What a person is told about ``error``; what only a program meets stays a problem object."""
    problem = errors.to_problem(error)
    if problem.code not in PROBLEMS:
        return errors.answer(problem)
    title = f"problem.{problem.code}"
    response = message(context, title, f"{title}.text", problem.status)
    response.headers.update(problem.headers)
    return response


def to_client(context: Context, asked: dict[str, str], error: str) -> Response:
    """Back to the client with an error; its address was checked when the request came in."""
    answer = {"error": error, "iss": context.settings.issuer}
    if asked.get("state"):
        answer["state"] = asked["state"]
    return redirect(add_params_to_uri(asked["redirect_uri"], answer), 303)  # type: ignore[return-value]


def set_cookie(response: Response, name: str, value: str, seconds: int | None = None) -> None:
    """A cookie of this host alone, not readable by scripts."""
    response.set_cookie(name, value, max_age=seconds, secure=True, httponly=True, samesite="Lax", path="/")


def drop_cookie(response: Response, name: str) -> None:
    """Forget a cookie."""
    response.delete_cookie(name, secure=True, httponly=True, samesite="Lax", path="/")


def address() -> str:
    """The caller's address as the gateway saw it, which drops what the header said outside."""
    forwarded = request.headers.get("X-Forwarded-For", "").rpartition(",")[2].strip()
    return forwarded or request.remote_addr or ""


def check_form(context: Context, cookie: str | None, purpose: str) -> None:
    """Refuse a form that is not from one of our pages, or one too many.

    Raises:
        Problem: 400 `form_token_invalid` or 429.
    """
    limits.spend(context.database, "form", address(), context.settings.forms_per_minute)
    holds = secret.form_token_holds(cookie or "", purpose, request.form.get("csrf", ""))
    origin = request.headers.get("Origin")
    ours = urlsplit(context.settings.public_url)
    foreign = origin not in (None, "null", f"{ours.scheme}://{ours.netloc}")
    if not holds or foreign or request.headers.get("Sec-Fetch-Site") not in SAFE_SITES:
        raise Problem(
            400, "form_token_invalid", "This form is not valid any more. Go back and load the page again."
        )


def _legal_time(context: Context, lang: str) -> str | None:
    """The legal instant in words when it is not the real one, for the banner on every page."""
    try:
        clock = context.clock
        return None if clock.state().is_real else format_instant(clock.approximate_now(), lang)
    except SettingsError:
        return None

"""The way of a citizen through identity: authorize, choose a means, come back, log out."""

from functools import partial
from typing import Any
from uuid import UUID

from authlib.oauth2 import OAuth2Error
from authlib.oauth2.rfc6749 import OAuth2Request
from authlib.oauth2.rfc6749.requests import BasicOAuth2Payload
from flask import Response, g, redirect, request

from espace.auth import SYNTHETIC_CLIENT
from espace.clock import utcnow
from espace.http import Blueprint, transaction
from espace.telemetry import get_logger
from espace.telemetry.metrics import LOGINS
from identity_service import accounts, browser, families, logins, secret, sessions
from identity_service.context import Context
from identity_service.means import requested_level, requested_means
from identity_service.sessions import Login
from identity_service.tables import LoginRow, SessionRow
from identity_service.upstream import Identified, LevelTooLow, UpstreamAway, UpstreamRefused

KEPT = (
    *("response_type", "client_id", "redirect_uri", "scope", "state", "nonce"),
    *("code_challenge", "code_challenge_method", "acr_values", "max_age", "ui_locales"),
)
log = get_logger()


def create(context: Context) -> Blueprint:
    """The blueprint."""
    pages = Blueprint(
        "pages",
        __name__,
        service="identity",
        auth="public",
        documented=False,
        url_prefix="/identity",
        template_folder="templates",
        static_folder="static",
        static_url_path="/static",
    )
    provider, issuer = context.provider, context.settings.issuer

    pages.register_error_handler(Exception, partial(browser.trouble, context))

    @pages.route("/authorize", methods=["GET", "POST"])
    def authorize() -> Any:
        with transaction() as unit:
            session = sessions.find(unit.session, request.cookies.get(sessions.COOKIE))
            enough = session is not None and _is_enough(session)
            subject = families.subject_of_session(session) if session and enough else None
            try:
                grant = provider.get_consent_grant(end_user=subject)
            except (OAuth2Error, ValueError) as error:
                return refuse(error)
            if session is not None and subject is not None and grant.prompt in (None, "consent"):
                session.seen_at = utcnow()
                g.identity_session = session
                return provider.create_authorization_response(grant=grant, grant_user=subject)
            cookie = request.cookies.get(logins.COOKIE) or secret.fresh()
            asked = {name: request.values[name] for name in KEPT if name in request.values}
            level = requested_level(asked.get("acr_values", ""))
            login = logins.begin(unit.session, cookie, asked, level)
        response = redirect(f"{issuer}/login?t={login.id}", 303)
        browser.set_cookie(response, logins.COOKIE, cookie, int(logins.LIFETIME.total_seconds()))  # type: ignore[arg-type]
        return response

    @pages.get("/login")
    def login_page() -> Any:
        with transaction() as unit:
            row = logins.find(unit.session, request.cookies.get(logins.COOKIE), _uuid(request.args.get("t")))
        return expired() if row is None else choice(row)

    @pages.post("/login")
    def choose() -> Any:
        cookie, login_id = request.cookies.get(logins.COOKIE), _uuid(request.form.get("t"))
        browser.check_form(context, cookie, f"login {login_id}")
        with transaction() as unit:
            row = logins.find(unit.session, cookie, login_id)
            if row is None:
                return expired()
            if request.form.get("means") == "cancel":
                logins.finish(unit.session, row.id)
                count(row, row.means, row.level, "cancelled")
                return browser.to_client(context, row.request, "access_denied")
            means = context.means.get(request.form.get("means", ""))
            fits = means is not None and means.ceiling >= row.level
            trip = logins.send_upstream(row, means.id) if means and fits else {}
        if means is None or not fits:
            return choice(row, error="login.choose_one", status=422)
        level = max(means.floor, row.level)
        try:
            address = context.upstream.authorize_url(means.id, level, **trip)
        except (UpstreamAway, UpstreamRefused) as error:
            failed(row, means.id, level, "source_away", str(error))
            return choice(row, error="login.unavailable", status=503)
        log.info("login.started", means=means.id)
        return redirect(address, 303)

    @pages.get("/callback")
    def callback() -> Any:
        answer = request.args.to_dict()
        cookie = request.cookies.get(logins.COOKIE)
        with transaction() as unit:
            found = logins.come_back(unit.session, cookie, answer.get("state", ""))
        if found is None:
            failed(None, None, 0, "state_unknown")
            return expired()
        row, trip = found
        means = context.means[row.means or ""]
        try:
            if "error" in answer:
                context.upstream.check_issuer(answer)
                return not_logged_in(row, answer["error"])
            level = max(means.floor, row.level)
            who = context.upstream.finish(answer, level=level, sent_at=row.sent_at or row.created_at, **trip)
            return logged_in(row, who)
        except LevelTooLow:
            return not_logged_in(row, "level_too_low")
        except UpstreamAway as error:
            return not_logged_in(row, "source_away", str(error))
        except UpstreamRefused as error:
            return not_logged_in(row, "source_refused", str(error))
        except accounts.NumberConflict:
            return not_logged_in(row, "number_conflict")
        except accounts.AccountDisabled:
            return not_logged_in(row, "account_disabled")

    def logged_in(row: LoginRow, who: Identified) -> Response:
        number = who.arrival.national_number
        record = context.register.look_up(number) if number else None
        with transaction() as unit:
            citizen = accounts.arrive(unit.session, context.vault, who.arrival, record)
            if not logins.finish(unit.session, row.id):
                failed(row, row.means, row.level, "finished_elsewhere")
                return expired()
            before = sessions.find(unit.session, request.cookies.get(sessions.COOKIE))
            login = Login(citizen.id, row.means or "", who.level, who.amr, who.auth_time)
            session, cookie = sessions.start(unit.session, context.clients, before, login)
            g.identity_session = session
            asked = OAuth2Request("GET", f"{issuer}/authorize")
            asked.payload = BasicOAuth2Payload(row.request)
            grant = provider.get_authorization_grant(asked)
            subject = families.subject_of_session(session)
            response: Response = provider.create_authorization_response(asked, subject, grant)
        count(row, row.means, who.level, "succeeded")
        log.info("login.succeeded", citizen_id=str(citizen.id), means=row.means, level=who.level)
        browser.set_cookie(response, sessions.COOKIE, cookie)
        return response

    def not_logged_in(row: LoginRow, error: str, reason: str = "") -> Response:
        outcome = error if error in FAILURES else "source_refused"
        failed(row, row.means, row.level, outcome, reason or error[:60])
        title, status = f"failure.{outcome}", FAILURES[outcome]
        retry = f"{issuer}/login?t={row.id}"
        return browser.message(context, title, f"{title}.text", status, retry=retry, asked=row.request)

    @pages.route("/logout", methods=["GET", "POST"])
    def logout() -> Any:
        cookie = request.cookies.get(sessions.COOKIE)
        with transaction():
            try:
                wish = provider.validate_endpoint_request("end_session")
            except (OAuth2Error, ValueError):
                return browser.message(context, "request.invalid", "request.again", 400)
            if wish.needs_confirmation and cookie:
                if request.method == "GET" or "csrf" not in request.form:
                    csrf = secret.form_token(cookie, "logout")
                    return browser.page(context, "logout.html", csrf=csrf)
                browser.check_form(context, cookie, "logout")
            answer = provider.create_endpoint_response("end_session", wish)
        response: Response = answer or browser.message(context, "logout.done", "logout.done.text", 200)
        browser.drop_cookie(response, sessions.COOKIE)
        return response

    def refuse(error: Exception) -> Response:
        """To the client when its address is known to be its own, otherwise a page that leads nowhere else."""
        target = getattr(error, "redirect_uri", None)
        if not target:
            return browser.message(context, "request.invalid", "request.again", 400)
        asked = {"redirect_uri": target, "state": request.values.get("state", "")}
        return browser.to_client(context, asked, getattr(error, "error", None) or "invalid_request")

    def choice(row: LoginRow, error: str = "", status: int = 200) -> Response:
        working = context.upstream.availability.working(context.means)
        offered = [
            (means, means.id in working, means.ceiling >= row.level) for means in context.means.values()
        ]
        csrf = secret.form_token(request.cookies.get(logins.COOKIE, ""), f"login {row.id}")
        hint = requested_means(row.request.get("acr_values", ""))
        values = {"offered": offered, "csrf": csrf, "login_id": row.id, "error": error, "hint": hint}
        return browser.page(context, "login.html", status, asked=row.request, **values)

    def expired() -> Response:
        return browser.message(context, "login.expired", "request.again", 400)

    def failed(row: LoginRow | None, means: str | None, level: int, outcome: str, reason: str = "") -> None:
        count(row, means, level, outcome)
        log.warning("login.failed", means=means or "unknown", reason=reason or outcome)

    def count(row: LoginRow | None, means: str | None, level: int, outcome: str) -> None:
        """One login more: by the level that was reached, or that was asked for."""
        if row is None or row.request.get("client_id") != SYNTHETIC_CLIENT:
            LOGINS.labels(means or "unknown", str(level), outcome).inc()

    return pages


FAILURES = {
    "access_denied": 200,
    "temporarily_unavailable": 200,
    "source_away": 503,
    "level_too_low": 403,
    "source_refused": 400,
    "number_conflict": 409,
    "account_disabled": 403,
}


def _is_enough(session: SessionRow) -> bool:
    """Whether a session satisfies the level and the age that the client asks for."""
    max_age = request.values.get("max_age", "")
    if max_age:
        longest = int(max_age[:9]) if max_age.isascii() and max_age.isdigit() else 0
        age = (utcnow() - session.auth_time).total_seconds()
        if longest == 0 or age >= longest:
            return False
    return session.level >= requested_level(request.values.get("acr_values", ""))


def _uuid(text: str | None) -> UUID | None:
    try:
        return UUID(text) if text else None
    except ValueError:
        return None

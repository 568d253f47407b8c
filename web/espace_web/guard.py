"""What happens before every view: the session, the language, who may pass, and where forms come from."""

from typing import Any

from flask import Flask, abort, current_app, g, redirect, request
from werkzeug.wrappers import Response

from espace.i18n import LANGUAGES, REFERENCE, preferred_language
from espace.telemetry import set_cause, tracing
from espace_web import csrf
from espace_web.context import LANGUAGE_COOKIE, SESSION_COOKIE, house, page, set_cookie, way_back
from espace_web.journey import next_step
from espace_web.kept import keep

PAGE_BYTES = 1024 * 1024
UPLOAD_BYTES = 21 * 1024 * 1024


def install(app: Flask) -> None:
    """Put the guard before every view of ``app``."""

    @app.before_request
    def before() -> Response | None:
        g.request_id = set_cause(request.headers.get("X-Request-Id"), request.headers.get("traceparent"))
        g.session = None
        view = current_app.view_functions.get(request.endpoint or "")
        g.language = _visitor_language()
        if request.endpoint == "static" or _marked(view, "technical"):
            return None
        route = request.url_rule.rule if request.url_rule else None
        g.span = tracing.serving(request.method, route).activate()
        token = request.cookies.get(SESSION_COOKIE)
        if token:
            g.session = house().store.find(token)
            if g.session is not None:
                g.language = g.session.data.get("language") or g.language
        request.max_content_length = UPLOAD_BYTES if _marked(view, "takes_file") else PAGE_BYTES
        request.max_form_memory_size = PAGE_BYTES
        if request.method in csrf.UNSAFE and not _marked(view, "csrf_exempt"):
            refused = _check_form(view, token)
            if refused is not None:
                return refused
        if view is None or _marked(view, "is_public"):
            return None
        if g.session is None:
            return _sign_in_first(view, token)
        if not _marked(view, "before_space"):
            step = next_step(g.session)
            if step is not None:
                _remember_destination()
                return redirect(step, 303)
        return None

    @app.teardown_request
    def close_files(_error: BaseException | None) -> None:
        request.close()

    @app.after_request
    def after(response: Response) -> Response:
        visit = g.get("new_visit")
        if visit:
            set_cookie(response, csrf.VISIT_COOKIE, visit)
        return response


def form_token() -> str:
    """The token for the forms of the page being rendered; gives a visitor a visit to bind it to."""
    if g.get("session") is not None:
        return csrf.token_for(house().vault, g.session.token)
    visit = g.get("new_visit") or request.cookies.get(csrf.VISIT_COOKIE)
    if not visit:
        visit = g.new_visit = csrf.new_visit()
    return csrf.token_for(house().vault, visit)


def _check_form(view: Any, token: str | None) -> Response | None:
    if not csrf.same_origin(request, house().settings.public_url):
        abort(400)
    holders = [token] if g.session is not None and token else []
    if g.session is None:
        holders = [value for value in (token, request.cookies.get(csrf.VISIT_COOKIE)) if value]
    if csrf.token_holds(request, house().vault, holders):
        return None
    # A page left open in another session: refused, but what was typed is not lost.
    if g.session is not None and _marked(view, "keeps_form") and request.headers.get("Origin"):
        keep(g.session.citizen_id)
        return page("errors/reload.html", 400, retry=request.path, kept=True)
    return page("errors/reload.html", 400, retry=None, kept=False)


def _sign_in_first(view: Any, token: str | None) -> Response:
    kept = False
    if token and request.method == "POST" and _marked(view, "keeps_form"):
        citizen_id = house().store.whose(token)
        if citizen_id is not None:
            keep(citizen_id)
            kept = True
    if request.headers.get("Accept", "").startswith("application/json"):
        return Response('{"error": "session"}', 401, mimetype="application/json")
    return page("errors/signed_out.html", 401, target=way_back(), kept=kept, expired=bool(token))


def _remember_destination() -> None:
    if request.method == "GET":
        house().store.change(g.session, destination=request.full_path.rstrip("?"))


def _visitor_language() -> str:
    chosen = request.cookies.get(LANGUAGE_COOKIE)
    if chosen in LANGUAGES:
        return str(chosen)
    return preferred_language(request.headers.get("Accept-Language")) or REFERENCE


def _marked(view: Any, name: str) -> bool:
    return bool(getattr(view, name, False))

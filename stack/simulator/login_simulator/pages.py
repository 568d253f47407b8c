"""The pages of the means: choose, say who you are, type the code, confirm or cancel.

Each form posts to ``/authorize`` with the original query, so a page needs no session and no script.
"""

from collections.abc import Mapping
from typing import Any

from authlib.integrations.flask_oauth2 import AuthorizationServer
from authlib.oauth2.rfc6749 import AccessDeniedError, OAuth2Error
from flask import Blueprint, g, render_template, request

from login_simulator.challenges import Challenges
from login_simulator.citizens import Citizen, Population
from login_simulator.means import COUNTRIES, Means, Switches, requested_level, requested_means
from login_simulator.settings import Settings


class TemporarilyUnavailable(OAuth2Error):  # type: ignore[misc]
    """The means is out of order (RFC 6749, 4.1.2.1)."""

    error = "temporarily_unavailable"


def create(
    server: AuthorizationServer,
    settings: Settings,
    population: Population,
    catalogue: Mapping[str, Means],
    switches: Switches,
    challenges: Challenges,
) -> Blueprint:
    """The blueprint of the authorization endpoint and its pages."""
    pages = Blueprint("pages", __name__)

    @pages.route("/authorize", methods=["GET", "POST"])
    def authorize() -> Any:
        grant = server.get_consent_grant()
        acr_values = request.args.get("acr_values", "")
        if request.form.get("action") == "cancel":
            raise AccessDeniedError(redirect_uri=grant.redirect_uri, state=request.args.get("state"))
        means = catalogue.get(request.form.get("means") or requested_means(acr_values) or "")
        if means is None:
            return chooser(requested_level(acr_values))
        if switches.is_down(means.id):
            raise TemporarilyUnavailable(
                "This means is out of order.",
                redirect_uri=grant.redirect_uri,
                state=request.args.get("state"),
            )
        if request.method == "GET" or ("username" not in request.form and "challenge" not in request.form):
            return page(means)
        citizen, answer = identify(means)
        if citizen is None:
            return answer
        g.means = means
        return server.create_authorization_response(grant=grant, grant_user=citizen)

    def identify(means: Means) -> tuple[Citizen | None, Any]:
        """The citizen who has shown herself, or the page to show next."""
        if "challenge" in request.form:
            name = request.form["challenge"]
            username = challenges.answer(name, means.id, request.form.get("code", ""))
            citizen = population.named(username) if username else None
            if citizen:
                return citizen, None
            waiting = challenges.shown(name)
            if waiting is None:
                return None, page(means, error="Ce code n’est plus valable. Recommencez.", status=422)
            return None, code_page(means, name, waiting.code, error="Ce code n’est pas le bon.", status=422)
        citizen = population.named(request.form.get("username", "").strip())
        if citizen is None or means.id not in citizen.means:
            return None, page(means, error="Choisissez un citoyen qui dispose de ce moyen.", status=422)
        if means.kind == "country" and request.form.get("country") != citizen.country:
            return None, page(means, error="Ce pays ne connaît pas cette personne.", status=422)
        if means.kind == "code":
            name, code = challenges.open(citizen.username, means.id)
            return None, code_page(means, name, code)
        return citizen, None

    def chooser(level: int) -> Any:
        offered = [means for means in catalogue.values() if means.level >= level]
        return render_template("choose.html", action=here(), offered=offered, switches=switches)

    def page(means: Means, error: str = "", status: int = 200) -> Any:
        chosen = {"username": request.form.get("username", ""), "country": request.form.get("country", "")}
        listed = population.holders(means.id)
        body = render_template(
            "means.html",
            action=here(),
            means=means,
            citizens=listed,
            countries=COUNTRIES,
            chosen=chosen,
            error=error,
        )
        return body, status

    def code_page(means: Means, name: str, code: str, error: str = "", status: int = 200) -> Any:
        body = render_template(
            "code.html", action=here(), means=means, challenge=name, code=code, error=error
        )
        return body, status

    def here() -> str:
        return f"{settings.public_url}/authorize?{request.query_string.decode('ascii', 'replace')}"

    return pages

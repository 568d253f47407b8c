"""The simulator's web application: the provider's routes, the pages, the register, the switches."""

import secrets
from typing import Any
from urllib.parse import urlsplit

from authlib.common.urls import add_params_to_uri
from authlib.oauth2 import OAuth2Error
from flask import Flask, Response, abort, jsonify, redirect, render_template, request

from login_simulator import citizens, means, pages, provider
from login_simulator.challenges import Challenges
from login_simulator.settings import Settings, load


def create_app(settings: Settings | None = None) -> Flask:
    """Build the simulator; without settings they are read from the environment."""
    settings = settings or load()
    app = Flask(__name__)
    population = citizens.load(settings.plain_citizens)
    catalogue = means.catalogue(settings.email_code_level)
    switches = means.Switches()
    server = provider.create_provider(app, settings)
    app.register_blueprint(pages.create(server, settings, population, catalogue, switches, Challenges()))

    @app.get("/.well-known/openid-configuration")
    def configuration() -> Response:
        return jsonify(provider.discovery(settings))

    @app.get("/jwks.json")
    def jwks() -> Response:
        return jsonify(app.extensions["simulator.jwks"])

    @app.post("/token")
    def token() -> Any:
        return server.create_token_response()

    @app.route("/userinfo", methods=["GET", "POST"])
    def userinfo() -> Any:
        return server.create_endpoint_response("userinfo")

    @app.route("/logout", methods=["GET", "POST"])
    def logout() -> Any:
        answer = server.create_endpoint_response("end_session")
        return answer or render_template("message.html", title="Vous êtes déconnecté", text="")

    @app.get("/status")
    def status() -> Response:
        state = {
            name: {"available": not switches.is_down(name), "reason": switches.reason(name)}
            for name in catalogue
        }
        return jsonify({"means": state})

    @app.post("/switches")
    def switch() -> Any:
        wish = request.get_json(silent=True)
        if not isinstance(wish, dict) or not isinstance(wish.get("down"), bool):
            return jsonify(
                {"error": 'expected {"means": "<id>" or "all", "down": true|false, "reason": ""}'}
            ), 422
        names = list(catalogue) if wish.get("means") == "all" else [str(wish.get("means"))]
        if any(name not in catalogue for name in names):
            return jsonify({"error": f"means is one of {', '.join(catalogue)} or all"}), 422
        for name in names:
            switches.set(name, down=wish["down"], reason=str(wish.get("reason", "")))
        return status()

    @app.post("/register/look-up")
    def register() -> Any:
        given = request.headers.get("Authorization", "")
        if not secrets.compare_digest(given.encode(), f"Bearer {settings.register_secret}".encode()):
            abort(401)
        wish = request.get_json(silent=True)
        number = wish.get("national_number") if isinstance(wish, dict) else None
        citizen = population.with_number(str(number))
        if citizen is None:
            return jsonify({"error": "unknown"}), 404
        return jsonify(
            {
                "given_name": citizen.given_name,
                "family_name": citizen.family_name,
                "birthdate": citizen.birthdate.isoformat(),
                "address": {
                    "street": citizen.address.street,
                    "number": citizen.address.number,
                    "postal_code": citizen.address.postal_code,
                    "locality": citizen.address.locality,
                    "country": "BE",
                },
                "commune_ins": citizen.address.commune_ins,
            }
        )

    @app.get("/citizens.json")
    def stories() -> Response:
        """For the table that the set-up prints, and for people who try the demonstration."""
        return jsonify(
            [
                {"username": c.username, "name": f"{c.given_name} {c.family_name}", "story": c.story}
                | {"means": sorted(c.means), "locality": c.address.locality}
                for c in population
            ]
        )

    @app.get("/livez")
    @app.get("/readyz")
    def alive() -> Response:
        return jsonify({"status": "ok"})

    @app.get("/")
    def home() -> Any:
        return render_template("home.html", citizens=list(population), catalogue=catalogue, switches=switches)

    @app.errorhandler(OAuth2Error)
    def refused(error: OAuth2Error) -> Any:
        if error.redirect_uri:
            error_uri = server.handle_error_response(None, error)
            return redirect(_with_issuer(error_uri.location, settings.public_url), 303)
        text = f"{error.error} : {error.description or ''}"
        return render_template("message.html", title="Cette demande n’est pas valable", text=text), 400

    origins = {_origin(address) for address in (*settings.redirect_uris, *settings.post_logout_redirect_uris)}
    policy = (
        "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; frame-ancestors 'none'; "
        f"form-action 'self' {' '.join(sorted(origins))}"
    )

    @app.after_request
    def headers(response: Response) -> Response:
        response.headers["Content-Security-Policy"] = policy
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Referrer-Policy"] = "no-referrer"
        response.headers.setdefault("Cache-Control", "no-store")
        return response

    return app


def _origin(address: str) -> str:
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc}"


def _with_issuer(address: str, issuer: str) -> str:
    return str(add_params_to_uri(address, {"iss": issuer}))

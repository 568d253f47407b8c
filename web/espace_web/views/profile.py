"""« Mon profil »: what identity knows, the private address, the language."""

from flask import Blueprint, redirect, request
from werkzeug.wrappers import Response

from espace_web import asides
from espace_web.context import _, api, current_session, form_key, house, page
from espace_web.kept import keep, keeps_form
from espace_web.remote import Refused

views = Blueprint("profile", __name__, url_prefix="/profil")


@views.get("")
def show() -> Response:
    """The profile."""
    return _render()


@views.post("")
@keeps_form
def change_email() -> Response:
    """Another private address: it counts once it is confirmed."""
    if asides.asked():
        keep(current_session().citizen_id)
        return asides.follow(request.path)
    email = request.form.get("courriel", "").strip()
    try:
        api("profile").put("/profile/email", {"email": email})
    except Refused as error:
        if error.status != 422:
            raise
        message = _("Indiquez une adresse courriel complète, par exemple prenom.nom@exemple.be.")
        return _render(422, email=email, message=message)
    house().store.drop_form(current_session().citizen_id, request.path)
    return redirect("/profil?envoye=1", 303)


@views.post("/renvoi")
def resend() -> Response:
    """Another message for an address that waits for its confirmation."""
    api("profile").post("/profile/email/resend", {}, key=form_key())
    return redirect("/profil?envoye=1", 303)


def _render(status: int = 200, *, email: str | None = None, message: str | None = None) -> Response:
    session = current_session()
    person = house().oidc.userinfo(house().tokens.access_token(session))
    profile = api("profile").get("/profile")
    kept = house().store.kept_form(session.citizen_id, request.path)
    if email is None:
        email = kept.get("courriel", [""])[0] if kept else profile.get("private_email") or ""
    return page(
        "profile.html",
        status,
        citizen=person,
        profile=profile,
        email=email,
        kept=bool(kept),
        sent=bool(request.args.get("envoye")),
        errors={"courriel": [message]} if message else None,
    )

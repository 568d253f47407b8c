"""The way in: news, choice of space, private profile, the message and its confirmation, the notice."""

import contextlib

from flask import Blueprint, g, redirect, request
from werkzeug.wrappers import Response

from espace.i18n import LANGUAGES
from espace_web import asides
from espace_web.context import (
    LANGUAGE_COOKIE,
    SESSION_COOKIE,
    Api,
    _,
    api,
    before_space,
    current_session,
    form_key,
    house,
    language,
    local_path,
    page,
    public,
    set_cookie,
)
from espace_web.id_tokens import IdentityAway
from espace_web.journey import DATA_PROTECTION_VERSION, NEWS_VERSION, next_step
from espace_web.kept import keep, keeps_form
from espace_web.remote import Refused, ServiceDown
from espace_web.sessions import Session

views = Blueprint("welcome", __name__)


@views.get("/suite")
@before_space
def go_on() -> Response:
    """To the next page of the way in, or to where the citizen wanted to go."""
    session = current_session()
    if "language" not in session.data:
        house().store.change(session, language=_first_language(session))
    step = next_step(session)
    if step is not None:
        return redirect(step, 303)
    destination = session.data.get("destination")
    if destination:
        house().store.change(session, destination="")
    return redirect(local_path(destination), 303)


@views.get("/nouveautes")
@before_space
def news() -> Response:
    """« Quoi de neuf dans Mon Espace ? »"""
    return page("welcome/news.html")


@views.post("/nouveautes")
@before_space
def news_read() -> Response:
    """« continuer », with or without « Ne plus afficher »."""
    if request.form.get("masquer"):
        api("profile").put("/profile/notices/news", {"version": NEWS_VERSION, "hidden": True})
    house().store.change(current_session(), news_seen=True)
    return redirect("/suite", 303)


@views.get("/espace")
@before_space
def spaces() -> Response:
    """Choose the space."""
    return page("welcome/spaces.html")


@views.post("/espace")
@before_space
def choose_space() -> Response:
    """The citizen space is chosen; the session gets a new id."""
    session = current_session()
    house().store.change(session, space_chosen=True)
    token = house().store.rotate(session)
    response = redirect("/suite", 303)
    set_cookie(response, SESSION_COOKIE, token)
    return response


@views.get("/espace/profil-prive")
@before_space
def private_profile() -> Response:
    """First visit: the private address, prefilled from the login."""
    profile = api("profile").get("/profile")
    if profile["space"] == "confirmed":
        return redirect("/suite", 303)
    kept = house().store.kept_form(current_session().citizen_id, request.path)
    email = profile.get("pending_email") or profile.get("private_email") or _source_email()
    if kept:
        email = kept.get("courriel", [email])[0]
    return page("welcome/private_profile.html", email=email, kept=bool(kept))


@views.post("/espace/profil-prive")
@before_space
@keeps_form
def save_private_profile() -> Response:
    """« Suivant »: the message is sent."""
    if asides.asked():
        keep(current_session().citizen_id)
        return asides.follow(request.path)
    email = request.form.get("courriel", "").strip()
    try:
        api("profile").put("/profile/language", {"language": language()})  # the message's
        api("profile").put("/profile/email", {"email": email})
    except Refused as error:
        if error.status != 422:
            raise
        message = _("Indiquez une adresse courriel complète, par exemple prenom.nom@exemple.be.")
        return page(
            "welcome/private_profile.html", 422, email=email, kept=False, errors={"courriel": [message]}
        )
    house().store.drop_form(current_session().citizen_id, request.path)
    return redirect("/espace/message-envoye", 303)


@views.get("/espace/message-envoye")
@before_space
def message_sent() -> Response:
    """The message is on its way."""
    profile = api("profile").get("/profile")
    if profile["space"] == "confirmed" and not profile.get("pending_email"):
        return redirect("/suite", 303)
    if not profile.get("pending_email") and profile["space"] == "none":
        return redirect("/espace/profil-prive", 303)
    return page("welcome/message_sent.html", profile=profile, resent=bool(request.args.get("renvoye")))


@views.post("/espace/message-envoye")
@before_space
def resend() -> Response:
    """Another message with a new link; the former stops working."""
    api("profile").post("/profile/email/resend", {}, key=form_key())
    return redirect("/espace/message-envoye?renvoye=1", 303)


@views.get("/confirmation/<token>")
@public
def confirmation(token: str) -> Response:
    """The mail's link: a page with a button. A robot that opens it confirms nothing."""
    return page("welcome/confirm.html", token=token)


@views.post("/confirmation/<token>")
@public
def confirm(token: str) -> Response:
    """The button: the address is confirmed and the space exists. A second time is harmless."""
    before = _space()
    try:
        Api("profile", anonymous=True).post("/email-confirmations", {"token": token}, key=form_key())
    except Refused as error:
        if error.status not in (400, 404, 410, 422):
            raise
        status = error.status if error.status in (404, 410) else 410
        return page("welcome/link_over.html", status, expired=error.code == "link_expired")
    return page("welcome/confirmed.html", created=before == "pending" and _space() == "confirmed")


@views.get("/protection-des-donnees")
@before_space
def data_protection() -> Response:
    """The data-protection notice."""
    return page("welcome/data_protection.html")


@views.post("/protection-des-donnees")
@before_space
def data_protection_read() -> Response:
    """« Continuer », with or without « Oui, j’ai pris connaissance… »."""
    if request.form.get("masquer"):
        version = {"version": DATA_PROTECTION_VERSION, "hidden": True}
        api("profile").put("/profile/notices/data_protection", version)
    house().store.change(current_session(), notice_seen=True)
    return redirect("/suite", 303)


def _first_language(session: Session) -> str:
    """Chosen in this browser, else in the profile, else (no space yet) what the login source says."""
    chosen = request.cookies.get(LANGUAGE_COOKIE)
    if chosen in LANGUAGES:
        return str(chosen)
    profile = api("profile").get("/profile")
    source = session.data["person"].get("language")
    return str(source if profile["space"] == "none" and source in LANGUAGES else profile["language"])


def _space() -> str | None:
    """How far the space of this browser's citizen is, if that can be said; the link may be someone else's."""
    if g.session is None:
        return None
    with contextlib.suppress(ServiceDown, Refused, IdentityAway):
        found: str = api("profile").get("/profile")["space"]
        return found
    return None


def _source_email() -> str:
    session = current_session()
    email: str = house().oidc.userinfo(house().tokens.access_token(session)).get("email") or ""
    return email

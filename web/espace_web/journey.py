"""The way in, as the guide tells it: news, choice of space, private profile, data-protection notice.

The session remembers what was done in this session, profile what the citizen does not want to see again.
"""

from typing import Any

from espace_web.context import api, house
from espace_web.sessions import Session

NEWS_VERSION = "2024-10"
COOKIES_VERSION = "1"
DATA_PROTECTION_VERSION = "1"


def next_step(session: Session) -> str | None:
    """The page still to be passed before the counter opens, or None."""
    done = session.data
    if done.get("ready"):
        return None
    profile = api("profile").get("/profile")
    if not done.get("news_seen") and not hidden(profile, "news", NEWS_VERSION):
        return "/nouveautes"
    if not done.get("space_chosen"):
        return "/espace"
    if profile["space"] == "none":
        return "/espace/profil-prive"
    if profile["space"] == "pending":
        return "/espace/message-envoye"
    if not done.get("notice_seen") and not hidden(profile, "data_protection", DATA_PROTECTION_VERSION):
        return "/protection-des-donnees"
    house().store.change(session, ready=True)
    return None


def hidden(profile: dict[str, Any], notice: str, version: str) -> bool:
    """Whether the citizen asked not to see this version of a notice again."""
    seen = (profile.get("notices") or {}).get(notice) or {}
    return bool(seen.get("hidden")) and str(seen.get("version")) == version

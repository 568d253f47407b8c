"""What web reads from the environment."""

from dataclasses import dataclass
from urllib.parse import urlsplit

from espace.config import ServiceSettings, SettingsError

CLIENT_ID = "web"


@dataclass(frozen=True, kw_only=True)
class WebSettings(ServiceSettings):
    """The frontend's settings: it speaks HTTP to the services and keeps only its sessions.

    ``session_key`` is a secret of 32 characters or more; from it come the keys that encrypt what a session
    holds and sign the form tokens. It may have several lines, the newest first: the others still open what
    was closed with them. ``upstream_issuer`` is where identity may send the browser on: the
    browser applies ``form-action`` to those redirects too.
    """

    session_key: str
    profile_url: str
    dossier_url: str
    documents_url: str
    notifier_url: str
    scheduler_url: str
    objects_url: str
    bucket: str = "espace-documents"
    amqp_url: str = ""
    upstream_issuer: str = ""

    def __post_init__(self) -> None:
        if not self.session_keys or min(map(len, self.session_keys)) < 32:
            raise SettingsError("ESPACE_SESSION_KEY: 32 characters at least, in each of its lines")

    @property
    def session_keys(self) -> list[str]:
        """The session keys, the one in use first."""
        return [line.strip() for line in self.session_key.splitlines() if line.strip()]

    @property
    def upstream_origin(self) -> str:
        """Scheme, host and port of the source of logins, or nothing."""
        parts = urlsplit(self.upstream_issuer)
        return f"{parts.scheme}://{parts.netloc}" if parts.netloc else ""

    @property
    def service_urls(self) -> dict[str, str]:
        """Service short name → inside address."""
        return {
            "identity": self.identity_url,
            "profile": self.profile_url,
            "dossier": self.dossier_url,
            "documents": self.documents_url,
            "notifier": self.notifier_url,
            "scheduler": self.scheduler_url,  # for its description alone
        }

"""What web reads from the environment."""

from dataclasses import dataclass
from urllib.parse import urlsplit

from espace.config import ServiceSettings

CLIENT_ID = "web"


@dataclass(frozen=True, kw_only=True)
class WebSettings(ServiceSettings):
    """The frontend's settings: it speaks HTTP to the services and keeps only its sessions.

    ``session_key`` is a secret of 32 characters or more; from it come the keys that encrypt what a session
    holds and sign the form tokens. ``upstream_issuer`` is where identity may send the browser on: the
    browser applies ``form-action`` to those redirects too.
    """

    session_key: str
    profile_url: str
    dossier_url: str
    documents_url: str
    notifier_url: str
    objects_url: str
    bucket: str = "espace-documents"
    amqp_url: str = ""
    upstream_issuer: str = ""

    def __post_init__(self) -> None:
        if len(self.session_key) < 32:
            raise ValueError("ESPACE_SESSION_KEY has fewer than 32 characters")

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
        }

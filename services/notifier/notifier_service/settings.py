"""The notifier's settings."""

from dataclasses import dataclass, field
from email.utils import parseaddr
from typing import ClassVar

from espace.config import ServiceSettings, SettingsError
from notifier_service.smtp import Security


@dataclass(frozen=True, kw_only=True)
class Settings(ServiceSettings):
    """Beyond what every service needs: who is asked at sending time, and the mail server.

    Attributes:
        mail_from: the sender people see; its address also takes the bounces, its domain names the messages.
        mail_retry_scale: multiplies the pauses between attempts; 1 outside tests.
        mail_lease_seconds: how long a message stays with a worker that does not report back. An attempt
            does not hand a message over when too little of it is left.
        smtp_security: ``starttls`` or ``tls``; the server's certificate is verified. ``none`` is for a relay
            on the same machine or in the same network.
        smtp_username, smtp_password: who we are there, if it asks; never without one of the former.
        smtp_timeout_seconds: the longest wait for one answer of the mail server.
        smtp_data_timeout_seconds: the same for DATA, whose answer may take a server that looks inside
            longer; giving up there is what makes second copies (RFC 5321, 4.5.3.2).
    """

    client_id: ClassVar[str] = "notifier"

    profile_url: str
    dossier_url: str
    smtp_host: str
    smtp_port: int = 25
    smtp_security: Security = "none"
    smtp_username: str = ""
    smtp_password: str = field(default="", repr=False)
    mail_from: str = "Mon Espace <ne-pas-repondre@monespace.example>"
    mail_retry_scale: float = 1.0
    mail_lease_seconds: float = 120.0
    smtp_timeout_seconds: float = 15.0
    smtp_data_timeout_seconds: float = 40.0

    def __post_init__(self) -> None:
        sender = self.mail_sender
        if "@" not in sender or not sender.isascii() or any(ord(c) < 32 for c in self.mail_from):
            raise SettingsError("ESPACE_MAIL_FROM is not an address in ASCII")
        if self.smtp_username and self.smtp_security == "none":
            raise SettingsError("ESPACE_SMTP_SECURITY is none: with it everybody reads ESPACE_SMTP_PASSWORD")
        if bool(self.smtp_username) != bool(self.smtp_password):
            raise SettingsError("ESPACE_SMTP_USERNAME and ESPACE_SMTP_PASSWORD go together")
        if self.mail_patience_seconds <= 0:
            raise SettingsError("ESPACE_MAIL_LEASE_SECONDS has to be more than two waits for DATA")

    @property
    def mail_sender(self) -> str:
        """The bare address of ``mail_from``."""
        return parseaddr(self.mail_from)[1]

    @property
    def mail_patience_seconds(self) -> float:
        """How late in its lease an attempt may still begin DATA: both its answers have to fit in."""
        return self.mail_lease_seconds - 2 * self.smtp_data_timeout_seconds

    @property
    def mail_domain(self) -> str:
        """The right side of each Message-ID."""
        return self.mail_sender.rpartition("@")[2]

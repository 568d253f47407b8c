"""Handing a message to the mail server, and reading its answers."""

import smtplib
import ssl
import time
from email.message import EmailMessage
from typing import Literal

from espace import crash
from notifier_service.model import Undeliverable

Security = Literal["none", "starttls", "tls"]
"""How readers are kept out: not at all, by STARTTLS (RFC 3207), from the first byte on (RFC 8314)."""

GOODBYE_SECONDS = 2.0
"""How long to wait for the answer to QUIT: the message is the server's already, its lease still runs here."""

_NOT_ABOUT_THE_MESSAGE = frozenset({530, 534, 535, 538})  # we are not let in: a fault of the set-up


class Postponed(Exception):
    """Not now; ``reason`` is a code without personal data."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class MailServer:
    """One SMTP server, one connection per message.

    Args:
        timeout: seconds to wait for each answer.
        data_timeout: the same once DATA has begun.
        patience: seconds after which an attempt is not begun to be handed over any more.
        security: the server's certificate is verified, for ``host``, by the machine's authorities.
        username: who we are there, with ``password``; empty: nobody asks.
    """

    def __init__(
        self,
        host: str,
        port: int,
        *,
        domain: str,
        timeout: float,
        data_timeout: float,
        patience: float,
        security: Security = "none",
        username: str = "",
        password: str = "",
    ) -> None:
        self._host, self._port, self._domain = host, port, domain
        self._timeout, self._data_timeout, self._patience = timeout, data_timeout, patience
        self._security, self._username, self._password = security, username, password
        self._tls = None if security == "none" else ssl.create_default_context()

    def send(self, message: EmailMessage, *, sender: str, to: str, started: float) -> None:
        """Hand over; returns when the server has taken responsibility.

        A connection that breaks between DATA and its answer leaves open whether the message was taken;
        it is sent again, under the same Message-ID.

        Args:
            started: ``time.monotonic()`` when the lease of the message began.

        Raises:
            Postponed: no server, a 4xx, or a broken connection.
            Undeliverable: a 5xx for this message.
        """
        content = message.as_bytes()
        with self._connection() as smtp:
            step = "mail"
            try:
                size = [f"SIZE={len(content)}"] if smtp.has_extn("size") else []
                _accept(smtp.mail(sender, size))
                _accept(smtp.rcpt(to))
                step = "data"
                if time.monotonic() - started > self._patience:
                    raise Postponed("attempt_too_slow")
                crash.point("notifier.before_data")
                if smtp.sock is not None:
                    smtp.sock.settimeout(self._data_timeout)
                _accept(smtp.data(content))
                crash.point("notifier.after_smtp_250")
            except smtplib.SMTPDataError as error:
                _accept((error.smtp_code, b""))
            except (OSError, smtplib.SMTPException) as error:
                raise Postponed(f"connection_lost_at_{step}") from error

    def _connection(self) -> "_Session":
        smtp = None
        try:
            smtp = self._connected()
            if self._security == "starttls":
                smtp.starttls(context=self._tls)
            if self._username:
                smtp.login(self._username, self._password)
        except (OSError, smtplib.SMTPException) as error:
            if smtp is not None:
                smtp.close()
            raise Postponed(_why_not(error)) from error
        return _Session(smtp)

    def _connected(self) -> smtplib.SMTP:
        where = self._host, self._port, self._domain
        if self._security == "tls":
            return smtplib.SMTP_SSL(*where, timeout=self._timeout, context=self._tls)
        smtp = smtplib.SMTP(*where, timeout=self._timeout)
        smtp.ehlo_or_helo_if_needed()
        return smtp


def _why_not(error: Exception) -> str:
    match error:
        case smtplib.SMTPConnectError():
            return f"server_not_ready_{error.smtp_code}"
        case ssl.SSLError() | smtplib.SMTPNotSupportedError():
            return "server_not_trusted"
        case smtplib.SMTPAuthenticationError():
            return f"smtp_{error.smtp_code}"
        case _:
            return "server_unreachable"


class _Session:
    """A connection that says goodbye whatever happened; how that goes changes nothing."""

    def __init__(self, smtp: smtplib.SMTP) -> None:
        self._smtp = smtp

    def __enter__(self) -> smtplib.SMTP:
        return self._smtp

    def __exit__(self, *failure: object) -> None:
        try:
            if failure[0] is None and self._smtp.sock is not None:
                self._smtp.sock.settimeout(GOODBYE_SECONDS)
                self._smtp.quit()
        except (OSError, smtplib.SMTPException):
            return
        finally:
            self._smtp.close()


def _accept(answer: tuple[int, bytes]) -> None:
    code = answer[0]
    if 200 <= code < 300:
        return
    if 500 <= code < 600 and code not in _NOT_ABOUT_THE_MESSAGE:
        raise Undeliverable(f"smtp_{code}")
    raise Postponed(f"smtp_{code}")

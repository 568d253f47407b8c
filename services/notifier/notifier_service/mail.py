"""The message on the wire: headers, text and HTML."""

from datetime import datetime
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr
from uuid import UUID

import idna

from notifier_service.model import Undeliverable
from notifier_service.rendering import Rendered


def recipient_address(address: str) -> Address:
    """``address`` as the header and the envelope take it, its domain in ASCII (IDNA 2008: ß is no ss).

    Raises:
        Undeliverable: it is no address, or would break out of its header.
    """
    local, _, domain = address.rpartition("@")
    try:
        if (
            not local.isascii()
            or not local
            or len(address) > 254
            or any(ord(c) < 33 or ord(c) == 127 for c in address)
        ):
            raise ValueError("not an address")
        ascii_domain = idna.encode(domain, uts46=True).decode("ascii")
        found = Address(addr_spec=f"{local}@{ascii_domain}")
    except (ValueError, MessageError, IndexError) as error:
        raise Undeliverable("address_refused") from error
    if any(c in ',;:<>()[]\\"' for c in found.addr_spec):
        raise Undeliverable("address_refused")
    return found


def build_message(
    message_id: UUID,
    rendered: Rendered,
    *,
    to: Address,
    sender: str,
    domain: str,
    date: datetime,
    trace_id: str | None = None,
) -> EmailMessage:
    """Text and HTML as alternatives. The Message-ID is the notification's id: the same at each attempt.

    Raises:
        Undeliverable: a header would hold more than its one line.
    """
    mail = EmailMessage(policy=SMTP)
    name, address = parseaddr(sender)
    try:
        mail["From"] = Address(name, addr_spec=address)
        mail["To"] = to
        mail["Subject"] = rendered.subject
        mail["Date"] = format_datetime(date)
        mail["Message-ID"] = f"<{message_id}@{domain}>"
        mail["Auto-Submitted"] = "auto-generated"
        if trace_id:
            mail["X-Trace-Id"] = trace_id
    except ValueError as error:
        raise Undeliverable("header_refused") from error
    mail.set_content(rendered.text, cte="quoted-printable")
    mail.add_alternative(rendered.html, subtype="html", cte="quoted-printable")
    mail["Content-Language"] = (
        rendered.language
    )  # at the end: what sets the content drops the headers about it
    return mail

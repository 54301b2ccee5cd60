"""A plain e-mail through the operator's mail server, by the standard library in a thread of its own."""

from __future__ import annotations

import asyncio
import smtplib
import ssl
from email.message import EmailMessage
from email.utils import format_datetime

from msgspec import Struct

from stellwerk.config.spec import Smtp
from stellwerk.relay.hub import Hub
from stellwerk.relay.untold import Untold

SECONDS = 30.0


class Mail(Struct, frozen=True, kw_only=True):
    """`number` names it for good, so that a mail that goes out twice can be known as one."""

    to: str
    subject: str
    text: str
    number: str


async def send(hub: Hub, mail: Mail) -> None:
    """Raises `Untold`: `no-mail-server`, `mail-unreachable`, `mail-not-trusted`, `mail-login`, `mail-refused`."""
    smtp = hub.integration.hub.smtp
    if smtp is None:
        raise Untold("no-mail-server")
    message = EmailMessage()
    message["From"] = smtp.sender
    message["To"] = mail.to
    message["Subject"] = mail.subject
    message["Date"] = format_datetime(hub.time())
    message["Message-ID"] = f"<{mail.number}@{smtp.sender.rpartition('@')[2]}>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(mail.text)
    await asyncio.to_thread(_send, smtp, message)


def _send(smtp: Smtp, message: EmailMessage) -> None:
    try:
        with _server(smtp) as server:
            if smtp.security == "starttls":
                server.starttls(context=ssl.create_default_context())
            if smtp.username is not None and smtp.password is not None:
                server.login(smtp.username, smtp.password.reveal())
            server.send_message(message)
    except ssl.SSLError:
        raise Untold("mail-not-trusted") from None
    except smtplib.SMTPAuthenticationError:
        raise Untold("mail-login") from None
    except (smtplib.SMTPServerDisconnected, smtplib.SMTPConnectError, smtplib.SMTPHeloError):
        raise Untold("mail-unreachable") from None
    except smtplib.SMTPException:
        raise Untold("mail-refused") from None
    except OSError:
        raise Untold("mail-unreachable") from None


def _server(smtp: Smtp) -> smtplib.SMTP:
    if smtp.security == "tls":
        return smtplib.SMTP_SSL(smtp.host, smtp.port, timeout=SECONDS, context=ssl.create_default_context())
    return smtplib.SMTP(smtp.host, smtp.port, timeout=SECONDS)

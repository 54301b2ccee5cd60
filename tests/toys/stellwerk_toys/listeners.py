"""What a hub tells its people, received: a webhook and a mail server on this machine, which answer as they are told to."""

from __future__ import annotations

import asyncio
import email
import email.policy
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage


@dataclass
class Call:
    """One POST. Header names are lower case."""

    target: str
    headers: dict[str, str]
    body: bytes


@dataclass
class HookListener:
    """`status` answers the next calls; None: they are not answered while it stays."""

    port: int = 0
    status: int | None = 200
    calls: list[Call] = field(default_factory=list)
    called: asyncio.Event = field(default_factory=asyncio.Event)
    let_go: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/told?by=stellwerk"

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().splitlines()
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:] if line)}
        body = await reader.readexactly(int(headers["content-length"]))
        self.calls.append(Call(target=head[0].split()[1], headers=headers, body=body))
        self.called.set()
        if self.status is None:
            await self.let_go.wait()
        where = "location: http://127.0.0.1:1/elsewhere\r\n" if self.status == 302 else ""
        writer.write(f"HTTP/1.1 {self.status or 200} said\r\n{where}content-length: 0\r\n\r\n".encode())
        await writer.drain()
        writer.close()


@dataclass
class PostOffice:
    """A mail server that takes mails from anybody. `refuses` answers each recipient with an error."""

    port: int = 0
    refuses: bool = False
    mails: list[EmailMessage] = field(default_factory=list)
    recipients: list[str] = field(default_factory=list)

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        def say(text: str) -> None:
            writer.write(text.encode() + b"\r\n")

        say("220 toys")
        while line := (await reader.readline()).decode().strip():
            verb = line.split(":")[0].split()[0].upper()
            if verb == "RCPT":
                self.recipients.append(line.partition("<")[2].rstrip(">"))
            if verb == "DATA":
                say("354 go on")
                text = await reader.readuntil(b"\r\n.\r\n")
                mail = email.message_from_bytes(text[:-3], policy=email.policy.default)
                assert isinstance(mail, EmailMessage)
                self.mails.append(mail)
            say("550 no" if verb == "RCPT" and self.refuses else "221 bye" if verb == "QUIT" else "250 good")
            await writer.drain()
            if verb == "QUIT":
                break
        writer.close()


@asynccontextmanager
async def listening(
    answer: Callable[[asyncio.StreamReader, asyncio.StreamWriter], object],
) -> AsyncIterator[int]:
    """The port of a server on this machine."""
    server = await asyncio.start_server(answer, "127.0.0.1", 0)  # type: ignore[arg-type]
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()

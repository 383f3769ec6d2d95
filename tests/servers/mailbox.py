"""A mail server on loopback that takes everything, or nothing, and keeps what it took."""

import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_string
from email.message import Message
from queue import Queue


class Mailbox:
    """Mails by arrival; ``refusing`` is the answer to every sender instead of a welcome."""

    def __init__(self, refusing: str = "") -> None:
        self.refusing = refusing
        self.arrived: Queue[Message] = Queue()
        self.logins: list[str] = []
        self.address = ""


class _Handler(socketserver.StreamRequestHandler):
    box: Mailbox

    def handle(self) -> None:
        self._say("220 loopback")
        while line := self.rfile.readline().decode().strip():
            if not self._answer(line):
                return

    def _answer(self, line: str) -> bool:
        command = line.split(" ", maxsplit=1)[0].upper()
        if command == "EHLO":
            self._say("250-loopback\r\n250 AUTH PLAIN")
        elif command == "AUTH":
            self.box.logins.append(line)
            self._say("235 welcome")
        elif command == "MAIL" and self.box.refusing:
            self._say(self.box.refusing)
        elif command == "DATA":
            self._say("354 go on")
            self.box.arrived.put(message_from_string(self._text()))
            self._say("250 taken")
        else:
            self._say("221 bye" if command == "QUIT" else "250 fine")
        return command != "QUIT"

    def _text(self) -> str:
        lines: list[str] = []
        while (line := self.rfile.readline().decode()) not in {".\r\n", ""}:
            lines.append(line)
        return "".join(lines)

    def _say(self, text: str) -> None:
        self.wfile.write(f"{text}\r\n".encode())


@contextmanager
def mailbox(refusing: str = "") -> Iterator[Mailbox]:
    """Serve SMTP for the block, without TLS."""
    box = Mailbox(refusing)
    handler = type("Handler", (_Handler,), {"box": box})
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), handler) as server:
        server.daemon_threads = True
        box.address = f"127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            yield box
        finally:
            server.shutdown()
            thread.join()

"""Collectors as processes of a test: programs that serve no HTTP of their own."""

from abc import abstractmethod
from collections.abc import Callable, Mapping
from pathlib import Path
from urllib.parse import urlsplit

from tests.servers.server import Server

# Of a free port and the daemon's folder, which is also where it may keep its state.
Configure = Callable[[int, Path], str]


class Daemon(Server):
    """A daemon whose configuration is written when its port is known.

    ``environment`` is added to the process's; the port is free for the configuration to use, and
    ``free_port`` has more.
    """

    def __init__(
        self,
        binaries: Path,
        *,
        configure: Configure,
        environment: Mapping[str, str] | None = None,
        timeout: float = 60,
    ) -> None:
        super().__init__(binaries, flags=(), timeout=timeout)
        self.configure = configure
        self.environment = dict(environment or {})

    @property
    def port(self) -> int:
        """The port that the configuration was made for."""
        return urlsplit(self.url).port or 0

    @abstractmethod
    def program(self) -> list[str | Path]:
        """Return the program and its arguments, which read ``config_file``."""

    def command(self, port: int) -> list[str]:
        """Write the configuration for a port and return the command that reads it."""
        self.write_config(self.configure(port, self.folder))
        settings = [f"{name}={value}" for name, value in self.environment.items()]
        # `env` becomes the daemon, so that the process keeps its id.
        return [*(("env", *settings) if settings else ()), *map(str, self.program())]

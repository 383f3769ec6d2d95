"""Who asks, and what they may see. Every service takes a scope and checks it; no page does.

Without any configuration everybody sees everything, and the server listens on loopback only.
"""

from __future__ import annotations

from enum import StrEnum

from slo.errors import HeadroomError
from slo.records import dataclass


class Forbidden(HeadroomError):  # noqa: N818 - says what happened
    """Somebody asked for what they may not see."""


class Role(StrEnum):
    """What somebody is to an installation, least first."""

    VIEWER = "viewer"
    DEVELOPER = "developer"
    SRE = "sre"
    ADMIN = "admin"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """One asker. ``apps`` ``None`` means all of them, and what belongs to nobody besides.

    ``open`` says that nothing was configured and so nobody was asked who they are.
    """

    user: str | None = None
    role: Role = Role.VIEWER
    apps: frozenset[str] | None = None
    environments: frozenset[str] | None = None
    open: bool = False

    def sees(self, app: str, env: str | None = None) -> bool:
        """Whether this application, in this environment, may be shown."""
        return (self.apps is None or app in self.apps) and (
            env is None or self.environments is None or env in self.environments
        )

    def check(self, app: str | None, env: str | None = None) -> None:
        """Raise ``Forbidden`` unless it may be shown; ``None`` is what belongs to nobody."""
        allowed = self.apps is None if app is None else self.sees(app, env)
        if not allowed:
            what = "what belongs to no app" if app is None else f'app "{app}"'
            where = "" if env is None else f" in {env}"
            raise Forbidden(f"{self.user or 'this visitor'} may not see {what}{where}")

    @property
    def cache_key(self) -> tuple[object, ...]:
        """What tells answers for different askers apart."""
        apps = None if self.apps is None else tuple(sorted(self.apps))
        envs = None if self.environments is None else tuple(sorted(self.environments))
        return (apps, envs, str(self.role))


OPEN = Scope(role=Role.ADMIN, open=True)
"""The scope of everybody while no access is configured."""

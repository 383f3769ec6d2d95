"""Who and what a question is about: allowed, and known to the catalogue."""

from __future__ import annotations

from dataclasses import replace

from app.access import Forbidden, Scope
from app.services.world import World
from collectors.readers.telemetry import Where
from slo.errors import UsageError
from slo.model import App, Environment, ServiceLevel
from slo.suggest import did_you_mean


def subject(world: World, scope: Scope, app: str, env: str | None = None) -> App:
    """Return an application; raises ``Forbidden`` before ``UsageError`` for an unknown name.

    Whoever may not see an application does not learn whether there is one.
    """
    scope.check(app, env)
    world.project.levels(app, env)
    found = world.project.catalog.app(app)
    assert found is not None, "levels() has looked it up"
    return found


def environment(app: App, env: str) -> Environment:
    """Return an environment of an application that is known to have it."""
    return next(each for each in app.environments if each.name == env)


def service_level(world: World, scope: Scope, app: str, env: str, slo: str) -> ServiceLevel:
    """Return one SLO; raises as ``subject`` does."""
    levels = {each.slo.name: each for each in subject(world, scope, app, env).levels(env)}
    if slo not in levels:
        raise UsageError(
            f'app "{app}" has no SLO "{slo}" in {env}{did_you_mean(slo, levels)}',
            hint=f"known SLOs: {', '.join(levels)}" if levels else None,
        )
    return levels[slo]


def allowed(world: World, scope: Scope, where: Where) -> Where:
    """Check whose records are asked for, and return the question as it may be asked.

    All environments are narrowed to the only one the asker may see; raises ``UsageError`` when
    there are several of those.
    """
    if where.app is None:
        scope.check(None)
        return _narrowed(scope, where, ())
    app = subject(world, scope, where.app, where.env)
    return _narrowed(scope, where, tuple(each.name for each in app.environments))


def _narrowed(scope: Scope, where: Where, declared: tuple[str, ...]) -> Where:
    if where.env is not None or scope.environments is None:
        return where
    mine = [name for name in declared if name in scope.environments]
    if not mine:
        who = scope.user or "this visitor"
        raise Forbidden(f"{who} may see no environment of what was asked for")
    if len(mine) > 1:
        raise UsageError("name an environment", hint=f"yours are: {', '.join(mine)}")
    return replace(where, env=mine[0])


def may_see(scope: Scope, app: str | None, env: str | None) -> bool:
    """Whether a record of this owner may be shown; an unknown environment may be any."""
    if app is None:
        return scope.apps is None and scope.environments is None
    if env is None and scope.environments is not None:
        return False
    return scope.sees(app, env)

"""The files that a workspace names, found from anywhere."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from slo.serving import RemoteWrite
from slo.workspace import ExternalSource, OAuth2, PrometheusSource, Tls, Workspace


def with_absolute_paths(space: Workspace, root: Path) -> Workspace:
    """The same workspace with the files of its sources found from anywhere."""
    return replace(
        space,
        prometheus={name: _absolute(source, root) for name, source in space.prometheus.items()},
        external={name: _external_at(source, root) for name, source in space.external.items()},
        store=None if space.store is None else str(root / space.store),
        serving=replace(
            space.serving, remote_write=_remote_write_at(space.serving.remote_write, root)
        ),
    )


def _absolute(source: PrometheusSource, root: Path) -> PrometheusSource:
    basic, oauth2, token = source.basic_auth, source.oauth2, source.bearer_token_file
    return replace(
        source,
        bearer_token_file=_at(token, root),
        basic_auth=basic and replace(basic, password_file=str(root / basic.password_file)),
        oauth2=oauth2 and _secret_at(oauth2, root),
        tls=_tls_at(source.tls, root),
    )


def _external_at(source: ExternalSource, root: Path) -> ExternalSource:
    settings = {
        key: str(root / value) if key.endswith("File") else value
        for key, value in source.settings.items()
    }
    return replace(source, settings=settings, tls=_tls_at(source.tls, root))


def _remote_write_at(settings: RemoteWrite | None, root: Path) -> RemoteWrite | None:
    if settings is None:
        return None
    basic = settings.basic_auth
    return replace(
        settings,
        bearer_token_file=_at(settings.bearer_token_file, root),
        basic_auth=basic and replace(basic, password_file=str(root / basic.password_file)),
        tls=settings.tls and _tls_at(settings.tls, root),
    )


def _tls_at(tls: Tls, root: Path) -> Tls:
    return replace(
        tls,
        ca_file=_at(tls.ca_file, root),
        cert_file=_at(tls.cert_file, root),
        key_file=_at(tls.key_file, root),
    )


def _at(path: str | None, root: Path) -> str | None:
    return None if path is None else str(root / path)


def _secret_at(oauth2: OAuth2, root: Path) -> OAuth2:
    return replace(oauth2, client_secret_file=str(root / oauth2.client_secret_file))

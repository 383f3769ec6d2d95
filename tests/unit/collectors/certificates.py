"""Certificates for loopback servers, each signed by an authority of its own."""

from dataclasses import dataclass
from pathlib import Path

import trustme


@dataclass(frozen=True, slots=True, kw_only=True)
class Issued:
    """A file with a certificate and its key, and one with the certificate of who signed it."""

    file: Path
    authority: Path


def issued(folder: Path, name: str) -> Issued:
    """Issue a certificate for a host name or an address."""
    authority = trustme.CA()
    made = Issued(file=folder / f"{name}.pem", authority=folder / f"{name}-authority.pem")
    authority.issue_cert(name).private_key_and_cert_chain_pem.write_to_path(str(made.file))
    authority.cert_pem.write_to_path(str(made.authority))
    return made

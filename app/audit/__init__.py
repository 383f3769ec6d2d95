"""The audit log of the gate: one line for every evaluation, chained by hashes.

A record is on disk before its decision is told; where it cannot be written, nothing is allowed::

    {"allowed":true, ... ,"audit":{"seq":7,"prev":"sha256:...","hash":"sha256:..."}, ... }

``hash`` is the SHA-256 of the line's canonical JSON without ``audit.hash``, and ``prev`` the hash
of the line before. Beside the log, ``<file>.head`` holds the last number and hash, so that records
missing at the end are missed; ``<file>.torn-<n>`` holds what a crash left of an unfinished line.
"""

from app.audit.canonical import GENESIS, canonical, hash_of
from app.audit.errors import AuditError
from app.audit.journal import append, default_path, known_before
from app.audit.verification import AuditFault, FaultKind, verify

__all__ = [
    "GENESIS",
    "AuditError",
    "AuditFault",
    "FaultKind",
    "append",
    "canonical",
    "default_path",
    "hash_of",
    "known_before",
    "verify",
]

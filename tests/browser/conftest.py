"""The browser of these tests, from the cache of parts."""

from tests.servers.parts import chromium

__all__ = ["chromium"]

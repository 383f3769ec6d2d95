"""One server for the tests of a module that leave it as it was."""

from collections.abc import Iterator

import pytest

from tests.unit.app.api.serving import Running, serving


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with serving(tmp_path_factory.mktemp("serving")) as running:
        yield running

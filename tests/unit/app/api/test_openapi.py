"""The description of the API says what the API does."""

import re

from app.api.every import endpoints
from tests.unit.app.api.serving import Running


def test_the_description_has_every_route_and_no_other(server: Running) -> None:
    """It is made from the table that the routes are made from."""
    found = server.get("/v1/openapi.json").json

    assert "3.1.0" == found["openapi"]
    described = {
        (method.upper(), path) for path, methods in found["paths"].items() for method in methods
    }
    assert {(each.method, each.path) for each in endpoints()} == described
    assert {
        "/v1/apps",
        "/v1/apps/{app}",
        *(f"/v1/apps/{{app}}/{each}" for each in ("budget", "attribution", "logs", "traces")),
        "/v1/apps/{app}/alerts",
        "/v1/apps/{app}/deploys",
        "/v1/deploys",
        "/v1/join-health",
        "/v1/openapi.json",
        *(f"/v1/{each}" for each in ("traces", "metrics", "logs")),
        "/api/v1/write",
        "/healthz",
        "/readyz",
        "/metrics",
    } == set(found["paths"])


def test_each_described_route_answers_as_described(server: Running) -> None:
    """Statuses that were not described are not given, and answers have the keys they must."""
    for path, methods in server.get("/v1/openapi.json").json["paths"].items():
        for method, operation in methods.items():
            answer = server.ask(method.upper(), path.replace("{app}", "ticketing"))
            assert str(answer.status) in operation["responses"], (path, answer.body)
            told = operation["responses"][str(answer.status)].get("content", {})
            if "application/json" in told and method == "get":
                required = told["application/json"]["schema"].get("required", [])
                assert set(required) <= set(answer.json)


def test_names_and_parameters_are_well_formed(server: Running) -> None:
    """Client generators stumble over anything else."""
    found = server.get("/v1/openapi.json").json
    operations = [
        (path, operation)
        for path, methods in found["paths"].items()
        for operation in methods.values()
    ]
    names = [operation["operationId"] for _, operation in operations]
    assert len(names) == len(set(names))
    for path, operation in operations:
        given = operation.get("parameters", [])
        assert set(re.findall(r"\{([a-z]+)\}", path)) == {
            each["name"] for each in given if each["in"] == "path"
        }
        for each in given:
            assert each["description"], (path, each)
            assert each["schema"]["type"] in {"string", "integer"}

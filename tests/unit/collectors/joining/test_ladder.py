"""The join ladder: the surest key decides, two claimants are refused, nothing is merged."""

import pytest

from collectors.joining import Joiner, Learned, Ownership
from slo.model import Catalog
from tests.unit.collectors.joining.catalogs import AIRLINE, app, component

PROD = {"deployment.environment.name": "prod"}


def joined(
    resource: dict[str, object],
    attributes: dict[str, object] | None = None,
    catalog: Catalog = AIRLINE,
) -> Ownership:
    return Joiner(catalog).join(resource, attributes or {})


class TestTags:
    @pytest.mark.parametrize(
        ("app_key", "env_key"),
        [
            ("service.namespace", "deployment.environment.name"),
            ("service.namespace", "deployment.environment"),
            ("labels.app", "service.environment"),
            ("app", "env"),
        ],
    )
    def test_the_tag_of_every_convention_decides(self, app_key: str, env_key: str) -> None:
        """OpenTelemetry, ECS and Prometheus names are read alike."""
        owner = joined({app_key: "ticketing", env_key: "staging"})
        assert ("ticketing", "staging", 1) == (owner.app, owner.env, owner.rung)
        assert f"{app_key}=ticketing" == owner.key
        assert owner.missing is None

    def test_a_tag_is_read_from_the_record_when_its_sender_has_none(self) -> None:
        """A collector that scrapes for many applications sends their labels with each point."""
        owner = joined({"service.name": "otelcol"}, {"app": "cargo"})
        assert ("cargo", 1) == (owner.app, owner.rung)

    def test_the_senders_tag_beats_what_its_record_says(self) -> None:
        """An application may count by another one's name without giving records away."""
        owner = joined({"service.namespace": "ticketing", **PROD}, {"app": "cargo"})
        assert "ticketing" == owner.app

    def test_a_tag_of_an_unknown_application_ends_the_climb(self) -> None:
        """It says that the record is somebody else's, whatever else it carries."""
        owner = joined({"service.namespace": "hotel", "service.name": "ticketing-api"})
        assert Ownership(missing="service.namespace=hotel", key="service.namespace=hotel") == owner

    def test_two_tags_that_disagree_are_refused(self) -> None:
        owner = joined({"service.namespace": "ticketing", "labels.app": "cargo"})
        assert (None, 1, ("cargo", "ticketing")) == (owner.app, owner.rung, owner.claimants)

    def test_the_component_is_found_by_service_or_workload(self) -> None:
        tags = {"service.namespace": "ticketing", **PROD}
        assert "api" == joined({**tags, "service.name": "ticketing-api"}).component
        assert "api" == joined({**tags, "service.name": "api"}).component
        workload = {"k8s.namespace.name": "ticketing", "k8s.deployment.name": "api"}
        assert "api" == joined({**tags, **workload}).component
        assert joined({**tags, "service.name": "cargo-api"}).component is None


class TestEnvironments:
    def test_an_unknown_name_is_kept_and_counts_nowhere(self) -> None:
        """Production is not prod: nobody may guess."""
        owner = joined({"service.namespace": "ticketing", "env": "production"})
        assert ("production", "env=production") == (owner.env, owner.missing)

    def test_clusters_tell_when_the_tag_is_missing(self) -> None:
        place = {"k8s.cluster.name": "eu-1", "k8s.namespace.name": "ticketing-stg"}
        assert "staging" == joined({"service.namespace": "ticketing", **place}).env

    def test_an_environment_is_unknown_when_nothing_tells(self) -> None:
        owner = joined({"service.namespace": "ticketing"})
        assert (None, "deployment.environment.name") == (owner.env, owner.missing)

    def test_an_application_without_environments_has_one(self) -> None:
        """What its tag says does not matter: the app file tells no environments apart."""
        assert "default" == joined({"service.namespace": "cargo", **PROD}).env

    def test_an_only_environment_holds_what_does_not_contradict_it(self) -> None:
        only = app("hotel", environments={"prod": ({"cluster": "eu-1"},)})
        catalog = Catalog(apps=(only,))
        assert "prod" == joined({"app": "hotel"}, catalog=catalog).env
        elsewhere = joined({"app": "hotel", "cluster": "lab"}, catalog=catalog)
        assert (None, "deployment.environment.name") == (elsewhere.env, elsewhere.missing)

    def test_two_tags_of_two_environments_are_no_answer(self) -> None:
        owner = joined({"app": "ticketing", "env": "staging", **PROD})
        assert owner.env is None


class TestCatalogue:
    def test_a_service_name_of_one_application_decides(self) -> None:
        owner = joined({"service.name": "cargo-api"})
        assert ("cargo", "api", 2) == (owner.app, owner.component, owner.rung)
        assert "service.name=cargo-api" == owner.key

    def test_a_service_name_of_two_applications_is_refused(self) -> None:
        """Both have a component called api, and a workload below does not decide for them."""
        owner = joined({"service.name": "api", "k8s.namespace.name": "ticketing"})
        assert (None, 2, ("cargo", "ticketing")) == (owner.app, owner.rung, owner.claimants)


class TestWorkloads:
    @pytest.mark.parametrize(
        ("facts", "found"),
        [
            ({"k8s.namespace.name": "cargo", "k8s.deployment.name": "api"}, "api"),
            ({"namespace": "cargo", "deployment": "api"}, "api"),
            ({"namespace": "cargo", "pod": "api-7d4f8b9c6d-x2x9z"}, "api"),
            ({"k8s.namespace.name": "cargo", "k8s.pod.name": "store-2"}, "store"),
            ({"namespace": "cargo", "pod": "nightly-28934400-k7p2q"}, "jobs"),
            ({"namespace": "cargo", "pod": "api-backend-7d4f8b9c6d-x2x9z"}, None),
            ({"namespace": "cargo", "pod": "api-gateway-x2x9z"}, None),
            ({"namespace": "elsewhere", "pod": "api-7d4f8b9c6d-x2x9z"}, None),
            ({"pod": "api-7d4f8b9c6d-x2x9z"}, None),
        ],
    )
    def test_a_workload_or_its_pod_decides_in_its_namespace(
        self, facts: dict[str, object], found: str | None
    ) -> None:
        owner = joined(facts)
        assert found == owner.component
        assert (None if found is None else "cargo") == owner.app

    def test_declared_pod_labels_decide(self) -> None:
        facts = {"k8s.namespace.name": "ticketing", "k8s.cluster.name": "eu-1"}
        owner = joined({**facts, "k8s.pod.label.app": "ticketing-worker"})
        expected = ("ticketing", "prod", "worker", 3)
        assert expected == (owner.app, owner.env, owner.component, owner.rung)
        assert joined({**facts, "k8s.pod.label.app": "other"}).app is None

    def test_a_bare_workload_needs_a_namespace_of_its_application(self) -> None:
        """Every second namespace has a deployment called web; labels are chosen to be unique."""
        web = component("web", workload="deployment/web")
        batch = component("batch", pod_labels={"app": "hotel-batch"})
        hotel = app("hotel", web, batch, environments={"prod": ({"namespace": "hotel"},)})
        catalog = Catalog(apps=(hotel,))
        facts = {"k8s.deployment.name": "web"}
        assert joined({**facts, "k8s.namespace.name": "x"}, catalog=catalog).app is None
        assert "web" == joined({**facts, "k8s.namespace.name": "hotel"}, catalog=catalog).component
        labelled = joined({"k8s.pod.label.app": "hotel-batch"}, catalog=catalog)
        assert ("batch", 3) == (labelled.component, labelled.rung)


class TestContainers:
    def test_a_container_belongs_where_an_earlier_record_placed_it(self) -> None:
        joiner = Joiner(AIRLINE)
        assert joiner.join({"container.id": "c1"}, {}).app is None
        joiner.join({"service.name": "cargo-api", "container.id": "c1"}, {})
        owner = joiner.join({"container.id": "c1"}, {"some": "field"})
        expected = ("cargo", "default", "api", 4)
        assert expected == (owner.app, owner.env, owner.component, owner.rung)

    def test_a_container_of_two_applications_is_refused(self) -> None:
        joiner = Joiner(AIRLINE)
        joiner.join({"app": "cargo", "container_id": "c1"}, {})
        joiner.join({"app": "ticketing", "env": "prod", "container_id": "c1"}, {})
        owner = joiner.join({"container_id": "c1"}, {})
        assert (None, 4, ("cargo", "ticketing")) == (owner.app, owner.rung, owner.claimants)

    def test_a_relay_is_not_taken_for_what_it_relays(self) -> None:
        """The collector's container sends for all; the application is in each record."""
        joiner = Joiner(AIRLINE)
        joiner.join({"service.name": "otelcol", "container.id": "c1"}, {"app": "cargo"})
        assert joiner.join({"container.id": "c1"}, {}).app is None

    def test_a_shared_thing_is_not_taken_for_one_part(self) -> None:
        joiner = Joiner(AIRLINE)
        front: dict[str, object] = {"service.name": "front", "container.id": "lb"}
        assert "ticketing" == joiner.join({**front, "backend": "ticketing", "env": "prod"}, {}).app
        assert joiner.join({"container.id": "lb"}, {}).app is None

    def test_what_is_learned_is_bounded_and_survives_a_new_catalogue(self) -> None:
        learned = Learned(most=2)
        first = Joiner(AIRLINE, learned=learned)
        for container in ("c1", "c2", "c3"):
            first.join({"app": "cargo", "container.id": container}, {})
        second = Joiner(AIRLINE, learned=learned)
        assert 2 == len(learned)
        assert second.join({"container.id": "c1"}, {}).app is None
        assert "cargo" == second.join({"container.id": "c3"}, {}).app


class TestInfrastructure:
    @pytest.mark.parametrize(
        "facts",
        [
            {"db.system": "mysql", "server.address": "seats.internal", "server.port": 3306},
            {"db.system.name": "mysql", "net.peer.name": "SEATS.internal"},
            {"server": "seats.internal:3306"},
        ],
    )
    def test_a_database_of_one_application_is_its(self, facts: dict[str, object]) -> None:
        owner = joined({}, {**facts, "env": "prod"})
        expected = ("ticketing", "seats-db", 5, "prod")
        assert expected == (owner.app, owner.component, owner.rung, owner.env)

    def test_another_system_at_the_same_address_is_another_thing(self) -> None:
        assert joined({}, {"db.system": "redis", "server.address": "seats.internal"}).app is None

    def test_a_host_belongs_to_the_one_application_that_declares_it(self) -> None:
        assert "ticketing" == joined({"host.name": "tick-host-1", "env": "prod"}).app
        assert "ticketing" == joined({"instance": "tick-host-1:9100", "env": "prod"}).app
        shared = joined({"host.name": "shared-host"})
        assert (None, 5, ("cargo", "ticketing")) == (shared.app, shared.rung, shared.claimants)

    def test_metrics_endpoints_and_cloudwatch_dimensions_are_keys(self) -> None:
        endpoint = joined({"instance": "tick-exporter:9100", "env": "prod"})
        assert ("exporter", 5) == (endpoint.component, endpoint.rung)
        group = joined({"dimension_TargetGroup": "tg/ticketing", "env": "prod"})
        assert ("alb", 5) == (group.component, group.rung)

    def test_a_topic_decides_without_an_address(self) -> None:
        kafka = {"messaging.system": "kafka", "messaging.destination.name": "freight"}
        assert ("cargo", "freight-topic") == (
            joined({}, {**kafka}).app,
            joined({}, {**kafka}).component,
        )

    def test_nothing_known_names_the_key_that_would_have_told(self) -> None:
        assert "service.namespace" == joined({"service.name": "x"}).missing
        assert "app" == joined({"job": "x", "instance": "y:1"}).missing
        assert "app" == joined({"job": "recorded"}).missing
        assert "labels.app" == joined({"service.environment": "prod"}).missing


LB = {"server.address": "lb-shared.internal"}
PG = {"db.system": "postgresql", "server.address": "pg-shared.internal", "server.port": 5432}
KAFKA = {"messaging.system": "kafka", "server.address": "kafka.internal", "server.port": 9092}


class TestAirline:
    """Ticketing and cargo share a load balancer, a database and a broker."""

    @pytest.mark.parametrize(
        ("thing", "part", "owner"),
        [
            (LB, {"backend": "cargo"}, "cargo"),
            (LB, {"backend": "ticketing"}, "ticketing"),
            (LB, {"haproxy.backend": "cargo"}, "cargo"),
            (PG, {"db.namespace": "airline|cargo"}, "cargo"),
            (PG, {"schemaname": "ticketing"}, "ticketing"),
            (PG, {"db.name": "cargo"}, "cargo"),
            (KAFKA, {"messaging.destination.name": "bookings"}, "ticketing"),
            (KAFKA, {"topic": "freight"}, "cargo"),
        ],
    )
    def test_each_gets_its_own_share(
        self, thing: dict[str, object], part: dict[str, object], owner: str
    ) -> None:
        found = joined({}, {**thing, **part, "env": "prod"})
        assert (owner, 5) == (found.app, found.rung)

    @pytest.mark.parametrize(
        ("machine", "part", "owner"),
        [
            (
                {"instance": "lb-shared.internal:8404", "job": "haproxy"},
                {"proxy": "cargo"},
                "cargo",
            ),
            ({"instance": "pg-shared.internal:9187"}, {"schemaname": "ticketing"}, "ticketing"),
            ({"host.name": "lb-shared.internal"}, {"backend": "ticketing"}, "ticketing"),
            ({"host.name": "LB-shared.internal"}, {"backend": "hotel"}, None),
            ({"host.name": "lb-shared.internal"}, {"message": "cron ran"}, None),
            ({"host.name": "seats.internal"}, {"schema": "ticketing"}, None),
        ],
    )
    def test_an_exporter_on_its_machine_tells_of_each_part(
        self, machine: dict[str, object], part: dict[str, object], owner: str | None
    ) -> None:
        """It answers on a port of its own; what names no part may be of any program there."""
        assert owner == joined(machine, {**part, "env": "prod"}).app

    @pytest.mark.parametrize("thing", [LB, PG, KAFKA])
    def test_what_carries_no_share_or_a_strangers_is_nobodys(
        self, thing: dict[str, object]
    ) -> None:
        """It is context: who shares the thing is listed, and which part would tell is said."""
        other = {"backend": "hotel", "schema": "hotel", "topic": "hotel"}
        for record in (thing, {**thing, **other}):
            found = joined({}, {**record, "env": "prod"})
            assert (None, ("cargo", "ticketing")) == (found.app, found.claimants)
            assert str(found.missing).startswith("share.")

    @pytest.mark.parametrize("name", ["front", "edge", "orders-db"])
    def test_the_name_of_a_shared_component_does_not_bring_anothers_part(self, name: str) -> None:
        """Its exporter runs under one application's name for it and reports every part."""
        cargo = joined({"service.name": name, **LB}, {"backend": "cargo"})
        assert "ticketing" != cargo.app
        nobody = joined({"service.name": name}, {"backend": "hotel"})
        assert (None, ("cargo", "ticketing")) == (nobody.app, nobody.claimants)

    def test_a_share_declared_by_one_application_alone_keeps_others_out(self) -> None:
        """The other applications behind the load balancer may not be in the catalogue yet."""
        lonely = app(
            "ticketing", component("front", "load_balancer", address="lb", share={"backend": "t"})
        )
        catalog = Catalog(apps=(lonely,))
        assert "ticketing" == joined({"server.address": "lb", "backend": "t"}, catalog=catalog).app
        other = joined({"server.address": "lb", "backend": "cargo"}, catalog=catalog)
        assert (None, ("ticketing",), "share.backend") == (
            other.app,
            other.claimants,
            other.missing,
        )

    def test_who_claims_a_whole_that_others_share_gets_none_of_it(self) -> None:
        whole = app("ticketing", component("db", "database", address="pg"))
        part = app("cargo", component("db", "database", address="pg", share={"schema": "cargo"}))
        catalog = Catalog(apps=(part, whole))
        assert "cargo" == joined({"server": "pg", "schema": "cargo"}, catalog=catalog).app
        other = joined({"server": "pg", "schema": "x"}, catalog=catalog)
        assert (None, ("cargo", "ticketing")) == (other.app, other.claimants)

    def test_an_application_calling_a_shared_thing_keeps_its_span(self) -> None:
        owner = joined({"service.namespace": "ticketing", **PROD}, {**PG, "schema": "cargo"})
        assert ("ticketing", 1) == (owner.app, owner.rung)


class TestMemory:
    def test_distinct_facts_are_remembered_within_a_bound(self) -> None:
        joiner = Joiner(AIRLINE, most=10)
        for number in range(100):
            joiner.join({"service.name": f"s{number}"}, {})
        assert len(joiner._verdicts) <= 10

    def test_facts_that_nobody_looks_at_cost_no_memory(self) -> None:
        joiner = Joiner(AIRLINE)
        for number in range(100):
            joiner.join({"service.name": "cargo-api"}, {"user.id": str(number)})
        assert 1 == len(joiner._verdicts)

    @pytest.mark.parametrize(
        "odd", [None, True, 1.5, ["ticketing"], {"a": 1}, "", "ticketing\x00", "TICKETING"]
    )
    def test_a_tag_that_is_no_plain_name_is_no_tag_of_ours(self, odd: object) -> None:
        assert joined({"service.namespace": odd}).app is None

    def test_a_hostile_tag_is_cut_in_what_is_said(self) -> None:
        owner = joined({"service.namespace": "x" * 10_000})
        assert len(str(owner.missing)) <= 160

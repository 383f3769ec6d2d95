"""The shape of an App document."""

from slo.loader.leaves import (
    ANNOTATIONS,
    LABELS,
    NAME,
    RECEIVER,
    SOURCE_REFERENCE,
    VALUE,
    document,
    names,
)
from slo.loader.shapes_component import COMPONENT
from slo.loader.shapes_slo import SLO, SLO_OVERRIDE
from slo.shape import Field, Flag, ListOf, MapOf, Record, Text, Url

MOST_ENVIRONMENTS = 50
MOST_SLOS = 1000
"""Together they bound how much a small file can ask for."""

_TEAM = Text(max_length=63)

METADATA = Record(
    description="Who the app is.",
    fields={
        "name": Field(shape=NAME, required=True, description="Its name, unique everywhere."),
        "team": Field(shape=_TEAM, required=True, description="The team that answers for it."),
        "title": Field(shape=VALUE, description="Its name for people."),
        "labels": Field(
            shape=LABELS, description="Labels of slo_info and of its alerts, such as tier."
        ),
        "annotations": Field(shape=ANNOTATIONS, description="Notes for people and other tools."),
    },
)

CONTACTS = Record(
    description="Who hears of the app's alerts.",
    fields={
        "page": Field(
            shape=RECEIVER, description="The receiver of its pages, as in the workspace."
        ),
        "ticket": Field(shape=RECEIVER, description="The receiver of its tickets."),
        "chat": Field(shape=VALUE, description="The channel where its team talks."),
        "email": Field(
            shape=Text(pattern=r"[^\s@<>,;]+@[^\s@<>,;]+", form="an email address", max_length=254),
            description="The team's address.",
        ),
    },
)

_MATCH = Field(shape=LABELS, description="The labels that every series of it carries.")
_SOURCE = Field(
    shape=SOURCE_REFERENCE, description="The source that holds it; the default one without it."
)

CLUSTER = Record(
    description="One place an environment runs in.",
    fields={
        "name": Field(shape=NAME, required=True, description="Its name in the environment."),
        "match": _MATCH,
        "source": _SOURCE,
    },
)

ENVIRONMENT = Record(
    description="Where the app runs, and what differs there.",
    fields={
        "name": Field(shape=NAME, required=True, description="Such as prod or staging."),
        "clusters": Field(
            shape=ListOf(shape=CLUSTER, min_items=1, max_items=200, unique_by="name"),
            description="Its clusters; their events are added up.",
        ),
        "match": _MATCH,
        "source": _SOURCE,
        "gate": Field(shape=NAME, description="The gate policy that judges deploys here."),
        "slos": Field(
            shape=MapOf(key=NAME, shape=SLO_OVERRIDE),
            description="What differs here, by name of the SLO.",
        ),
    },
    forbid_together=(("clusters", "match"), ("clusters", "source")),
)

SPEC = Record(
    description="What the app consists of and how well it must work.",
    fields={
        "contacts": Field(shape=CONTACTS, description="Who hears of its alerts."),
        "runbook": Field(shape=Url(), description="What to do when it fails."),
        "dependsOn": Field(shape=names(), description="The apps it cannot work without."),
        "environments": Field(
            shape=ListOf(
                shape=ENVIRONMENT, min_items=1, max_items=MOST_ENVIRONMENTS, unique_by="name"
            ),
            description="Where it runs; without it one environment that selects everything.",
        ),
        "components": Field(
            shape=ListOf(shape=COMPONENT, unique_by="name"), description="Its parts."
        ),
        "slos": Field(
            shape=ListOf(shape=SLO, max_items=MOST_SLOS, unique_by="name"),
            description="Its objectives.",
        ),
        "gate": Field(shape=NAME, description="The gate policy of all its environments."),
        "security": Field(
            shape=Record(
                fields={
                    "sources": Field(
                        shape=names(), description="The security tools that watch the app."
                    )
                }
            ),
            description="What watches its security.",
        ),
        "dashboards": Field(
            shape=Record(
                fields={
                    "grafana": Field(
                        shape=Record(
                            fields={"folder": Field(shape=VALUE, description="The folder's title.")}
                        ),
                        description="Its dashboards in Grafana.",
                    ),
                    "kibana": Field(
                        shape=Record(
                            fields={
                                "slos": Field(
                                    shape=Flag(),
                                    default="false",
                                    description="Whether Kibana gets SLOs of its own.",
                                )
                            }
                        ),
                        description="Its saved objects in Kibana.",
                    ),
                }
            ),
            description="Where its dashboards stand.",
        ),
    },
)

APP = document(
    "App",
    metadata=Field(shape=METADATA, required=True, description="Who the app is."),
    spec=Field(shape=SPEC, required=True, description="What it consists of."),
)
"""A whole App document."""

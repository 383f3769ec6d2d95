"""The shape of a Workspace document."""

from slo.collecting import COLLECTORS as KNOWN_COLLECTORS
from slo.collecting import Destination
from slo.loader.leaves import (
    BUCKETS,
    FILE_PATH,
    METRIC_NAME,
    NAME,
    SCRAPE_INTERVAL,
    VALUE,
    WINDOW,
    document,
    names,
)
from slo.loader.shapes_receivers import RECEIVERS
from slo.loader.shapes_serving import COSTS, SERVE
from slo.loader.shapes_sources import SOURCES
from slo.shape import Choice, Field, Flag, ListOf, MapOf, Record, Text, Url

_PATHS = ListOf(shape=FILE_PATH, unique=True)

DEFAULTS = Record(
    description="What an app gets where its file says nothing.",
    fields={
        "window": Field(shape=WINDOW, default="30d", description="The period of a budget."),
        "scrapeInterval": Field(
            shape=SCRAPE_INTERVAL, default="30s", description="How often targets are scraped."
        ),
        "buckets": Field(
            shape=MapOf(key=METRIC_NAME, shape=BUCKETS),
            description="The boundaries of histograms by name, to check thresholds offline.",
        ),
        "windows": Field(
            shape=FILE_PATH, description="A file with window pairs instead of the built-in ones."
        ),
    },
)

LINKS = Record(
    description="Addresses of the other tools, for annotations and dashboards.",
    fields={
        "console": Field(shape=Url(), description="The console of Headroom."),
        "grafana": Field(shape=Url(), description="Grafana."),
        "kibana": Field(shape=Url(), description="Kibana."),
        "jaeger": Field(shape=Url(), description="Jaeger."),
    },
)

COLLECTORS = Record(
    description="What log and trace collectors are configured for.",
    fields={
        "use": Field(
            shape=names(Choice(choices=KNOWN_COLLECTORS)),
            description="The collectors that this installation runs.",
        ),
        "destination": Field(
            shape=Choice(choices=tuple(each.value for each in Destination)),
            default="otlp",
            description="Where they send.",
        ),
        "endpoint": Field(
            shape=Url(),
            description="The default of the variable that names the destination's address.",
        ),
        "versions": Field(
            shape=MapOf(key=Choice(choices=KNOWN_COLLECTORS), shape=VALUE),
            description="The version of each collector, such as otelcol.",
        ),
        "redactBuiltIn": Field(
            shape=Flag(),
            description="Whether the usual secrets are taken out of records on their host.",
        ),
        "redact": Field(
            shape=MapOf(key=NAME, shape=Text(max_length=512, literal=True)),
            description="Further patterns of secrets, by name.",
        ),
    },
)

PUBLISH = Record(
    description="Where `headroom publish` puts what was generated.",
    fields={
        "rules": Field(
            shape=ListOf(
                shape=Record(
                    fields={
                        "folder": Field(
                            shape=FILE_PATH, description="A folder that a server's rule_files name."
                        ),
                        "ruler": Field(
                            shape=Choice(choices=("mimir", "cortex")),
                            description="The rule store of the source, by its kind.",
                        ),
                        "source": Field(
                            shape=VALUE, description="The server, such as prometheus/eu."
                        ),
                        "prefix": Field(
                            shape=VALUE,
                            description="What the ruler's namespaces of this workspace begin with.",
                        ),
                    },
                    exactly_one_of=(("folder", "ruler"),),
                    needs={"ruler": ("source",), "prefix": ("ruler",)},
                )
            ),
            description="Where rules run.",
        ),
        "alertmanager": Field(
            shape=Record(
                fields={
                    "file": Field(
                        shape=FILE_PATH,
                        required=True,
                        description="The configuration file; the server is sources.alertmanager.",
                    )
                }
            ),
            description="Where Alertmanager reads its configuration.",
        ),
    },
)

SPEC = Record(
    description="Where everything of an installation is; paths are relative to this file.",
    fields={
        "apps": Field(shape=_PATHS, description="Files and folders of apps; this folder without."),
        "policies": Field(shape=_PATHS, description="Files and folders of gate policies."),
        "templates": Field(shape=_PATHS, description="Folders of indicator templates."),
        "output": Field(
            shape=FILE_PATH, default="generated", description="The folder of what is generated."
        ),
        "state": Field(shape=FILE_PATH, description="The folder of decisions and their audit."),
        "defaults": Field(shape=DEFAULTS, description="What an app gets where it says nothing."),
        "sources": Field(shape=SOURCES, description="Where the numbers are read."),
        "receivers": Field(shape=RECEIVERS, description="Who can be told of alerts."),
        "links": Field(shape=LINKS, description="Addresses of the other tools."),
        "publish": Field(shape=PUBLISH, description="Where generated files are put to work."),
        "serve": Field(shape=SERVE, description="Who may send to the server and who may look."),
        "costs": Field(shape=COSTS, description="What telemetry costs."),
        "collectors": Field(shape=COLLECTORS, description="What collectors are configured for."),
    },
)

WORKSPACE = document(
    "Workspace",
    metadata=Field(
        shape=Record(fields={"name": Field(shape=NAME, description="The installation's name.")}),
        description="The installation's name, if it has one.",
    ),
    spec=Field(shape=SPEC, required=True, description="Where everything is."),
)
"""A whole Workspace document."""

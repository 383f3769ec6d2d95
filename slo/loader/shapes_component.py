"""The shape of a component: a part of an app and the keys by which its telemetry is known."""

from slo.loader.leaves import FILE_PATH, NAME, VALUE, names
from slo.model import ComponentKind
from slo.shape import Choice, Field, Flag, ListOf, MapOf, Record, Text

_WORKLOAD = Text(
    pattern="(?:deployment|statefulset|daemonset|job|cronjob|rollout|pod)/[a-z0-9][-a-z0-9.]*",
    form="a workload such as deployment/api",
    max_length=253,
)
_LABEL_KEY = Text(
    pattern="[a-zA-Z0-9](?:[-a-zA-Z0-9_./]*[a-zA-Z0-9])?",
    form="a label's key such as app.kubernetes.io/name",
    max_length=317,
)
_WORD = Text(max_length=512)

KUBERNETES = Record(
    description="Where it runs in Kubernetes.",
    fields={
        "namespace": Field(shape=Text(max_length=63), description="Its namespace."),
        "workload": Field(shape=_WORKLOAD, description="Its workload, such as deployment/api."),
        "labels": Field(
            shape=MapOf(key=_LABEL_KEY, shape=VALUE), description="The labels of its pods."
        ),
    },
)

LOG_SOURCE = Record(
    description="One place where it writes logs.",
    fields={
        "kubernetes": Field(shape=Flag(), description="Standard output of its pods."),
        "path": Field(shape=FILE_PATH, description="Files on its hosts; may hold *."),
        "journald": Field(shape=_WORD, description="A systemd unit."),
        "syslog": Field(shape=_WORD, description="A program that logs by syslog, by its name."),
        "container": Field(shape=_WORD, description="Only this container of its pods."),
        "format": Field(
            shape=Choice(choices=("json", "plain", "logfmt")),
            default="json",
            description="How a line reads.",
        ),
        "multiline": Field(
            shape=_WORD, description="A regular expression that begins the first line of a record."
        ),
        "traceId": Field(shape=_WORD, description="The field that holds the trace id."),
        "spanId": Field(shape=_WORD, description="The field that holds the span id."),
        "time": Field(shape=_WORD, description="The field that holds the time, as ISO 8601."),
    },
    exactly_one_of=(("kubernetes", "path", "journald", "syslog"),),
    needs={"container": ("kubernetes",)},
)

CLOUDWATCH = Record(
    description="Where AWS CloudWatch keeps its metrics.",
    fields={
        "namespace": Field(shape=_WORD, required=True, description="Such as AWS/ApplicationELB."),
        "dimensions": Field(
            shape=MapOf(key=_WORD, shape=VALUE), description="The dimensions that select it."
        ),
    },
)

COMPONENT = Record(
    description="A part of the app and the keys by which its telemetry is recognised.",
    fields={
        "name": Field(shape=NAME, required=True, description="Its name, unique in the app."),
        "kind": Field(
            shape=Choice(choices=tuple(kind.value for kind in ComponentKind)),
            required=True,
            description="What it is.",
        ),
        "service": Field(shape=_WORD, description="Its OpenTelemetry service.name."),
        "engine": Field(shape=_WORD, description="Its product, such as postgresql or kafka."),
        "address": Field(shape=_WORD, description="Host and port where it answers."),
        "kubernetes": Field(shape=KUBERNETES, description="Where it runs in Kubernetes."),
        "hosts": Field(shape=names(_WORD), description="The hosts it runs on."),
        "images": Field(shape=names(_WORD), description="Its image repositories, without a tag."),
        "logs": Field(shape=ListOf(shape=LOG_SOURCE), description="Where it writes logs."),
        "share": Field(
            shape=MapOf(key=_WORD, shape=VALUE),
            description="Which part of a shared thing is this app's, such as a database schema.",
        ),
        "cloudwatch": Field(shape=CLOUDWATCH, description="Its metrics in AWS CloudWatch."),
        "metrics": Field(shape=names(_WORD), description="Addresses of its metrics endpoints."),
        "dependsOn": Field(
            shape=names(NAME), description="Components of this app, or other apps, that it needs."
        ),
    },
)

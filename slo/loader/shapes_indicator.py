"""The shape of an indicator: what an SLO counts, in one of its kinds."""

from slo.loader.leaves import (
    BUCKETS,
    INDICATOR_SOURCE,
    LABEL_NAME,
    NAME,
    QUERY,
    SCRAPE_INTERVAL,
)
from slo.shape import (
    Anything,
    Choice,
    DurationText,
    Either,
    Field,
    Flag,
    ListOf,
    MapOf,
    Record,
    Text,
)
from slo.units import Duration

SLICE = Field(
    shape=DurationText(),
    default="1m",
    description="The length of one slice of time; five minutes are a whole number of them.",
)

EVENTS = Record(
    description="Good and bad events, counted by Prometheus counters.",
    fields={
        "total": Field(
            shape=QUERY,
            required=True,
            description="All events: a counter's selector, or an expression over [$window].",
        ),
        "bad": Field(
            shape=QUERY,
            description="The bad events: a selector, or an expression over [$window].",
        ),
        "good": Field(
            shape=QUERY,
            description="The good events, where only those are counted.",
        ),
    },
    exactly_one_of=(("bad", "good"),),
)

LATENCY = Record(
    description="Requests faster than a threshold, from a histogram.",
    fields={
        "histogram": Field(
            shape=QUERY,
            required=True,
            description="The histogram's selector by its base name, without _bucket.",
        ),
        "threshold": Field(
            shape=DurationText(),
            required=True,
            description="Slower requests are bad; for a classic histogram, one of its buckets.",
        ),
        "native": Field(
            shape=Flag(),
            default="false",
            description="Whether it is a native histogram, which has no fixed buckets.",
        ),
        "unit": Field(
            shape=Choice(choices=("seconds", "milliseconds")),
            default="seconds",
            description="What the histogram measures in.",
        ),
        "buckets": Field(
            shape=BUCKETS,
            description="The boundaries, in the histogram's unit, to check the threshold offline.",
        ),
    },
)

RATIO = Record(
    description="A share from 0 to 1 that an expression already computes.",
    fields={
        "error": Field(
            shape=QUERY, description="The share of bad events: an expression over [$window]."
        ),
        "good": Field(
            shape=QUERY, description="The share of good events: an expression over [$window]."
        ),
        "weight": Field(
            shape=QUERY,
            description="How much each moment counts, such as the rate of requests; without it "
            "every second counts the same.",
        ),
    },
    exactly_one_of=(("error", "good"),),
)

SLICES = Record(
    description="Slices of time, good while an expression meets a condition.",
    fields={
        "expr": Field(
            shape=QUERY, required=True, description="An expression without $window, for a moment."
        ),
        "goodWhen": Field(
            shape=Text(),
            required=True,
            description='The condition of a good slice, such as "< 0.3".',
        ),
        "slice": SLICE,
    },
)

PROBE = Either(
    description="A gauge that is 1 while the probed thing works and 0 while it does not.",
    scalar=QUERY,
    mapping=Record(
        fields={
            "selector": Field(
                shape=QUERY, required=True, description="The gauge, such as probe_success{…}."
            ),
            "slice": SLICE,
        }
    ),
)

LOGS = Record(
    description="Log records of the app, counted by two queries.",
    fields={
        "query": Field(
            shape=QUERY, required=True, description="All records that count, in Lucene's syntax."
        ),
        "bad": Field(shape=QUERY, required=True, description="The bad ones among them."),
    },
)

SPANS = Record(
    description="Spans of one service, bad by status, by duration, or by either.",
    fields={
        "service": Field(
            shape=Text(), required=True, description="The OpenTelemetry service.name."
        ),
        "operation": Field(shape=Text(), description="The span's name; all of them without it."),
        "bad": Field(
            shape=Choice(choices=("error",)), description="Spans with status error are bad."
        ),
        "slowerThan": Field(shape=DurationText(), description="Slower spans are bad."),
    },
    at_least_one_of=(("bad", "slowerThan"),),
)

KINDS = {
    "events": Field(shape=EVENTS, description="Events counted by counters."),
    "latency": Field(shape=LATENCY, description="Requests faster than a threshold."),
    "ratio": Field(shape=RATIO, description="A share computed elsewhere."),
    "slices": Field(shape=SLICES, description="Good minutes of all minutes."),
    "probe": Field(shape=PROBE, description="A gauge of 0 and 1."),
    "logs": Field(shape=LOGS, description="Log records."),
    "spans": Field(shape=SPANS, description="Spans of traces."),
}

COMMON = {
    "offset": Field(
        shape=DurationText(maximum=Duration.of(days=7)),
        description="Reads this far in the past, for data that arrives late.",
    ),
    "target": Field(
        shape=ListOf(shape=LABEL_NAME, min_items=1, unique=True),
        description="The labels that identify one scraped process; job and instance without it.",
    ),
    "scrapeInterval": Field(
        shape=SCRAPE_INTERVAL,
        description="How often the source is scraped; the workspace's default without it.",
    ),
    "proven": Field(
        shape=Flag(),
        description="Says that a bad selector which has never matched anything is right.",
    ),
    "source": Field(
        shape=INDICATOR_SOURCE,
        description="The source to read instead of the environment's, such as prometheus/eu; of a "
        "product such as datadog, whose own language then is that of events or ratio.",
    ),
}

INDICATOR = Record(
    description="What is counted: exactly one kind of indicator, or a template.",
    fields={
        **KINDS,
        "template": Field(shape=NAME, description="The name of an indicator template."),
        "with": Field(
            shape=MapOf(key=Text(max_length=64), shape=Anything()),
            description="The template's parameters.",
        ),
        **COMMON,
    },
    exactly_one_of=((*KINDS, "template"),),
    needs={"with": ("template",)},
)
"""An indicator in an SLO."""

EXPANDED = Record(
    description=INDICATOR.description,
    fields={**KINDS, **COMMON},
    exactly_one_of=(tuple(KINDS),),
)
"""An indicator that a template made."""

OVERRIDE = Record(
    description="What differs about the indicator here: where and how it is read.",
    fields=COMMON,
)
"""The keys of an indicator that an environment may change."""

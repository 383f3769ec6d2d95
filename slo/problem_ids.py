"""The problem ids: each a stable name that users search for, with the title of its docs page."""

from collections.abc import Mapping
from types import MappingProxyType

_YAML = {
    "yaml/complex-key": "A mapping key is a list or a mapping",
    "yaml/control-character": "The file holds a character that YAML does not allow",
    "yaml/duplicate-key": "A key is set twice in one mapping",
    "yaml/encoding": "The file is not UTF-8 text",
    "yaml/invisible-character": "The file holds characters that change the direction of text",
    "yaml/merge-key": "Merge keys (<<) are not supported",
    "yaml/null-key": "A mapping key is empty or null",
    "yaml/scalar-too-long": "A single value is too long",
    "yaml/self-reference": "An alias refers to a value that contains it",
    "yaml/syntax": "The file is not valid YAML",
    "yaml/tab": "A tab stands where YAML wants spaces",
    "yaml/tag": "YAML tags are not supported",
    "yaml/too-deep": "The file is nested too deeply",
    "yaml/too-large": "The file is too large",
    "yaml/too-many-nodes": "The file holds too many values once its aliases are followed",
    "yaml/unknown-alias": "An alias refers to an anchor that does not exist",
}

_SHAPE = {
    "spec/bad-choice": "A value is none of the allowed ones",
    "spec/bad-date": "A value is not a date",
    "spec/bad-duration": "A value is not a duration",
    "spec/bad-number": "A value is not a number",
    "spec/bad-objective": "An objective is not a percentage that can be met",
    "spec/bad-text": "A text does not have the form it needs",
    "spec/bad-url": "A value is not an http or https URL",
    "spec/control-character": "A text holds characters that cannot be printed",
    "spec/duplicate-item": "A list holds two items that must differ",
    "spec/exclusive-keys": "Keys that exclude each other are set together",
    "spec/missing-key": "A required key is missing",
    "spec/missing-value": "A key has no value",
    "spec/needs-key": "A key is set without another key that it needs",
    "spec/out-of-range": "A number or duration is outside its range",
    "spec/too-few-items": "A list or mapping has too few items",
    "spec/too-long": "A text or list is too long",
    "spec/unknown-key": "A key is not known here",
    "spec/wrong-type": "A value is of the wrong type",
}

_LOADER = {
    "query/histogram": "A histogram is not named by its base name",
    "query/log-syntax": "A query of log records cannot be read",
    "query/no-match": "A selector asks for labels that an environment does not have",
    "query/no-metric": "A selector names no metric",
    "query/no-window": "An expression has no $window",
    "query/not-selector": "An expression stands where only a selector can",
    "query/syntax": "A PromQL query cannot be read",
    "query/type": "A query does not give a vector",
    "query/unit": "A query gives neither a rate nor a count for certain",
    "query/window": "The variable $window stands where it has no meaning",
    "spec/bad-condition": "The condition of a good slice cannot be read",
    "spec/bad-pair": "A window pair can never fire as it should",
    "spec/bad-regex": "A regular expression cannot be read",
    "spec/bad-slice": "Five minutes are not a whole number of slices",
    "spec/bad-source": "An indicator cannot be asked of its source",
    "spec/bad-template": "An annotation holds a template that alerts cannot use",
    "spec/bad-window": "A budget's period is not one that can be kept",
    "spec/bucket-boundary": "A latency threshold is no bucket boundary",
    "spec/counts-time": "A number of events is asked of an indicator that measures time",
    "spec/dropped-pair": "A window pair of the catalogue is left out for an SLO",
    "spec/duplicate-app": "Two documents describe the same app",
    "spec/inline-secret": "A secret is written in the file",
    "spec/missing-file": "A path of the workspace leads nowhere",
    "spec/no-burn-alert": "An SLO has no burn-rate alert",
    "spec/no-document": "A file holds no document of Headroom",
    "spec/reserved-label": "A label has a name that Headroom sets itself",
    "spec/same-selection": "Two environments select the same series",
    "spec/unexpected-document": "A document is of a kind that is not wanted here",
    "spec/unknown-app": "An app that is depended on does not exist",
    "spec/unknown-component": "A component that is depended on does not exist",
    "spec/unknown-slo": "An environment changes an SLO that the app does not have",
    "spec/unknown-source": "A source is not in the workspace",
    "spec/unknown-template": "There is no indicator template of that name",
}

_ALERTMANAGER = {
    "alertmanager/bad-setting": "A setting of a receiver does not have the form it needs",
    "alertmanager/inline-secret": "A receiver's secret is written in the workspace file",
    "alertmanager/missing-setting": "A receiver lacks a setting that it needs",
    "alertmanager/needs-version": "A receiver needs a newer Alertmanager",
    "alertmanager/no-mail-server": "An address cannot be mailed: there is no email receiver",
    "alertmanager/no-receiver": "Nobody is told of an alert",
    "alertmanager/unknown-kind": "A receiver is of a kind that is not known",
    "alertmanager/unknown-receiver": "A contact names a receiver that the workspace lacks",
    "alertmanager/unknown-setting": "A receiver's kind has no such setting",
}

_TEMPLATES = {
    "template/bad-parameter": "A parameter of an indicator template contradicts itself",
    "template/bad-placeholder": "A placeholder of an indicator template cannot be filled there",
    "template/bad-regex": "A parameter that is a regular expression is not a valid one",
    "template/duplicate-name": "Two indicator templates have the same name",
}

_POLICY = {
    "policy/conflict": "Two gate policies fit an app equally well",
    "policy/contradiction": "Settings of a gate rule contradict each other",
    "policy/duplicate-name": "Two gate policies have the same name",
    "policy/unknown": "There is no gate policy of that name",
    "policy/unknown-rule": "An exemption names a rule that the policy does not have",
    "policy/unknown-timezone": "A time zone does not exist",
}

_LIVE = {
    "live/bucket-boundary": "A latency threshold is no bucket boundary on the server",
    "live/histogram-kind": "A histogram is of another kind on the server",
    "live/mixed-series": "A selector matches series of several applications",
    "live/no-environment": "An environment's labels select nothing on the server",
    "live/no-series": "A selector matches nothing on the server",
    "live/not-in-total": "Bad or good events are not all among the total's",
    "live/series-gone": "A selector matched series in the last day, but none in the last hour",
    "live/shared-series": "Two apps count the same series",
    "live/unknown-label": "A metric on the server does not have a label",
    "live/unknown-metric": "There is no such metric on the server",
    "live/unproven": "A selector of bad events has matched nothing in the last day",
}

PROBLEM_IDS: Mapping[str, str] = MappingProxyType(
    {**_YAML, **_SHAPE, **_LOADER, **_ALERTMANAGER, **_TEMPLATES, **_POLICY, **_LIVE}
)
"""Every problem id with the title of its page; an id that is not here cannot be reported."""

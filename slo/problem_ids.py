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

PROBLEM_IDS: Mapping[str, str] = MappingProxyType({**_YAML, **_SHAPE, **_ALERTMANAGER})
"""Every problem id with the title of its page; an id that is not here cannot be reported."""

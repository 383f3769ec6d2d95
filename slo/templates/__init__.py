"""Indicator templates: ready-made indicators as data, filled with an app's own parameters.

In an app file ``indicator: {template: istio-availability, with: {destination: ticketing}}`` stands
for the indicator that the template's file holds, with ``${destination}`` replaced.
"""

from slo.templates.library import TemplateLibrary
from slo.templates.page import library_markdown
from slo.templates.parameters import Parameter, ParameterType
from slo.templates.template import Example, Template

__all__ = [
    "Example",
    "Parameter",
    "ParameterType",
    "Template",
    "TemplateLibrary",
    "library_markdown",
]

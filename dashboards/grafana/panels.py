"""The kinds of panels that the dashboards are made of, each with the same care.

Every panel has a unit, a text for missing data and a description that states its formula.
"""

from __future__ import annotations

from collections.abc import Sequence

from grafana_foundation_sdk.builders import (
    common,
    dashboard,
    prometheus,
    stat,
    table,
    text,
    timeseries,
)
from grafana_foundation_sdk.models import common as kinds
from grafana_foundation_sdk.models import dashboard as model
from grafana_foundation_sdk.models import units
from grafana_foundation_sdk.models.prometheus import PromQueryFormat
from grafana_foundation_sdk.models.text import TextMode

from slo.records import dataclass

DATASOURCE_VARIABLE = "datasource"
DATASOURCE = model.DataSourceRef(type_val="prometheus", uid=f"${{{DATASOURCE_VARIABLE}}}")
"""The Prometheus that the reader of the dashboard chooses."""

NO_DATA = "no data"
GREEN, ORANGE, RED, BLUE, GREY = "green", "orange", "red", "blue", "text"

Steps = Sequence[tuple[float | None, str]]
"""Colours from a value upwards; the first value is ``None``, minus infinity."""


Panel = stat.Panel | table.Panel | text.Panel | timeseries.Panel
"""A builder of any kind of panel used here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One query of a chart and how its line looks; without a colour Grafana picks one."""

    query: str
    legend: str
    color: str | None = None
    dashed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column of a table that joins instant queries; ``decimals`` are left to Grafana if absent.

    ``words`` replace numbers by a text and a colour.
    """

    title: str
    query: str
    unit: str
    decimals: int | None = None
    steps: Steps = ()
    words: Sequence[tuple[int, str, str]] = ()


def figure(
    *, title: str, description: str, query: str, unit: str, decimals: int, steps: Steps
) -> stat.Panel:
    """Return one number, coloured by its thresholds."""
    return (
        stat.Panel()
        .title(title)
        .description(description)
        .datasource(DATASOURCE)
        .with_target(_instant(query, "A"))
        .unit(unit)
        .decimals(decimals)
        .no_value(NO_DATA)
        .thresholds(thresholds(steps))
        .color_scheme(dashboard.FieldColor().mode(model.FieldColorModeId.THRESHOLDS))
        .reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]))
        .graph_mode(kinds.BigValueGraphMode.NONE)
        .color_mode(kinds.BigValueColorMode.VALUE)
    )


def chart(
    *,
    title: str,
    description: str,
    lines: Sequence[Line],
    unit: str,
    decimals: int | None = None,
    steps: Steps = ((None, GREEN),),
) -> timeseries.Panel:
    """Return lines over time: thresholds above the first are drawn across, gaps stay gaps."""
    panel = (
        timeseries.Panel()
        .title(title)
        .description(description)
        .datasource(DATASOURCE)
        .unit(unit)
        .no_value(NO_DATA)
        .line_width(1)
        .fill_opacity(0)
        .show_points(kinds.VisibilityMode.NEVER)
        .span_nulls(span_nulls=False)
        .color_scheme(dashboard.FieldColor().mode(model.FieldColorModeId.PALETTE_CLASSIC))
        .thresholds(thresholds(steps))
        .thresholds_style(common.GraphThresholdsStyleConfig().mode(_threshold_lines(steps)))
        .legend(
            common.VizLegendOptions()
            .show_legend(show_legend=True)
            .display_mode(kinds.LegendDisplayMode.TABLE)
            .placement(kinds.LegendPlacement.RIGHT)
            .calcs(["lastNotNull", "max"])
        )
        .tooltip(
            common.VizTooltipOptions()
            .mode(kinds.TooltipDisplayMode.MULTI)
            .sort(kinds.SortOrder.DESCENDING)
        )
    )
    if decimals is not None:
        panel = panel.decimals(decimals)
    for index, line in enumerate(lines):
        panel = panel.with_target(_range(line.query, _ref(index), line.legend))
        looks = _looks(line)
        if looks:
            panel = panel.override_by_name(line.legend, looks)
    return panel


def joined_table(
    *, title: str, description: str, key: str, key_title: str, columns: Sequence[Column]
) -> table.Panel:
    """Return a table with a row for each value of the label ``key`` and a column for each query.

    The queries yield one sample for each value of the label, and carry no other label.
    """
    panel = _table(title, description).unit(units.NoUnit)
    names = {key: key_title}
    for index, column in enumerate(columns):
        panel = panel.with_target(_instant(column.query, _ref(index), as_table=True))
        panel = panel.override_by_name(column.title, _cell(column))
        names[f"Value #{_ref(index)}"] = column.title
    return panel.with_transformation(_transformation("merge", {})).with_transformation(
        _organize(names, hidden=("Time",))
    )


def label_table(
    *, title: str, description: str, query: str, labels: Sequence[tuple[str, str]], empty: str
) -> table.Panel:
    """Return a table of the labels of what a query finds: pairs of label and column title."""
    return (
        _table(title, description)
        .unit(units.NoUnit)
        .no_value(empty)
        .with_target(_instant(query, "A", as_table=True))
        .with_transformation(_organize(dict(labels), hidden=("Time", "Value")))
    )


def note(*, title: str, description: str, content: str) -> text.Panel:
    """Return a text in Markdown."""
    return (
        text.Panel().title(title).description(description).mode(TextMode.MARKDOWN).content(content)
    )


def thresholds(steps: Steps) -> dashboard.ThresholdsConfig:
    """Return absolute thresholds."""
    return (
        dashboard.ThresholdsConfig()
        .mode(model.ThresholdsMode.ABSOLUTE)
        .steps([model.Threshold(value=value, color=color) for value, color in steps])
    )


def _table(title: str, description: str) -> table.Panel:
    return (
        table.Panel()
        .title(title)
        .description(description)
        .datasource(DATASOURCE)
        .no_value(NO_DATA)
        .show_header(show_header=True)
        .cell_height(kinds.TableCellHeight.SM)
        .align(kinds.FieldTextAlignment.AUTO)
        .inspect(inspect=False)
    )


def _query(query: str, ref: str) -> prometheus.Dataquery:
    return prometheus.Dataquery().datasource(DATASOURCE).expr(query).ref_id(ref)


def _instant(query: str, ref: str, *, as_table: bool = False) -> prometheus.Dataquery:
    form = PromQueryFormat.TABLE if as_table else PromQueryFormat.TIME_SERIES
    return _query(query, ref).instant().format(form)


def _range(query: str, ref: str, legend: str) -> prometheus.Dataquery:
    return _query(query, ref).range().format(PromQueryFormat.TIME_SERIES).legend_format(legend)


def _ref(index: int) -> str:
    return chr(ord("A") + index)


def _threshold_lines(steps: Steps) -> kinds.GraphThresholdsStyleMode:
    lines = kinds.GraphThresholdsStyleMode
    return lines.DASHED if len(steps) > 1 else lines.OFF


def _looks(line: Line) -> list[model.DynamicConfigValue]:
    looks = []
    if line.color is not None:
        fixed = {"mode": model.FieldColorModeId.FIXED.value, "fixedColor": line.color}
        looks.append(model.DynamicConfigValue(id_val="color", value=fixed))
    if line.dashed:
        style = {"fill": "dash", "dash": [8, 8]}
        looks.append(model.DynamicConfigValue(id_val="custom.lineStyle", value=style))
    return looks


def _cell(column: Column) -> list[model.DynamicConfigValue]:
    settings: list[tuple[str, object]] = [("unit", column.unit)]
    if column.decimals is not None:
        settings.append(("decimals", column.decimals))
    if column.steps:
        settings.append(("thresholds", thresholds(column.steps).build()))
    if column.words:
        settings.append(("mappings", _mappings(column.words)))
    if column.steps or column.words:
        settings.append(("custom.cellOptions", kinds.TableColorTextCellOptions()))
    return [model.DynamicConfigValue(id_val=name, value=value) for name, value in settings]


def _mappings(words: Sequence[tuple[int, str, str]]) -> list[model.ValueMapping]:
    known = {
        str(value): model.ValueMappingResult(text=word, color=color, index=index)
        for index, (value, word, color) in enumerate(words)
    }
    missing = model.ValueMappingResult(text=NO_DATA, color=GREY, index=len(known))
    return [
        model.ValueMap(options=known),
        model.SpecialValueMap(
            options=model.DashboardSpecialValueMapOptions(
                match=model.SpecialValueMatch.NULL_AND_NAN, result=missing
            )
        ),
    ]


def _organize(names: dict[str, str], *, hidden: Sequence[str]) -> model.DataTransformerConfig:
    return _transformation(
        "organize",
        {
            "excludeByName": dict.fromkeys(hidden, True),
            "indexByName": {name: index for index, name in enumerate(names)},
            "renameByName": names,
        },
    )


def _transformation(name: str, options: object) -> model.DataTransformerConfig:
    return model.DataTransformerConfig(id_val=name, options=options)

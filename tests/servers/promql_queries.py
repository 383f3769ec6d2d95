"""Queries on which engines are compared: a list, the ledger's own, and random ones."""

import random
from collections.abc import Callable, Iterator
from decimal import Decimal

from slo.ledger import expressions
from slo.model import Cluster, Comparison, Latency, Measure, Probe, Ratio, ServiceLevel, Slices
from slo.units import Duration
from tests.builders import events, latency, level, query, slo
from tests.servers.promql_world import SCRAPE

BOTH_VERSIONS = (
    'http_requests_total{job="api"}',
    'http_requests_total{job="api", code!~"2..|404", instance!=""}',
    '{__name__=~"temp.*|room_size", room=~"a|b"}',
    "up offset 5m",
    "up offset -3m",
    "up @ 1767230000.5",
    "up @ start() - up @ end()",
    "rate(up[5m] @ end() offset 10m)",
    "sum(rate(http_requests_total[5m]))",
    "sum by (code, job) (rate(http_requests_total[2m]))",
    "sum without (instance, code) (irate(http_requests_total[2m]))",
    "increase(http_request_duration_seconds_sum[7m])",
    "delta(temperature[10m])",
    "idelta(temperature[10m])",
    "deriv(room_size[10m])",
    "deriv(http_requests_total[10m])",
    'predict_linear(http_requests_total{job="web"}[10m], 3600)',
    "changes(temperature[20m])",
    "resets(http_requests_total[30m])",
    "resets(temperature[20m])",
    "last_over_time(temperature[2m])",
    "last_over_time(temperature[20m:7m])",
    "sum_over_time(temperature[11m])",
    "avg_over_time(temperature[11m])",
    "min_over_time(temperature[11m])",
    "max_over_time(temperature[11m])",
    "count_over_time(temperature[11m])",
    "present_over_time(temperature[11m])",
    "stddev_over_time(http_requests_total[11m])",
    "stdvar_over_time(room_size[11m])",
    "quantile_over_time(0.3, temperature[11m])",
    "quantile_over_time(1.2, temperature[11m])",
    "quantile_over_time(scalar(up{instance='none'}), temperature[11m])",
    'absent_over_time(http_requests_total{job="api", code="503"}[1m])',
    'absent_over_time(nothing{a="b", c=~"d"}[5m])',
    "absent(nothing)",
    'absent(nothing{a="b", a!="c", d="e"})',
    "absent(sum(nothing))",
    "timestamp(temperature)",
    "timestamp(temperature * 1)",
    "timestamp((up offset 5m))",
    "time()",
    "time() - timestamp(up)",
    "vector(1)",
    "vector(time() % 600)",
    "scalar(temperature)",
    "scalar(sum(up))",
    "-temperature",
    "-(1)^2",
    "2 ^ 3 ^ 2",
    "-temperature ^ 2",
    "abs(temperature)",
    "ceil(temperature) + floor(temperature)",
    "exp(temperature / 10)",
    "ln(temperature)",
    "log2(abs(temperature))",
    "log10(temperature)",
    "sqrt(temperature)",
    "sgn(temperature)",
    "round(temperature)",
    "round(temperature, 0.3)",
    "round(-temperature, 5)",
    "clamp(temperature, -1, 3)",
    "clamp(temperature, 3, -1)",
    "clamp_min(temperature, 2)",
    "clamp_max(temperature, scalar(sum(up)))",
    "sin(temperature) + acos(temperature / 30) + rad(deg(temperature)) + pi()",
    "minute()",
    "hour(vector(time() * 7))",
    "day_of_week(vector(time() * 3)) + month(vector(time() * 2)) * 100",
    "day_of_month(vector(time() * 5))",
    "days_in_month(vector(time() * 5)) + year()",
    'label_replace(up, "host", "$1", "instance", "(.*)-.*")',
    'label_replace(up, "host", "${1}x$2", "instance", "(?P<a>.).(.*)")',
    'label_replace(up, "host", "${a}$1", "instance", "(?P<a>.).*")',
    'label_replace(up, "instance", "", "instance", ".*")',
    'label_replace(up, "job", "x", "instance", "no match")',
    'label_join(up, "all", "-", "job", "instance", "none")',
    "sort(temperature)",
    "avg(temperature)",
    "min by (room) (temperature)",
    "max without (kind) (temperature)",
    "count by (room, none) (temperature)",
    "group(temperature)",
    "stddev by (room) (http_requests_total)",
    "stddev by (job) (http_requests_total)",
    "stdvar(room_size)",
    "quantile by (room) (0.4, temperature)",
    "quantile(scalar(sum(up)) / 10, http_requests_total)",
    "quantile(-1, temperature)",
    "topk by (room) (1, temperature + 0 < 1e9)",
    "topk without (kind) (2, temperature < 1e9)",
    "topk(-1, temperature)",
    "bottomk(3, temperature < 5)",
    "topk(scalar(sum(up)), temperature > -100)",
    'count_values("value", round(temperature / 4))',
    'count_values by (room) ("room", room_size)',
    "sum(temperature) by ()",
    "temperature * on (room) group_left () room_size",
    "temperature * on (room) group_left (wing) room_size",
    "temperature * on (room) group_left (unit, wing) room_size",
    "room_size / on (room) group_right (wing) temperature",
    "room_size >= on (room) group_right () temperature",
    "temperature > on (room) group_left () room_size",
    "temperature > bool on (room) group_left (wing) room_size",
    'temperature{kind="wet"} - ignoring (kind) temperature{kind="dry"}',
    'temperature{kind="wet"} - on (room) temperature{kind="dry"}',
    'temperature{kind="wet"} > ignoring (kind) temperature{kind="dry"}',
    'temperature{kind="wet"} > on (room, unit) temperature{kind="dry"}',
    "temperature == temperature",
    "temperature != bool temperature",
    "up == 0",
    "1 < up + 1",
    "up < bool 1",
    "2 > bool 1",
    "temperature % 3",
    "temperature / 0",
    "temperature ^ 0.5",
    "3 - up",
    "up and on (instance) rate(http_requests_total[1m])",
    "up unless on (instance) (http_requests_total{code='500'} > 10)",
    "temperature or room_size",
    "room_size or on (room) temperature",
    "(temperature > 0) or (temperature < -2) or vector(7)",
    "temperature > 0 or vector(0)",
    "Inf * up - NaN",
    "1e3 + 0x1F + 5 * up",
    "sum_over_time(up[30m:5m])",
    "max_over_time(rate(http_requests_total[2m])[20m:1m])",
    "avg_over_time((sum by (code) (rate(http_requests_total[2m])) > 0)[17m:3m] offset 4m)",
    "rate(http_requests_total[10m:])",
    "min_over_time(sum(up)[30m:1m] @ 1767230000)",
    "max_over_time(max_over_time(deriv(room_size[5m])[10m:1m])[10m:2m])",
    "sum_over_time(vector(1)[10m:1m])",
    "sum_over_time(vector(time())[10m:1m] offset 1m)",
    "histogram_quantile(0.9, sum by (le) (rate(http_request_duration_seconds_bucket[5m])))",
    "histogram_quantile(0.5, rate(http_request_duration_seconds_bucket[5m]))",
    "histogram_quantile(1, http_request_duration_seconds_bucket)",
    "histogram_quantile(0, http_request_duration_seconds_bucket)",
    'histogram_quantile(0.5, http_request_duration_seconds_bucket{le!="+Inf"})',
    'histogram_quantile(0.99, http_request_duration_seconds_bucket{le!="0.1"} > 10)',
    "histogram_quantile(2, http_request_duration_seconds_bucket)",
    "histogram_quantile(0.9, temperature)",
    "sum(http_requests_total) / count(http_requests_total)",
    "count(http_requests_total offset 1h unless http_requests_total)",
    'sum(rate(http_requests_total{code=~"5.."}[5m])) / sum(rate(http_requests_total[5m]))',
    "1 - avg_over_time(probe_success[10m])",
)
"""Queries that all supported servers take."""

NEWEST = (
    "temperature atan2 on (room) group_left () room_size",
    "increase(http_requests_total[5m])",
    "rate(http_requests_total[40s])",
    "sum(rate(http_request_duration_seconds_bucket[3m])) by (le)",
    "rate(http_requests_total[10m:])",
    "delta(http_requests_total[5m])",
    "histogram_count(latency_seconds)",
    "histogram_count(rate(latency_seconds[5m]))",
    "histogram_sum(increase(latency_seconds[5m]))",
    "histogram_avg(increase(latency_seconds[5m]))",
    "histogram_count(sum(increase(latency_seconds[7m])))",
    "histogram_count(sum by (instance) (delta(latency_seconds[7m])))",
    "histogram_fraction(0, 0.7, sum(rate(latency_seconds[5m])))",
    "histogram_fraction(0.1, 3, latency_seconds)",
    "histogram_fraction(1, 0.5, latency_seconds)",
    "histogram_fraction(-Inf, +Inf, latency_seconds)",
    "histogram_quantile(0.2, latency_seconds)",
    "histogram_quantile(0.9, sum(rate(latency_seconds[5m])))",
    "histogram_quantile(1, sum(increase(latency_seconds[5m])))",
    "histogram_quantile(0, avg(increase(latency_seconds[5m])))",
    "histogram_count(sum_over_time(latency_seconds[5m]))",
    "histogram_count(avg_over_time(latency_seconds[5m]))",
    "histogram_count(last_over_time(latency_seconds[5m]))",
    "histogram_count(sum(latency_seconds) * 3 / 2)",
    "histogram_count(latency_seconds offset 5m)",
    "histogram_count(rate(latency_seconds[5m])[10m:1m])",
    "count(latency_seconds)",
    "count_over_time(latency_seconds[5m])",
    "present_over_time(latency_seconds[5m])",
    "absent(latency_seconds)",
    "abs(latency_seconds)",
    "max(latency_seconds)",
    "latency_seconds > 0",
    "timestamp(latency_seconds)",
    "histogram_fraction(0, 0.2, rate(http_request_duration_seconds_bucket[5m]))",
    "histogram_fraction(0.05, 0.7, sum by (le) (rate(http_request_duration_seconds_bucket[5m])))",
    "histogram_fraction(-1, 3, http_request_duration_seconds_bucket)",
    "histogram_fraction(2, 1, http_request_duration_seconds_bucket)",
    "histogram_fraction(-Inf, +Inf, http_request_duration_seconds_bucket)",
)
"""Queries that only new servers take, or answer in this way."""

BORDERS = (
    "count_over_time(on_grid_total[1m])",
    "sum_over_time(on_grid_total[45s])",
    "increase(on_grid_total[1m])",
    "rate(on_grid_total[15s])",
    "first_over_time(on_grid_total[5m])",
    "count_over_time(on_grid_total[5m] offset 30s)",
    "count_over_time(on_grid_total[5m:15s])",
    "count_over_time(on_grid_total[5m:1m] offset 15s)",
    "count_over_time(on_grid_total[1m] @ 1767229200)",
    "on_grid_total",
    "timestamp(on_grid_total offset 15s)",
)
"""Queries whose answers tell open ranges from closed ones."""

INSTANT = (
    "sort(temperature)",
    "sort_desc(sum by (instance) (http_requests_total))",
    "topk(3, temperature < 1e9)",
    "bottomk(2, temperature < 1e9)",
    "temperature[3m]",
    "temperature{room='a'}[3m] offset 1m",
    "up[2m:20s]",
    "sum(rate(http_requests_total[5m])) by (job)",
    "time()",
    "42",
)
"""Queries at one instant."""

ERRORS = (
    "room_size * on (room) temperature",
    "temperature * on (room) room_size",
    "room_size * on (room) group_left () temperature",
    "temperature * on (room) group_left (kind) room_size",
    '-{__name__=~"http_request.*_count|up", job="api"}',
    'abs({__name__=~"http_request.*_count|up", job="api"})',
    'rate({__name__=~"http_request.*_count|http_requests_total", job="api"}[5m]) + on () up',
    'label_replace(up, "instance", "x", "instance", ".*")',
    'label_replace(up, "a", "x", "instance", "(.*")',
    "rate(up)",
    "sum(up[5m])",
    "up[5m]",
    "up{",
    '"text"',
    "nosuch(up)",
    "1 == 2",
)
"""Queries that fail everywhere."""


def _measures() -> dict[str, Measure]:
    requests, errors = 'http_requests_total{job="api"}', 'http_requests_total{job="api",code="500"}'
    probe = 'probe_success{instance="https://api.example/"}'
    minute = Duration.parse("1m")
    return {
        "bad": events(requests, bad=errors),
        "good": events(requests, good='http_requests_total{job="api",code!~"5.."}'),
        "rates": events(
            "rate(http_requests_total{job='api'}[$window])",
            bad="rate(http_requests_total{job='api',code='500'}[$window])",
        ),
        "increases": events(
            "sum(increase(http_requests_total[$window]))",
            bad="sum(increase(http_requests_total{code=~'5..'}[$window]))",
        ),
        "latency": latency("300ms"),
        "latency of a whole second": latency("1s"),
        "ratio": Ratio(
            error=query(f"sum(rate({errors}[$window])) / sum(rate({requests}[$window]))"),
            weight=query(f"rate({requests}[$window])"),
        ),
        "good ratio without weight": Ratio(
            good=query(f"1 - sum(rate({errors}[$window])) / sum(rate({requests}[$window]))")
        ),
        "probe": Probe(selector=query(probe), slice=minute),
        "slices": Slices(
            expr=query(f"1 - {probe}"),
            good_when=Comparison(operator="<", value=Decimal("0.5")),
            slice=minute,
        ),
    }


NATIVE = Latency(
    histogram=query('latency_seconds{job="api"}'), threshold=Duration.parse("700ms"), native=True
)
"""An indicator over native histograms."""

_CLUSTERS = {
    "one": (Cluster(name="all", match={}),),
    "two": (
        Cluster(name="eu", match={"cluster": "eu-1"}),
        Cluster(name="us", match={"cluster": "us.1"}),
    ),
    "apart": (
        Cluster(name="eu", match={"cluster": "eu-1"}),
        Cluster(name="api", match={"job": "api"}),
    ),
}


def ledger() -> Iterator[tuple[str, str]]:
    """Yield every expression of every kind of indicator, with a name."""
    for kind, measure in _measures().items():
        for place, clusters in _CLUSTERS.items():
            for offset in (None, "2m"):
                one = slo(measure, scrape=f"{SCRAPE}s", offset=offset)
                for part, text in of_level(level(one, clusters=clusters)):
                    yield f"{kind}, {place}, {offset}: {part}", text


def of_level(one: ServiceLevel) -> Iterator[tuple[str, str]]:
    """Yield the expressions of a service level, and those a reader puts around them."""
    found = expressions(one)
    assert found is not None
    yield "total rate", found.total_rate
    yield "part rate", found.part_rate
    yield "total increase", found.total_increase
    yield "part increase", found.part_increase
    yield "profile", f"sum_over_time(({found.part_increase})[29m59s999ms:5m])"
    if found.part_series is not None:
        yield "part series", found.part_series


def generated(seed: int, count: int) -> list[str]:
    """Random queries that parse; some of them fail for the data they meet."""
    rng = random.Random(f"queries/{seed}")
    return [_vector(rng, 3) for _ in range(count)]


_METRICS = ("http_requests_total", "temperature", "room_size", "up", "probe_success")
_LENGTHS = ("40s", "1m", "5m", "13m", "40m")
_LABELS = ("job", "instance", "code", "room", "kind", "wing", "cluster", "le")
_OVER = (
    "delta",
    "irate",
    "idelta",
    "deriv",
    "last_over_time",
    "sum_over_time",
    "avg_over_time",
    "min_over_time",
    "max_over_time",
    "count_over_time",
    "present_over_time",
    "stddev_over_time",
)
# Servers before 3.0 have another extrapolation near zero, and a rounding error is a change.
_OF_COUNTERS = ("rate", "increase", "changes", "resets")
# The deviation of one NaN or infinity is 0 before 3.0.
_AGGREGATIONS = ("sum", "avg", "min", "max", "count", "group")
_FUNCTIONS = (
    "abs({})",
    "-{}",
    "sqrt({})",
    "clamp({}, -3, 4)",
    "clamp_min({}, 0)",
    "absent({})",
    "timestamp({})",
    "vector(scalar({}))",
    'label_replace({}, "code", "x$1", "job", "(a)pi")',
)
_MATCHERS = (
    'job="api"',
    'job=~"a.*"',
    'code!~"5.."',
    'code="500"',
    'room!="b"',
    'kind=""',
    'kind=~"wet|"',
    'cluster!=""',
)


def _selector(rng: random.Random, metric: str | None = None) -> str:
    chosen = ",".join(rng.sample(_MATCHERS, rng.choice((0, 0, 1, 1, 2))))
    return f"{metric or rng.choice(_METRICS)}{{{chosen}}}"


def _time(rng: random.Random) -> str:
    kinds = ("", "", "", " offset 3m", " offset -90s", " @ end()", " @ 1767231000")
    return rng.choice(kinds)


def _range(rng: random.Random, depth: int) -> str:
    length = rng.choice(_LENGTHS)
    if depth > 0 and rng.random() < 0.2:
        return (
            f"({_vector(rng, depth - 1)})[{length}:{rng.choice(('30s', '1m', '7m'))}]{_time(rng)}"
        )
    return f"{_selector(rng)}[{length}]{_time(rng)}"


def _names(rng: random.Random) -> str:
    return f"({', '.join(rng.sample(_LABELS, rng.randint(0, 3)))})"


def _leaf(rng: random.Random, _: int) -> str:
    return f"{_selector(rng)}{_time(rng)}"


def _over(rng: random.Random, depth: int) -> str:
    if rng.random() < 0.1:
        return f"quantile_over_time({rng.random():.2f}, {_range(rng, depth)})"
    if rng.random() < 0.3:
        matchers = _selector(rng, "http_requests_total")
        return f"{rng.choice(_OF_COUNTERS)}({matchers}[{rng.choice(_LENGTHS)}]{_time(rng)})"
    return f"{rng.choice(_OVER)}({_range(rng, depth)})"


def _aggregate(rng: random.Random, depth: int) -> str:
    operation = rng.choice(_AGGREGATIONS)
    inner = _vector(rng, depth - 1)
    if rng.random() < 0.1:
        operation, inner = "quantile", f"{rng.random():.2f}, {inner}"
    modifier = rng.choice(("", f"by {_names(rng)}", f"without {_names(rng)}"))
    return f"{operation} {modifier} ({inner})"


def _with_number(rng: random.Random, depth: int) -> str:
    operator = rng.choice(("+", "-", "*", "/", ">", "<=", "== bool", "!=", "> bool"))
    sides = [_vector(rng, depth - 1), rng.choice(("2", "-0.5", "1e2", "scalar(sum(up))"))]
    rng.shuffle(sides)
    return f"({sides[0]} {operator} {sides[1]})"


def _of_two(rng: random.Random, depth: int) -> str:
    operator = rng.choice(("+", "-", "*", "/", ">", "<", "and", "or", "unless", ">= bool"))
    kind = rng.choice(("", "", f"on {_names(rng)}", f"ignoring {_names(rng)}"))
    if kind and operator not in {"and", "or", "unless"} and rng.random() < 0.5:
        kind += rng.choice((" group_left ()", " group_right ()", " group_left (wing)"))
    left, right = _vector(rng, depth - 1), _vector(rng, depth - 1)
    # The same sum in another order may differ in its last digit, which a comparison tells.
    if rng.random() < 0.4 and operator in {"+", "-", "*", "/", "and", "or", "unless"}:
        right = left
    return f"({left} {operator} {kind} {right})"


def _function(rng: random.Random, depth: int) -> str:
    inner = _vector(rng, depth - 1)
    shape = rng.choice(_FUNCTIONS)
    return shape.format(inner)


_SHAPES: tuple[Callable[[random.Random, int], str], ...] = (
    _leaf,
    _over,
    _over,
    _aggregate,
    _aggregate,
    _with_number,
    _of_two,
    _of_two,
    _function,
)


def _vector(rng: random.Random, depth: int) -> str:
    shape = rng.choice(_SHAPES) if depth > 0 else rng.choice((_leaf, _over))
    return shape(rng, depth)

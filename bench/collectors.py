"""Whether collectors' files grow in line with their input: 10, 100, 1,000 applications."""

from collections.abc import Mapping
from itertools import pairwise

from bench.model import Bench, Result, Row, Run, expect
from bench.processes import Command, Measured, headroom, in_turns
from bench.specs import names, write_all
from slo.collecting import COLLECTORS

_STEP = 10
_TARGET = 1.2 * _STEP
_SHARING = 10  # applications have a database, a topic's broker and a load balancer in common


def run(bench: Run) -> Result:
    """Generate for folders of applications in turns; the smallest runs took the least."""
    sizes = (1, 10, 100) if bench.quick else (10, 100, 1000)
    generate = headroom("generate")
    commands = {}
    for size in sizes:
        apps = write_all(bench.folder / f"apps-{size}", names(size), app_file)
        out = bench.folder / f"out-{size}"
        arguments = [*generate, apps, "--out", out, "--only", "collectors"]
        commands[str(size)] = Command(arguments=arguments, fresh=out)
    bench.tell(f"{', '.join(commands)} applications in turns")
    found = in_turns(commands, 1 if bench.quick else 3)
    written = {size: files(bench, size) for size in sizes}
    measured = {int(size): runs for size, runs in found.items()}
    return Result(rows=[*_rows(measured), _written(written)])


def app_file(name: str) -> str:
    """An application with pods, files, a journal, syslog, engines of its own and shared ones."""
    group = f"{int(name.rpartition('-')[2]) // _SHARING:04d}"
    return f"""\
apiVersion: headroom/v1
kind: App
metadata: {{name: {name}, team: team-{group}, labels: {{tier: "1"}}}}
spec:
  environments: [{{name: prod}}]
  components:
    - name: api
      kind: service
      service: {name}-api
      kubernetes: {{namespace: {name}, workload: deployment/api}}
      logs: [{{kubernetes: true, container: main}}]
    - name: worker
      kind: service
      service: {name}-worker
      hosts: [worker-{group}.example]
      logs: [{{path: /var/log/{name}/worker.log, format: plain, multiline: '^[0-9]{{4}}-'}}]
    - name: cron
      kind: service
      service: {name}-cron
      logs: [{{journald: {name}-cron.service, format: plain}}]
    - name: edge
      kind: load_balancer
      engine: haproxy
      address: lb-{group}.example:443
      metrics: ['lb-{group}.example:8405']
      share: {{backend: {name}}}
      logs: [{{syslog: haproxy-{name}, format: plain}}]
    - name: orders
      kind: database
      engine: postgresql
      address: pg-{group}.example:5432
      share: {{database: {name}}}
    - name: sessions
      kind: database
      engine: redis
      address: redis.{name}.example:6379
    - name: inbox
      kind: queue
      cloudwatch: {{namespace: AWS/SQS, dimensions: {{QueueName: {name}}}}}
  slos:
    - name: reachable
      objective: 99
      indicator: {{probe: 'probe_success{{instance="https://{name}.example/health"}}'}}
"""


def files(bench: Run, size: int) -> tuple[int, int]:
    """How many files there are of every collector, and their bytes."""
    folder = bench.folder / f"out-{size}" / "collectors"
    expect(sorted(COLLECTORS), sorted(each.name for each in folder.iterdir()), "collectors")
    found = [each.stat().st_size for each in folder.rglob("*") if each.is_file()]
    return len(found), sum(found)


def _rows(measured: Mapping[int, list[Measured]]) -> list[Row]:
    # Others on the machine only ever add: the least is nearest to what was needed.
    walls = {size: min(one.seconds for one in runs) for size, runs in measured.items()}
    work = {size: min(one.cpu for one in runs) for size, runs in measured.items()}
    peaks = {size: min(one.peak for one in runs) / 2**20 for size, runs in measured.items()}
    return [
        _row("wall time", walls, "s"),
        _row("processor time", work, "s"),
        _row("peak memory", peaks, "MiB"),
    ]


def _row(what: str, figures: Mapping[int, float], unit: str) -> Row:
    """The factor of the last step; those of all steps are among the figures."""
    factors = [more / less for less, more in pairwise(figures.values())]
    sizes = " / ".join(f"{size:,}" for size in figures)
    listed = " / ".join(f"{figure:.4g}" for figure in figures.values())
    grown = " and ".join(f"{factor:.3g}" for factor in factors)
    return Row(
        bench="collectors",
        what=f"collectors, factor of {what} for ten times the applications",
        value=factors[-1],
        target=_TARGET,
        figures=f"{listed} {unit} at {sizes} applications, factors {grown}",
    )


def _written(found: Mapping[int, tuple[int, int]]) -> Row:
    (_, before), (_, last) = list(found.values())[-2:]
    texts = [f"{size:,}: {count:,} files, {total:,} B" for size, (count, total) in found.items()]
    return Row(
        bench="collectors",
        what="collectors, factor of bytes written for ten times the applications",
        value=last / before,
        figures="; ".join(texts),
    )


BENCH = Bench(
    name="collectors",
    about="`headroom generate --only collectors` on 10, 100, 1,000 applications: growth",
    run=run,
)

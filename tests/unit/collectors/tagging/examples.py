"""Applications that the tests of generators share, and plans out of their files."""

from collectors.tagging.model import Plan
from collectors.tagging.plan import plans
from slo.collecting import Collecting
from slo.loader.catalog import load_catalog
from slo.loader.documents import SourceFile
from slo.loader.windows import built_in_defaults

_SLOS = """
  slos:
    - name: availability
      objective: 99
      indicator: {events: {total: 't{job="x"}', bad: 'b{job="x"}'}}
"""

TICKETING = f"""
apiVersion: headroom/v1
kind: App
metadata: {{name: ticketing, team: bookings, labels: {{tier: "1"}}}}
spec:
  environments:
    - name: prod
    - name: staging
      clusters: [{{name: eu, match: {{namespace: ticketing-staging}}}}]
  components:
    - name: api
      kind: service
      service: ticketing-api
      kubernetes: {{namespace: ticketing, workload: deployment/api}}
      logs: [{{kubernetes: true, container: main, traceId: ctx.trace, spanId: ctx.span}}]
    - name: worker
      kind: service
      hosts: [tick-1.example, tick-2.example]
      logs:
        - path: /var/log/ticketing/worker.log
          format: plain
          multiline: '^[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}} '
        - path: /var/log/ticketing/audit-*.log
          format: logfmt
          time: when
    - name: cron
      kind: service
      logs: [{{journald: ticketing-cron.service, format: plain}}]
    - name: gateway
      kind: load_balancer
      engine: haproxy
      address: lb.example:443
      share: {{backend: ticketing}}
      logs: [{{syslog: haproxy-ticketing, format: plain}}]
    - name: orders
      kind: database
      engine: postgresql
      address: pg.example:5432
      share: {{database: tickets}}
{_SLOS}"""
"""Every kind of source: pods, files, a journal, syslog and OTLP; two environments."""

CARGO = f"""
apiVersion: headroom/v1
kind: App
metadata: {{name: cargo, team: 'freight "A" & co'}}
spec:
  environments: [{{name: prod}}]
  components:
    - name: api
      kind: service
      service: cargo-api
      kubernetes: {{namespace: cargo, labels: {{app.kubernetes.io/name: cargo-api}}}}
      logs: [{{kubernetes: true}}]
    - name: manifest
      kind: service
      hosts: [cargo-1.example]
      logs: [{{path: /var/log/ticketing/worker.log, multiline: '^[{{]'}}]
    - name: bookings
      kind: database
      engine: postgresql
      address: pg.example:5432
      share: {{database: freight}}
{_SLOS}"""
"""Another application that shares a database, and a path on other hosts, with the first."""


def plan_of(*texts: str, settings: Collecting | None = None) -> tuple[Plan, ...]:
    """Plans out of files of applications, which must be without a mistake."""
    files = [SourceFile(name=f"{at}.yaml", text=text) for at, text in enumerate(texts)]
    loaded = load_catalog(files, built_in_defaults())
    assert () == loaded.problems
    return plans(loaded.catalog, settings or Collecting())


def airline(settings: Collecting | None = None) -> Plan:
    """What both applications send in production."""
    return next(plan for plan in plan_of(TICKETING, CARGO, settings=settings) if plan.env == "prod")

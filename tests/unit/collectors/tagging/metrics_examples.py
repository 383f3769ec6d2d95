"""Applications whose metrics are scraped: owned and shared engines, pods, hosts, probes, AWS."""

from collectors.tagging.model import Plan
from slo.collecting import Collecting
from tests.unit.collectors.tagging.examples import plan_of

TICKETING = """
apiVersion: headroom/v1
kind: App
metadata: {name: ticketing, team: bookings, labels: {tier: "1"}}
spec:
  environments: [{name: prod}]
  components:
    - name: api
      kind: service
      service: ticketing-api
      kubernetes: {namespace: ticketing, workload: deployment/api}
    - name: search
      kind: service
      kubernetes: {namespace: ticketing, labels: {app.kubernetes.io/name: search}}
    - name: batch
      kind: service
      hosts: [tick-1.example]
      metrics: ['https://tick-1.example/internal/metrics?verbose=1']
    - name: host-agent
      kind: host
      hosts: [shared-1.example]
    - name: edge
      kind: load_balancer
      engine: haproxy
      address: lb.example:443
      metrics: ['lb.example:8405']
      share: {backend: tickets}
    - name: orders
      kind: database
      engine: postgresql
      address: pg.example:5432
      share: {database: tickets}
    - name: sessions
      kind: database
      engine: redis
      address: redis.ticketing.example:6379
    - name: events
      kind: queue
      engine: kafka
      address: kafka.example:9092
      metrics: ['kafka.example:9308']
      share: {topic: tickets.sold}
    - name: mail
      kind: queue
      engine: rabbitmq
      address: mq.example:5672
      share: {vhost: /tickets}
    - name: ingress
      kind: load_balancer
      engine: nginx
      kubernetes: {namespace: ingress, workload: daemonset/nginx}
      share: {vhost: tickets.example}
    - name: alb
      kind: load_balancer
      cloudwatch:
        namespace: AWS/ApplicationELB
        dimensions: {LoadBalancer: app/shared/0123456789abcdef}
      address: shared-1.eu-west-1.elb.amazonaws.com
      share: {target-group: targetgroup/tickets/0123456789abcdef}
    - name: ledger
      kind: database
      cloudwatch:
        namespace: AWS/RDS
        dimensions: {DBInstanceIdentifier: ledger}
      address: ledger.abc.eu-west-1.rds.amazonaws.com:5432
    - name: inbox
      kind: queue
      cloudwatch: {namespace: AWS/SQS}
  slos:
    - name: reachable
      objective: 99
      indicator: {probe: 'probe_success{instance="https://tickets.example/health",region="eu"}'}
    - name: sockets
      objective: 99
      indicator: {probe: 'probe_success{instance="tcp://tickets.example:443"}'}
    - name: alive
      objective: 99
      indicator: {probe: 'up{job="api"}'}
"""

CARGO = """
apiVersion: headroom/v1
kind: App
metadata: {name: cargo, team: 'freight "A" & $co ${X}'}
spec:
  environments: [{name: prod}]
  components:
    - name: api
      kind: service
      service: cargo-api
      kubernetes: {namespace: cargo}
    - name: pricing
      kind: service
      kubernetes: {namespace: cargo, workload: statefulset/pricing}
    - name: host-agent
      kind: host
      hosts: [shared-1.example]
    - name: edge
      kind: load_balancer
      engine: haproxy
      address: lb.example:443
      metrics: ['lb.example:8405']
      share: {backend: freight}
    - name: bookings
      kind: database
      engine: postgresql
      address: pg.example:5432
      share: {database: freight, schema: public}
    - name: wan
      kind: load_balancer
      cloudwatch:
        namespace: AWS/ApplicationELB
        dimensions: {LoadBalancer: app/shared/0123456789abcdef}
      address: shared-1.eu-west-1.elb.amazonaws.com
      share: {target-group: targetgroup/freight/0123456789abcdef}
  slos:
    - name: availability
      objective: 99
      indicator: {events: {total: 't{job="x"}', bad: 'b{job="x"}'}}
"""


def metrics_plan(settings: Collecting | None = None) -> Plan:
    """What is scraped for both applications in production."""
    (plan,) = plan_of(TICKETING, CARGO, settings=settings)
    return plan

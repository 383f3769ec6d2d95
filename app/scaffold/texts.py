"""The files of a first workspace, with comments that say what each key is for."""

from __future__ import annotations

_LOCAL = "http://127.0.0.1:9090"


def workspace(url: str | None = None) -> str:
    """Return ``headroom.yaml``; without an address it names a Prometheus on this machine."""
    return _WORKSPACE.replace("@URL@", quoted(url or _LOCAL))


def quoted(text: str) -> str:
    """Return a text as a YAML scalar in single quotes, whatever is in it."""
    return "'" + text.replace("'", "''") + "'"


def example_app() -> str:
    """Return ``apps/example.yaml``: one app with an availability and a latency SLO."""
    return _APP


def policy() -> str:
    """Return ``policies/default.yaml``: a gate policy for every app and environment."""
    return _POLICY


def gitignore() -> str:
    """Return ``.gitignore``: what must not be committed."""
    return _GITIGNORE


_WORKSPACE = """\
# A workspace of Headroom: where apps, gate policies and servers are.
# Paths are relative to this file. `headroom validate` checks all of it.
apiVersion: headroom/v1
kind: Workspace
spec:
  apps: [apps]             # files and folders with one app file for each application
  policies: [policies]     # what `headroom gate` judges by
  output: generated        # what `headroom generate` writes; commit it, review it
  state: .headroom         # decisions of the gate and their audit log

  # What an app gets where its own file says nothing.
  defaults:
    window: 30d            # the period of an error budget
    scrapeInterval: 30s    # how often your targets are scraped

  # Where numbers are read. Secrets are files, never values: bearerTokenFile, basicAuth, oauth2.
  sources:
    prometheus:
      default: main
      main: {url: @URL@, timeout: 10s}

  # Who can be told of alerts; apps name them under contacts.
  # receivers:
  #   pagerduty-example: {pagerduty: {routingKeyFile: /run/secrets/pagerduty}}

  # Where people look next; written into alerts and dashboards.
  # links:
  #   grafana: https://grafana.example.com
"""

_APP = """\
# One application: who owns it, where it runs, and how well it must work.
# Replace the names and the queries by your own; `headroom validate --prometheus URL` asks the
# server whether they are right.
apiVersion: headroom/v1
kind: App
metadata:
  name: example            # lowercase letters, digits and hyphens; unique everywhere
  team: example-team       # who answers for it
spec:
  # Where it runs. The labels under match are added to every selector below.
  # environments:
  #   - {name: prod, match: {namespace: example}}
  #   - name: staging
  #     match: {namespace: example-staging}
  #     slos: {availability: {objective: 99}}      # what differs there

  slos:
    # Of all requests, at least 99.9 % in 30 days are answered without a server error.
    - name: availability
      objective: 99.9
      window: 30d
      indicator:
        events:
          total: http_requests_total{job="example"}
          bad: http_requests_total{job="example",code=~"5.."}

    # At least 99 % of the requests are answered within 300 ms.
    - name: latency
      objective: 99
      indicator:
        latency:
          histogram: http_request_duration_seconds{job="example"}    # without _bucket
          threshold: 300ms                       # one of the histogram's buckets
          buckets: [0.1, 0.3, 1]                 # so that a wrong threshold is found offline
"""

_POLICY = """\
# May an app ship now? Every rule is judged, always; the worst answer decides.
apiVersion: headroom/v1
kind: GatePolicy
metadata: {name: default}
spec:
  # match: {environments: [prod]}      # for all apps and environments without it
  mode: enforce                        # observe only tells; warn turns deny into a warning
  onMissingData: deny                  # no numbers, no deploy; a fix with a ticket still passes
  rules:
    # No deploy once the error budget is gone.
    - {id: budget, type: error_budget, slos: ["*"], freezeAt: 0}
    # No deploy while the budget burns fast.
    - id: burn
      type: burn_rate
      deny:
        - {long: 1h, short: 5m, factor: 14.4}
        - {long: 6h, short: 30m, factor: 6}
"""

_GITIGNORE = """\
# Headroom's decisions and their audit log: state of this machine.
/.headroom/
"""

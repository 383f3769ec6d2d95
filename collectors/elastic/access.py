"""Who may read and write an application's streams: roles, in each flavour's own form.

Privileges on names are the wall between applications; a filtered alias is none.
"""

from __future__ import annotations

from collections.abc import Sequence

from collectors.elastic.flavors import Flavor
from collectors.elastic.resources import Kind, Resource, description, meta


def roles(app: str, patterns: Sequence[str], flavor: Flavor) -> tuple[Resource, Resource]:
    """The roles of those who read an application's streams and of what writes them."""
    names = sorted(patterns)
    return (
        _role(f"headroom-{app}-reader", app, names, flavor, write=False),
        _role(f"headroom-{app}-writer", app, names, flavor, write=True),
    )


def _role(name: str, app: str, patterns: Sequence[str], flavor: Flavor, *, write: bool) -> Resource:
    if flavor is Flavor.ELASTICSEARCH:
        privileges = ["auto_configure", "create_doc"] if write else ["read", "view_index_metadata"]
        body: dict[str, object] = {
            "cluster": ["monitor"],
            "indices": [{"names": list(patterns), "privileges": privileges}],
            "metadata": meta(app),
        }
    else:
        writing = [
            *("indices:data/write/index", "indices:data/write/bulk*", "indices:admin/auto_create"),
            *("indices:admin/create", "indices:admin/mapping/put"),
        ]
        reading = ["read", "indices:admin/mappings/get", "indices:data/read/point_in_time/*"]
        body = {
            "description": description(f"{'writes' if write else 'reads'} {app}"),
            "cluster_permissions": [
                "cluster_composite_ops" if write else "cluster_composite_ops_ro",
                "cluster:monitor/nodes/info",
            ],
            "index_permissions": [
                {"index_patterns": list(patterns), "allowed_actions": writing if write else reading}
            ],
        }
    return Resource(kind=Kind.ROLE, name=name, owner=app, body=body)

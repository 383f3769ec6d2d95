"""Which application a record belongs to, by which key, and who else claimed it.

The ladder, from the surest to the least sure:

1. the application's tag (``service.namespace``, ``labels.app``, ``app``);
2. a name of the catalogue: ``service.name`` is that of one component, in one application only;
3. a Kubernetes workload that one application declares;
4. a container or pod that an earlier record of rungs 1 to 3 carried;
5. a database, load balancer, queue or host that one application declares.

The first rung with a claimant decides. Two claimants are refused: the record then has no
application, and ``Ownership.claimants`` names them. A tag that names no known application ends
the climb as well: the record says that it is somebody else's.

What several applications declare, or one declares with a ``share``, is shared: a record of it
belongs to an application only when it carries that application's whole share
(`collectors.joining.shares`).

**Environment.** The tag decides when it names an environment of the application. A tag that names
none is kept as it was sent and never counted into another environment. Without a tag the clusters'
``match`` labels decide, then an only environment, unless the record contradicts its ``match``;
otherwise the environment is unknown. An application that declares no environments has one,
``default``, which holds all of its data whatever the tag says.
"""

from collectors.joining.joiner import Joiner, Known
from collectors.joining.ladder import Ownership
from collectors.joining.learned import Learned

__all__ = ["Joiner", "Known", "Learned", "Ownership"]

"""What an evaluation raises."""

from slo.errors import QueryRejected


class PromqlError(QueryRejected):
    """A query that cannot be evaluated, or not over the data there are; the message says why."""

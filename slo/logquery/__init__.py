"""The query language of log records: one text, whichever store answers it.

::

    payment failed                     both words, anywhere in the message
    "card declined"                    these words in this order
    event.action: checkout             a field has this value
    status: (500 or 503)               one of several values
    host: web-*                        a value with a wildcard
    attributes.retries >= 3            a number compared
    trace_id: *                        a field that is there at all
    not level: debug and (a or b)      combined

It is the part of the Kibana query language that both stores can answer exactly.
"""

from slo.logquery.parse import LogQueryError, parse
from slo.logquery.tree import And, Compare, Expression, Has, Is, Not, Or, Words

__all__ = [
    "And",
    "Compare",
    "Expression",
    "Has",
    "Is",
    "LogQueryError",
    "Not",
    "Or",
    "Words",
    "parse",
]

"""The HTTP API: receivers of telemetry, questions as JSON, health.

One table (`app.api.table`) has every route with its parameters; the routes of the server and the
description at ``/v1/openapi.json`` are both made from it. Requests meet, in this order::

    frame     request id, host, path, security headers, measuring       (`app.api.frame`)
    table     method, parameters, errors as problem+json                (`app.api.table`)
    handlers  receivers, deploys, questions, health
    intake    bounded queue, decoders in threads, one writer            (`app.api.intake`)
"""

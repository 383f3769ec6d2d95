"""The shape of certificates, which every kind of source may need."""

from slo.loader.leaves import FILE_PATH
from slo.shape import Field, Flag, Record, Text

TLS = Record(
    description="Files of a private certificate authority and of a client certificate.",
    fields={
        "caFile": Field(shape=FILE_PATH, description="The authority that signed the server's."),
        "certFile": Field(shape=FILE_PATH, description="The client's certificate."),
        "keyFile": Field(shape=FILE_PATH, description="The key of the client's certificate."),
        "serverName": Field(shape=Text(max_length=253), description="The name to expect."),
        "insecureSkipVerify": Field(
            shape=Flag(), default="false", description="Trusts any certificate; for tests alone."
        ),
    },
    needs={"certFile": ("keyFile",), "keyFile": ("certFile",)},
)

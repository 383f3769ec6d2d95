"""Names of decisions: ULIDs, which are unique and sort by time.

48 bits of Unix milliseconds and 80 random bits in Crockford's base 32, as in
https://github.com/ulid/spec. Written here, since the library takes a tenth of the start of a gate.
"""

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_LENGTH = 26
_RANDOM_BITS = 80
_TIME_BITS = 48


def ulid(milliseconds: int, entropy: bytes) -> str:
    """Return the ULID of a time since 1970 and ten random bytes; raises `ValueError` for others."""
    if milliseconds >> _TIME_BITS or len(entropy) * 8 != _RANDOM_BITS:
        raise ValueError("a ULID has 48 bits of time and 80 random bits")
    number = milliseconds << _RANDOM_BITS | int.from_bytes(entropy)
    return "".join(_ALPHABET[number >> 5 * place & 31] for place in reversed(range(_LENGTH)))

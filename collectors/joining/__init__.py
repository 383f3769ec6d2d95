"""Which application a signal belongs to, by which key, and who else claimed it."""

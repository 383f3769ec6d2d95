"""The parts that rsyslog's files are put together from."""

"""The parts that syslog-ng's files are put together from."""

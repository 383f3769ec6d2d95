"""The parts of the Splunk forwarder's files."""

"""The domain: specifications, names, budgets and decisions; no clock, no network, no disk."""

"""Counts that other products keep: each is asked in its own language, all answer alike."""

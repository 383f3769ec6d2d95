"""The deploy gate: from a policy and what is known to a decision with its reasons.

Everything here is pure: facts and time come in, a decision goes out.
"""

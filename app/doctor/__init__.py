"""What could keep Headroom from working here, checked one by one, with what to do about each."""

from app.doctor.examine import Patient, examine
from app.doctor.model import Check, Outcome

__all__ = ["Check", "Outcome", "Patient", "examine"]

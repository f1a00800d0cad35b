"""Medication and allergies typed in by the patient."""

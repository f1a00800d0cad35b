"""Questionnaires: parse, answer, score."""

"""Asking a questionnaire: the controls of each kind of question, the sheet, the result."""

"""The second way to a recipient: a FHIR R4 server that knows nothing of sealed messages and receipts."""

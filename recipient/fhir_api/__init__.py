"""What an electronic health record reads: the same permitted data as the portal, as FHIR R4, read only."""

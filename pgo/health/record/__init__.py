"""Reading FHIR R4 records: parse, index, views, series."""

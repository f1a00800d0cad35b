"""What the record and check-in screens share: dates and values in words, charts, rows, paging."""

"""What goes on paper and into tables: pure values in, bytes out; words and days come from the caller."""

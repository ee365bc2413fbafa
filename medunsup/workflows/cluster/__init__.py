"""`cluster`: groups among the rows of a table, or among images."""

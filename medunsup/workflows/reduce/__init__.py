"""`reduce`: rows of a table on few axes."""

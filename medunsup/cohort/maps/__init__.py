"""Maps of tables of features: what was found, and the folder that keeps it."""

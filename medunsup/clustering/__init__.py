"""Groups of rows of features: methods, how many groups, sites harmonised."""

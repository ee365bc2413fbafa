"""How many clusters there are, and whether there are any."""

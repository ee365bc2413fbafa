"""Brain mask, template registration and normalisation, before any method."""

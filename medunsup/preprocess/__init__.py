"""Brain mask, template placement and normalisation, before any method."""

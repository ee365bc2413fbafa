"""Where the template lies on a scan, and where a second scan of the same head lies."""

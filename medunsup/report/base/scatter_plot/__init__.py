"""Maps of rows as dots, and the colours of groups among them."""

"""Results as they show themselves in a notebook, and their pages in a browser."""

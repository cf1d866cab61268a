"""The shop as visitors and customers see it."""

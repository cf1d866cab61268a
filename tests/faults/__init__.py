"""The shop as it is served, with several processes, and what fate does to it."""

"""Everything the shop and the sandbox promise, asserted."""

"""A small made-up pottery shop, so that the demo has something to sell."""

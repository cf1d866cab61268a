"""What the product does, a module a noun: plain functions that never commit and know no request."""

"""Stripe's way to tell us: the endpoint, and the table of the events we react to."""

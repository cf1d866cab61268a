"""Stripe's contract, read out of the installed SDK and held against our traffic."""

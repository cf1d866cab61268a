"""The endpoints under /v1, one module for each noun of Stripe's API reference."""

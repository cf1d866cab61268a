"""Buying: from the Buy button to Stripe's page and back."""

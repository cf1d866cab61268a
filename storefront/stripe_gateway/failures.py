"""How asking Stripe can fail, for those who must tell one failure from another."""

from __future__ import annotations

from storefront.errors import PaymentUnavailable


class StripeUnavailable(PaymentUnavailable):
    """Stripe gave no answer, or none that settles anything: the outcome may be unknown.

    `is_final`: it was an error of Stripe's own, which the same key may bring again for ever.
    """

    def __init__(self, message: str, *, is_final: bool = False):
        super().__init__(message)
        self.is_final = is_final


class StripeRefused(PaymentUnavailable):
    """Stripe said no to what we asked; `message` is for the buyer, the rest for our callers."""

    def __init__(
        self, message: str, *, reason: str | None = None, param: str | None = None, said: str = ""
    ):
        super().__init__(message)
        self.reason, self.param, self.said = reason, param, said


class KeyRefused(StripeRefused):
    """Stripe does not accept our key for this, which says nothing about what was asked."""

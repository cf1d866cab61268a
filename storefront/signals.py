"""Named signals for extensions. They go out after the commit; a receiver that fails harms nothing.

Connect with `order_paid.connect(receiver)`; the sender is the Flask app, the rest are keywords.
Our own code calls functions instead, so that it can be followed.
"""

from blinker import Namespace

_signals = Namespace()

order_paid = _signals.signal(
    "order_paid", doc="An order became paid, exactly once. Keywords: order_id, number."
)
order_refunded = _signals.signal(
    "order_refunded",
    doc="Stripe has taken a refund on, exactly once. Keywords: order_id, refund_id.",
)
subscription_changed = _signals.signal(
    "subscription_changed",
    doc="Our copy of a subscription changed. Keywords: subscription_id, stripe_id, status.",
)
stripe_event_received = _signals.signal(
    "stripe_event_received",
    doc="A verified event was applied for the first time. Keywords: event (the plain dict).",
)

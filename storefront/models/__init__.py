"""The tables, one file a noun. Importing this package makes every model known to SQLAlchemy."""

from storefront.models.dispute import Dispute
from storefront.models.order import Order, OrderLine, OrderStep
from storefront.models.outgoing_mail import OutgoingMail
from storefront.models.product import Product, Variant
from storefront.models.rate_count import RateCount
from storefront.models.refund import Refund, RefundLine
from storefront.models.setting import Setting
from storefront.models.stripe_event import StripeEvent
from storefront.models.subscription import Subscription, SubscriptionInvoice
from storefront.models.user import StripeCustomer, User

__all__ = [
    "Dispute",
    "Order",
    "OrderLine",
    "OrderStep",
    "OutgoingMail",
    "Product",
    "RateCount",
    "Refund",
    "RefundLine",
    "Setting",
    "StripeCustomer",
    "StripeEvent",
    "Subscription",
    "SubscriptionInvoice",
    "User",
    "Variant",
]

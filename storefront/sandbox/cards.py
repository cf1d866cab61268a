"""The test cards: the only numbers the hosted page takes, and what each of them leads to."""

from dataclasses import dataclass, replace

from storefront.sandbox.errors import not_found
from storefront.sandbox.periods import DAY

DEBIT_TYPES = {"eur": "sepa_debit", "gbp": "bacs_debit", "usd": "us_bank_account"}


@dataclass(frozen=True)
class Decline:
    """Why a payment was refused, as Stripe tells the shop and the buyer."""

    code: str
    decline_code: str | None
    message: str


@dataclass(frozen=True)
class Complaint:
    """What the buyer's bank says of a payment afterwards."""

    kind: str  # "chargeback", "inquiry" or "warning"
    reason: str


@dataclass(frozen=True)
class Card:
    """One test card; even its public number is never stored beyond the last four digits."""

    number: str
    label: str
    brand: str = "visa"
    decline: Decline | None = None
    three_d_secure: bool = False
    off_session: Decline | None = None  # what the bank says once the buyer is not there
    payment_method: str = ""
    refund: tuple[str, str] = ("succeeded", "succeeded")  # its status at first and in the end
    complaint: Complaint | None = None

    @property
    def last4(self) -> str:
        """Return the digits a receipt would show."""
        return self.number[-4:]

    @property
    def grouped(self) -> str:
        """Return the number as it is printed on a card."""
        if self.brand == "amex":
            return f"{self.number[:4]} {self.number[4:10]} {self.number[10:]}"
        return " ".join(self.number[start : start + 4] for start in range(0, 16, 4))


def _declined(decline_code: str, message: str = "Your card was declined.") -> Decline:
    return Decline("card_declined", decline_code, message)


AUTHENTICATION_FAILED = Decline(
    "payment_intent_authentication_failure",
    None,
    "We are unable to authenticate your payment method. Please choose a different payment method "
    "and try again.",
)
AUTHENTICATION_REQUIRED = Decline(
    "authentication_required",
    "authentication_required",
    "Your card was declined. This transaction requires authentication.",
)
DEBIT_FAILED = Decline(
    "payment_intent_payment_attempt_failed",
    "insufficient_funds",
    "The bank account has insufficient funds.",
)
INCORRECT_NUMBER = Decline("incorrect_number", None, "Your card number is incorrect.")
INSUFFICIENT = _declined("insufficient_funds", "Your card has insufficient funds.")

ALL = (
    Card("4242424242424242", "Payment succeeds", payment_method="pm_card_visa"),
    Card("5555555555554444", "Succeeds", "mastercard", payment_method="pm_card_mastercard"),
    Card("378282246310005", "Succeeds", "amex", payment_method="pm_card_amex"),
    Card(
        "4000000000000002",
        "Card is declined",
        decline=_declined("generic_decline"),
        payment_method="pm_card_visa_chargeDeclined",
    ),
    Card(
        "4000000000009995",
        "Insufficient funds",
        decline=INSUFFICIENT,
        payment_method="pm_card_visa_chargeDeclinedInsufficientFunds",
    ),
    Card(
        "4000000000009987",
        "Lost card",
        decline=_declined("lost_card"),
        payment_method="pm_card_visa_chargeDeclinedLostCard",
    ),
    Card(
        "4000000000009979",
        "Stolen card",
        decline=_declined("stolen_card"),
        payment_method="pm_card_visa_chargeDeclinedStolenCard",
    ),
    Card(
        "4000000000006975",
        "Used too often",
        decline=_declined(
            "card_velocity_exceeded",
            "Your card was declined for making repeated attempts too frequently.",
        ),
        payment_method="pm_card_visa_chargeDeclinedVelocityLimitExceeded",
    ),
    Card(
        "4000000000000069",
        "Expired card",
        decline=Decline("expired_card", None, "Your card has expired."),
        payment_method="pm_card_chargeDeclinedExpiredCard",
    ),
    Card(
        "4000000000000127",
        "Wrong security code",
        decline=Decline("incorrect_cvc", None, "Your card's security code is incorrect."),
        payment_method="pm_card_chargeDeclinedIncorrectCvc",
    ),
    Card(
        "4000000000000119",
        "Processing error",
        decline=Decline(
            "processing_error",
            None,
            "An error occurred while processing your card. Try again in a little bit.",
        ),
        payment_method="pm_card_chargeDeclinedProcessingError",
    ),
    Card(
        "4242424242424241",
        "Wrong number",
        decline=INCORRECT_NUMBER,
        payment_method="pm_card_incorrectNumber",
    ),
    Card(
        "4100000000000019",
        "Blocked as fraud",
        decline=_declined("fraudulent"),
        payment_method="pm_card_radarBlock",
    ),
    Card(
        "4000000000000341",
        "Succeeds now, fails later",
        off_session=_declined("generic_decline"),
        payment_method="pm_card_chargeCustomerFail",
    ),
    Card(
        "4000002760003184",
        "3-D Secure needed",
        three_d_secure=True,
        off_session=AUTHENTICATION_REQUIRED,
        payment_method="pm_card_authenticationRequired",
    ),
    Card(
        "4000000000003220",
        "3-D Secure 2 needed",
        three_d_secure=True,
        off_session=AUTHENTICATION_REQUIRED,
        payment_method="pm_card_threeDSecure2Required",
    ),
    Card(
        "4000002500003155",
        "3-D Secure unless set up",
        three_d_secure=True,
        payment_method="pm_card_authenticationRequiredOnSetup",
    ),
    Card(
        "4000003800000446",
        "Already set up",
        payment_method="pm_card_authenticationRequiredSetupForOffSession",
    ),
    Card(
        "4000008260003178",
        "3-D Secure, then insufficient funds",
        three_d_secure=True,
        decline=INSUFFICIENT,
        payment_method="pm_card_authenticationRequiredChargeDeclinedInsufficientFunds",
    ),
    Card(
        "4000000000000259",
        "Succeeds, disputed as fraud",
        payment_method="pm_card_createDispute",
        complaint=Complaint("chargeback", "fraudulent"),
    ),
    Card(
        "4000000000002685",
        "Succeeds, disputed as not received",
        payment_method="pm_card_createDisputeProductNotReceived",
        complaint=Complaint("chargeback", "product_not_received"),
    ),
    Card(
        "4000000000001976",
        "Succeeds, the bank inquires",
        payment_method="pm_card_createDisputeInquiry",
        complaint=Complaint("inquiry", "general"),
    ),
    Card(
        "4000000000005423",
        "Succeeds, fraud warning",
        payment_method="pm_card_createIssuerFraudRecord",
        complaint=Complaint("warning", "made_with_stolen_card"),
    ),
    Card(
        "4000000000007726",
        "Succeeds, slow refund",
        payment_method="pm_card_pendingRefund",
        refund=("pending", "succeeded"),
    ),
    Card(
        "4000000000005126",
        "Succeeds, refund fails",
        payment_method="pm_card_refundFail",
        refund=("succeeded", "failed"),
    ),
)
BY_NUMBER = {card.number: card for card in ALL}
BY_PAYMENT_METHOD = {card.payment_method: card for card in ALL}
# Shorter names, and the tokens that stand for the same cards.
BY_PAYMENT_METHOD |= {
    name.replace("pm_card_visa_", "pm_card_"): card for name, card in BY_PAYMENT_METHOD.items()
}
BY_PAYMENT_METHOD |= {
    name.replace("pm_card_", "tok_"): card for name, card in BY_PAYMENT_METHOD.items()
}


@dataclass(frozen=True)
class BankDebit:
    """A payment that the bank confirms, or refuses, only some time later; at once by a button."""

    type: str = ""
    last4: str = "6789"
    payment_method: str = "bank_debit"
    label: str = "Confirmed after five days"
    seconds: int = 5 * DAY
    decline: Decline | None = None
    complaint: Complaint | None = None


ACCOUNTS = {
    account.payment_method: account
    for account in (
        BankDebit(),
        BankDebit("", "5432", "GB82WEST12345698765432", "Confirmed after half a minute", 30),
        BankDebit("", "0000", "LU280019400644750000", "Confirmed after half a minute", 30),
        BankDebit("", "0003", "LU440019400644750003", "Confirmed after three minutes", 180),
        BankDebit(
            "", "0001", "LU980019400644750001", "Refused after half a minute", 30, DEBIT_FAILED
        ),
        BankDebit(
            "",
            "0002",
            "LU710019400644750002",
            "Confirmed after half a minute, then disputed",
            30,
            complaint=Complaint("chargeback", "fraudulent"),
        ),
    )
}


def bank_debit(currency: str, account: str = "bank_debit") -> BankDebit:
    """Return the bank debit that is usual for a currency, from one of the test accounts."""
    return replace(ACCOUNTS[account], type=DEBIT_TYPES.get(currency, DEBIT_TYPES["usd"]))


def by_payment_method(name: str, currency: str) -> Card | BankDebit:
    """Return the card behind a test PaymentMethod, or a bank debit; raise ApiError otherwise."""
    if name in ACCOUNTS:
        return bank_debit(currency, name)
    if name not in BY_PAYMENT_METHOD:
        raise not_found("PaymentMethod", name, "payment_method")
    return BY_PAYMENT_METHOD[name]


def find(number: str) -> Card | None:
    """Return the test card with this number, with or without spaces; None for all others."""
    return BY_NUMBER.get("".join(number.split()).replace("-", ""))

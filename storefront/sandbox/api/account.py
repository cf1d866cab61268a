"""/v1/account: whose sandbox this is."""

from typing import Any

from storefront.sandbox.router import Api, Call

api = Api()


@api.route("GET", "/v1/account")
def retrieve_account(call: Call) -> dict[str, Any]:
    """Return the one account there is, able to take payments."""
    return {
        "id": "acct_sandbox000000001",
        "object": "account",
        "business_profile": None,
        "business_type": None,
        "capabilities": {"card_payments": "active", "transfers": "active"},
        "charges_enabled": True,
        "controller": {"type": "account"},
        "country": "US",
        "created": 1_700_000_000,
        "default_currency": "usd",
        "details_submitted": True,
        "email": "owner@example.com",
        "external_accounts": {
            "object": "list",
            "data": [],
            "has_more": False,
            "url": "/v1/accounts/acct_sandbox000000001/external_accounts",
        },
        "metadata": {},
        "payouts_enabled": True,
        "settings": None,
        "tos_acceptance": None,
        "type": "standard",
    }

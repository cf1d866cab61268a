"""A small shop that sells through Stripe Checkout. `create_app` is its table of contents."""

from collections.abc import Mapping
from typing import Any

from flask import Flask

from storefront import (
    cli,
    config,
    database,
    errors,
    health,
    i18n,
    log,
    models,
    rate_limits,
    security,
    stripe_gateway,
    templating,
)
from storefront.auth import sessions
from storefront.auth.views import bp as auth
from storefront.extensions import csrf, db, migrate
from storefront.mail import outlets
from storefront.payments.views import bp as payments
from storefront.shop.views import bp as shop
from storefront.webhooks.views import bp as webhooks


def create_app(settings: Mapping[str, Any] | None = None) -> Flask:
    """Make the shop from `settings`, the environment and `.env`. Raises ConfigError, never guesses.

    Touches no database: `flask shop init` makes and upgrades it.
    """
    app = Flask(__name__, template_folder="../templates", static_folder="../static")
    app.config.from_mapping(config.load(settings))

    log.init_app(app)
    database.init_app(app)
    migrate.init_app(app, db, directory=str(health.MIGRATIONS))
    csrf.init_app(app)
    sessions.init_app(app)
    rate_limits.init_app(app)
    i18n.init_app(app)
    security.init_app(app)
    templating.init_app(app)
    errors.init_app(app)
    stripe_gateway.init_app(app)
    outlets.init_app(app)
    health.init_app(app)
    cli.init_app(app)

    for blueprint in (auth, shop, payments, webhooks):
        app.register_blueprint(blueprint)
    return app


__all__ = ["create_app", "models"]

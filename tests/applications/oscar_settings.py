"""Oscar with every app its documentation lists, none of which has heard of agentsql."""

from importlib.util import find_spec

from oscar.defaults import *  # noqa: F403 as its documentation says

from tests.applications.common_settings import *  # noqa: F403 a settings module

DEFAULT_AUTO_FIELD = "django.db.models.AutoField"  # as in its migrations
HAYSTACK_CONNECTIONS = {"default": {"ENGINE": "haystack.backends.simple_backend.SimpleEngine"}}

DASHBOARDS = [
    "catalogue",
    "communications",
    "offers",
    "orders",
    "pages",
    "partners",
    "ranges",
    "reports",
    "reviews",
    "shipping",
    "users",
    "vouchers",
]

INSTALLED_APPS = [
    "agentsql",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.sites",
    "django.contrib.flatpages",
    "oscar.config.Shop",
    "oscar.apps.analytics.apps.AnalyticsConfig",
    "oscar.apps.checkout.apps.CheckoutConfig",
    "oscar.apps.address.apps.AddressConfig",
    "oscar.apps.shipping.apps.ShippingConfig",
    "oscar.apps.catalogue.apps.CatalogueConfig",
    "oscar.apps.catalogue.reviews.apps.CatalogueReviewsConfig",
    "oscar.apps.communication.apps.CommunicationConfig",
    "oscar.apps.partner.apps.PartnerConfig",
    "oscar.apps.basket.apps.BasketConfig",
    "oscar.apps.payment.apps.PaymentConfig",
    "oscar.apps.offer.apps.OfferConfig",
    "oscar.apps.order.apps.OrderConfig",
    "oscar.apps.customer.apps.CustomerConfig",
    "oscar.apps.search.apps.SearchConfig",
    "oscar.apps.voucher.apps.VoucherConfig",
    "oscar.apps.wishlists.apps.WishlistsConfig",
    "oscar.apps.dashboard.apps.DashboardConfig",
    *(f"oscar.apps.dashboard.{name}.apps.{name.capitalize()}DashboardConfig" for name in DASHBOARDS),
    "widget_tweaks",
    "haystack",
    "treebeard",
    "django_tables2",
    *(["sorl.thumbnail"] if find_spec("sorl") else []),  # its documentation lets one choose
]

AGENTSQL = {
    "RUN_WITH_MIGRATE": False,  # migrations are looked at as they leave things
    "PLUGINS": [
        "admin",
        "auth",
        "contenttypes",
        "sessions",
        "messages",
        "staticfiles",
        "sites",
        "flatpages",
        "oscar",
        "analytics",
        "checkout",
        "address",
        "shipping",
        "catalogue",
        "reviews",
        "communication",
        "partner",
        "basket",
        "payment",
        "offer",
        "order",
        "customer",
        "search",
        "voucher",
        "wishlists",
        "dashboard",
        *(f"{name}_dashboard" for name in DASHBOARDS),
        "widget_tweaks",
        "haystack",
        "treebeard",
        "django_tables2",
        *(["thumbnail"] if find_spec("sorl") else []),
    ],
}

"""Who may do what: the one table to review. A new operation needs a row, or `tests/api/test_ownership.py` fails.

The columns are callers of an operation on something that belongs to `owner`, a customer:

nobody     shows nothing
guest      shows the tokens of a cart and an order of their own
other      another customer, who has a cart and an order, too
support … admin    staff of that role
owner      whose cart, order, review, address, … it is
blank      the owner again, with a token that was granted no scope
key        a service whose key has no scope
service    a service whose key has every scope that keys can have

The cells are what they get: `ok`, also when something else is in the way (a conflict, a body that does not fit);
`401` prove who you are; `403` insufficient scope; `404` there is nothing here, exactly as if there were nothing.
"""

STAFF = ("support", "catalog", "warehouse", "analyst", "admin")
CALLERS = ("nobody", "guest", "other", *STAFF, "owner", "blank", "key", "service")  # the order of the columns
LOOK_AFTER_ORDERS = ("support", "warehouse", "admin", "service")  # may be told of the owner

# Everybody; people who sign in; staff of one area, and services.
ANYBODY = "ok ok ok ok ok ok ok ok ok ok ok ok"
SIGNED_IN = "401 401 ok ok ok ok ok ok ok ok 403 403"
SCOPED = "401 401 ok ok ok ok ok ok ok 403 403 403"
CATALOG = "401 401 403 403 ok 403 403 ok 403 403 403 ok"
WAREHOUSE = "401 401 403 403 403 ok 403 ok 403 403 403 ok"
SUPPORT = "401 401 403 ok 403 403 403 ok 403 403 403 403"
ADMIN = "401 401 403 403 403 403 403 ok 403 403 403 403"

# What is somebody's.
OWN = "401 401 404 404 404 404 404 404 ok 403 403 403"
OWN_ORDER = "401 404 404 404 404 404 404 404 ok 403 403 401"
OWN_ORDER_OR_SUPPORT = "401 404 404 ok 404 404 404 ok ok 403 403 ok"
OWN_LINE = "404 404 404 404 404 404 404 404 ok 403 403 403"
OWN_CART = "404 ok ok 404 404 404 404 404 ok 403 403 403"  # guests and the other customer have one, too
ANY_CART = "ok ok ok ok ok ok ok ok ok 403 403 403"

TABLE = {
    # The catalogue
    "products_list": ANYBODY,
    "products_suggest": ANYBODY,
    "products_related": ANYBODY,
    "products_get": ANYBODY,
    "categories_tree": ANYBODY,
    "categories_get": ANYBODY,
    "products_manage": CATALOG,
    "products_create": CATALOG,
    "products_update": CATALOG,
    "products_delete": CATALOG,
    "products_publish": CATALOG,
    "products_archive": CATALOG,
    "variants_create": CATALOG,
    "variants_update": CATALOG,
    "variants_archive": CATALOG,
    "categories_create": CATALOG,
    "categories_update": CATALOG,
    "categories_delete": CATALOG,
    "categories_move": CATALOG,
    "media_add": CATALOG,
    "media_get": CATALOG,
    "media_update": CATALOG,
    "media_delete": CATALOG,
    # Stock
    "inventory_list": WAREHOUSE,
    "inventory_get": WAREHOUSE,
    "inventory_update": WAREHOUSE,
    "inventory_adjust": WAREHOUSE,
    "inventory_movements": WAREHOUSE,
    "inventory_reservations": WAREHOUSE,
    # Reviews: the owner's waits for support, and so exists for nobody else
    "reviews_of_product": ANYBODY,
    "reviews_create": SCOPED,
    "reviews_list": "401 401 ok ok ok ok ok ok ok 403 403 ok",
    "reviews_get": "404 404 404 ok 404 404 404 ok ok 404 404 ok",
    "reviews_update": OWN,
    "reviews_delete": OWN,
    "reviews_vote": "401 401 404 404 404 404 404 404 404 403 403 403",
    "reviews_withdraw_vote": "401 401 404 404 404 404 404 404 404 403 403 403",
    "reviews_moderate": SUPPORT,
    # Carts
    "cart_open": ANY_CART,
    "cart_get": OWN_CART,
    "cart_clear": OWN_CART,
    "cart_add_line": ANY_CART,
    "cart_change_line": OWN_LINE,
    "cart_remove_line": OWN_LINE,
    "cart_set_address": OWN_CART,
    "cart_shipping_options": OWN_CART,
    "cart_set_shipping_method": OWN_CART,
    "cart_merge": SCOPED,
    # Orders
    "orders_place": "401 ok ok ok ok ok ok ok ok 403 403 ok",
    "orders_list": "401 401 ok ok ok ok ok ok ok 403 403 ok",
    "orders_get": OWN_ORDER_OR_SUPPORT,
    "orders_events": OWN_ORDER_OR_SUPPORT,
    "orders_cancel": OWN_ORDER_OR_SUPPORT,
    "orders_pay": OWN_ORDER,
    # Accounts
    "auth_register": ANYBODY,
    "auth_verify_email": ANYBODY,
    "auth_resend_verification": ANYBODY,
    "auth_sign_in": ANYBODY,
    "auth_refresh": "401 401 401 401 401 401 401 401 401 401 401 401",  # the token in the example is nobody's
    "auth_forgot_password": ANYBODY,
    "auth_reset_password": ANYBODY,
    "auth_change_password": SCOPED,
    "auth_second_factor": SCOPED,
    "auth_enrol_second_factor": SCOPED,
    "auth_confirm_second_factor": SCOPED,
    "auth_disable_second_factor": SCOPED,
    "auth_renew_recovery_codes": SCOPED,
    "auth_list_sessions": SCOPED,
    "auth_end_session": OWN,
    "auth_sign_out": SIGNED_IN,
    "auth_sign_out_everywhere": SCOPED,
    "users_me": SCOPED,
    "users_update_me": SCOPED,
    "users_change_email": SCOPED,
    "addresses_list": SCOPED,
    "addresses_create": SCOPED,
    "addresses_get": OWN,
    "addresses_update": OWN,
    "addresses_delete": OWN,
    "users_delete_me": SCOPED,
    "users_export_me": SCOPED,
    "jobs_get": OWN,
    "jobs_result": OWN,
    "users_list": "401 401 403 ok 403 403 403 ok 403 403 403 ok",
    "users_get": ADMIN,
    "users_update": ADMIN,
    "keys_published": ANYBODY,
    # Keys of services
    "api_keys_make": ADMIN,
    "api_keys_list": ADMIN,
    "api_keys_get": ADMIN,
    "api_keys_revoke": ADMIN,
    # Machines
    "webhooks_stripe": ANYBODY,  # its signature says who it is
    "health_live": ANYBODY,
    "health_ready": ANYBODY,
}

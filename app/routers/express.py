"""The two questions asked most and the change made most, past the framework's dependency injection.

FastAPI spends as long on working out the arguments of these functions as PostgreSQL on answering them
(docs/decisions/0008-the-read-path.md, 0009-short-transactions.md). So they are worked out by hand, for the plain case
only. Whatever is not plain, a bad parameter, a token that is not good, staff who see more, a key against doing it
twice, gets None here, and goes the usual way to the function of the same name, which also documents it.
"""

from collections.abc import Awaitable, Callable, Mapping
from urllib.parse import parse_qsl

from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import Response

from app.core.security import TokenError
from app.dependencies import bearer, cart_token, identified, order_token, who_shops
from app.errors import Unauthorized
from app.models.scopes import Scope
from app.repositories.catalogue import PublishedProduct
from app.routers.etags import CATALOGUE, published
from app.schemas.carts import CartLineCreate
from app.schemas.listings import ProductQuery
from app.services.carts import OpenedCart
from app.shop import Shop


async def list_products(request: Request) -> Response | None:
    given = parse_qsl(request.scope["query_string"].decode("latin-1"), keep_blank_values=True)
    parameters = dict(given)
    if len(parameters) < len(given) or "authorization" in request.headers:
        return None
    try:
        query = ProductQuery.model_validate(parameters)
    except ValidationError:
        return None
    shop: Shop = request.app.state.shop
    return published(request, await shop.listings.page(query), CATALOGUE)


async def get_product(request: Request) -> Response | None:
    shop: Shop = request.app.state.shop
    if "authorization" in request.headers:
        try:
            viewer = await identified(request, await bearer(request))
        except (TokenError, Unauthorized):
            return None
        if viewer is None or viewer.sees_drafts:
            return None
    return product_page(request, await shop.products.published(request.scope["path"].rpartition("/")[2]))


def product_page(request: Request, page: PublishedProduct) -> Response:
    return published(request, page.body.encode(), f"product:{page.id}", version=page.version)


async def add_line(request: Request) -> Response | None:
    headers = request.headers
    if headers.get("content-type") != "application/json" or "idempotency-key" in headers:
        return None
    try:
        data = CartLineCreate.model_validate_json(await request.body())
    except ValidationError:
        return None
    shop: Shop = request.app.state.shop
    token, cart, order = await bearer(request), await cart_token(request), await order_token(request)
    who = await who_shops(request, Scope.CART_WRITE, token, cart, order)
    opened = await shop.carts.add_line(who, data)
    return Response(opened.cart.model_dump_json(), 201, opened_headers(opened), "application/json")


def opened_headers(opened: OpenedCart) -> dict[str, str]:
    headers = {"ETag": f'"v{opened.cart.version}"'}
    return headers | {"X-Cart-Token": opened.token} if opened.token else headers


EXPRESS: Mapping[tuple[str, str], Callable[[Request], Awaitable[Response | None]]] = {
    ("GET", "/api/v1/products"): list_products,
    ("GET", "/api/v1/products/{id_or_slug}"): get_product,
    ("POST", "/api/v1/cart/lines"): add_line,
}
"""By the method, and the template of the path."""

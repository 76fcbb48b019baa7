"""The pages for people: the front door, Swagger UI, ReDoc and where the mails' links lead, all without any CDN.

Their links are relative and all of them live at the top level, so they work behind any path prefix.
"""

from functools import cache
from pathlib import Path, PurePath
from typing import Annotated

import jinja2
from fastapi import APIRouter, FastAPI, Form, Request, status
from fastapi.responses import FileResponse, HTMLResponse
from fastapi.staticfiles import StaticFiles
from starlette.responses import Response
from starlette.templating import Jinja2Templates
from starlette.types import Scope

from app.dependencies import Credentials, Registrations, limited
from app.errors import EmailTaken, PasswordTooCommon, TokenExpired, ValidationFailed
from app.routers.devices import ThisDevice
from app.schemas.auth import EmailVerification
from app.schemas.passwords import PasswordResetForm
from app.settings import Environment, Settings

STATIC = Path(__file__).parents[1] / "static"
TEMPLATES = Path(__file__).parents[1] / "templates" / "pages"

# ReDoc creates empty <style> elements and fills them through the CSSOM, which a policy does not govern: the hash
# of the empty string lets exactly that pass, where 'unsafe-inline' would let any injected style pass.
EMPTY_STYLE = "'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='"


def content_security_policy(**sources: str) -> dict[str, str]:
    """A header that forbids everything except our own styles and pictures, and what `sources` adds for one page.

    https://www.w3.org/TR/CSP3/; `img_src="data:"` reads as "also pictures from data: addresses".
    """
    allowed = {
        "default-src": "'none'",
        "base-uri": "'none'",
        "form-action": "'none'",
        "frame-ancestors": "'none'",
        "img-src": "'self'",
        "style-src": "'self'",
    }
    for name, source in sources.items():
        directive = name.replace("_", "-")
        allowed[directive] = f"{allowed.get(directive, '')} {source}".removeprefix("'none'").strip()
    return {"Content-Security-Policy": "; ".join(f"{name} {value}" for name, value in allowed.items())}


LANDING_POLICY = content_security_policy()
# Swagger UI writes style attributes on its icons, and shows a response that is a picture through a blob: address.
SWAGGER_UI_POLICY = content_security_policy(
    script_src="'self'", connect_src="'self'", img_src="data: blob:", style_src_attr="'unsafe-inline'"
)
REDOC_POLICY = content_security_policy(
    script_src="'self'", connect_src="'self'", img_src="data:", font_src="data:", style_src=EMPTY_STYLE
)

FORM_POLICY = content_security_policy(form_action="'self'")

LONGEST_LINK = 200  # characters of a token; ours have 43

router = APIRouter(include_in_schema=False)


@cache
def templates() -> Jinja2Templates:
    """The page templates; every value is escaped and a missing one is an error."""
    return Jinja2Templates(
        env=jinja2.Environment(
            loader=jinja2.FileSystemLoader(TEMPLATES), autoescape=True, undefined=jinja2.StrictUndefined
        )
    )


def render(
    request: Request, template: str, headers: dict[str, str], status_code: int = status.HTTP_200_OK, **values: object
) -> HTMLResponse:
    """One page; `headers` holds its content security policy, `values` is what only this page shows."""
    settings: Settings = request.app.state.settings
    context = {
        "title": request.app.title,
        "version": request.app.version,
        "openapi_url": request.app.openapi_url.removeprefix("/"),
        "public_url": settings.public_url.rstrip("/"),
        "sandbox_url": settings.sandbox_url and settings.sandbox_url.rstrip("/"),
        "demo": settings.environment is Environment.DEVELOPMENT,
        **values,
    }
    return templates().TemplateResponse(request, template, context, status_code, headers)


@router.get("/")
async def landing(request: Request) -> HTMLResponse:
    """The front door."""
    return render(request, "landing.html", LANDING_POLICY)


@router.get("/docs")
async def swagger_ui(request: Request) -> HTMLResponse:
    """Every operation, to be tried from the browser."""
    return render(request, "swagger_ui.html", SWAGGER_UI_POLICY)


@router.get("/redoc")
async def redoc(request: Request) -> HTMLResponse:
    """Every operation, to be read."""
    return render(request, "redoc.html", REDOC_POLICY)


@router.get("/verify-email")
async def ask_to_verify(request: Request, token: str = "") -> HTMLResponse:
    """Where the link in the mail leads: to a button, for programs that look through mails follow links."""
    return page_of_link(request, "verify_email.html", "asked" if token else "refused", token)


@router.post("/verify-email", dependencies=[limited("token")])
async def verify_email(
    request: Request, data: Annotated[EmailVerification, Form()], registrations: Registrations
) -> HTMLResponse:
    """Confirm the address, and say whether that worked."""
    try:
        await registrations.verify_email(data.token)
    except (EmailTaken, TokenExpired):
        return page_of_link(request, "verify_email.html", "refused")
    return page_of_link(request, "verify_email.html", "confirmed")


@router.get("/reset-password", dependencies=[limited("token")])
async def ask_for_new_password(request: Request, credentials: Credentials, token: str = "") -> HTMLResponse:
    """Where the link in the mail about a forgotten password leads. Looking at it spends nothing."""
    good = len(token) <= LONGEST_LINK and await credentials.is_reset_link(token)
    return page_of_link(request, "reset_password.html", "asked" if good else "refused", token)


@router.post("/reset-password", dependencies=[limited("token")])
async def reset_password(
    request: Request, data: Annotated[PasswordResetForm, Form()], credentials: Credentials, device: ThisDevice
) -> HTMLResponse:
    """Set the new password, and say whether that worked; one that will not do is asked for again."""
    try:
        password = data.chosen()
        await credentials.reset(data.token, password, device)
    except TokenExpired:
        return page_of_link(request, "reset_password.html", "refused")
    except (PasswordTooCommon, ValidationFailed) as refusal:
        [reason] = (error["message"] for error in refusal.extra["errors"])
        return page_of_link(request, "reset_password.html", "asked", data.token, reason, refusal.status)
    return page_of_link(request, "reset_password.html", "done")


def page_of_link(
    request: Request, template: str, outcome: str, token: str = "", reason: str = "", code: int = status.HTTP_200_OK
) -> HTMLResponse:
    """A page in one of its states, such as `asked` or `refused`. No cache may keep the token."""
    code = status.HTTP_410_GONE if outcome == "refused" else code
    headers = FORM_POLICY | {"Cache-Control": "no-store"}
    return render(request, template, headers, code, outcome=outcome, token=token, reason=reason)


@router.get("/favicon.ico")
async def favicon() -> FileResponse:
    """For what browsers ask without being told to, such as beside the bare OpenAPI document."""
    return FileResponse(STATIC / "pages" / "favicon.ico")


class CachedFiles(StaticFiles):
    """Vendored files carry their release in their path and are kept for a year; ours are asked about each time."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        """The file with its caching, or 404."""
        response = await super().get_response(path, scope)
        vendored = PurePath(path).parts[:1] == ("vendor",)
        response.headers["Cache-Control"] = "public, max-age=31536000, immutable" if vendored else "no-cache"
        return response


def mount_static(app: FastAPI) -> None:
    """Serve `app/static/` below `/static`."""
    app.mount("/static", CachedFiles(directory=STATIC), name="static")

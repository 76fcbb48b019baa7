"""The sandbox's few web pages. Everything they need is served from here, so they work offline."""

from pathlib import Path

from fastapi.responses import HTMLResponse
from jinja2 import Environment, PackageLoader

STATIC = Path(__file__).parent / "static"
POLICY = (
    "default-src 'none'; script-src 'self'; connect-src 'self'; form-action *; frame-ancestors 'none'; "
    # Mails are shown with their own styles and pictures, but their scripts never run.
    "style-src 'self' 'unsafe-inline'; img-src http: https: data:"
)

_templates = Environment(loader=PackageLoader("sandbox"), autoescape=True)


def page(template: str, status_code: int = 200, **values: object) -> HTMLResponse:
    """Render a template of `sandbox/templates`."""
    html = _templates.get_template(template).render(**values)
    return HTMLResponse(html, status_code, headers={"Content-Security-Policy": POLICY})

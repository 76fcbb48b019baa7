"""I15, A13: what a page of another site can make a visitor's browser do."""

from scripts.attack.attempts import Attempt
from scripts.attack.target import API, Target

ORIGINS = (
    "https://evil.example",
    "null",
    "http://localhost.evil.example",
    "http://evil-localhost",
    "http://localhost:1",
    "file://",
    "https://localhost@evil.example",
    "*",
    "",
)


async def cross_origin(target: Target) -> list[Attempt]:
    """Answers and preflights for origins that nobody allowed; and forms, which need no permission."""
    cors = Attempt("I15", "CORS: foreign origins, null and look-alikes; preflights; also 4xx")
    for origin in ORIGINS:
        for path in (f"{API}/products", f"{API}/users/me", "/nothing", "/docs", "/openapi.json"):
            answer = await target.request("GET", path, headers={"Origin": origin})
            allowed = answer.headers.get("Access-Control-Allow-Origin")
            credentials = "Access-Control-Allow-Credentials" in answer.headers
            cors.record(f"{origin!r} at {path}", answer, held=allowed is None and not credentials)
        asked = {
            "Origin": origin,
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": "authorization",
        }
        answer = await target.request("OPTIONS", f"{API}/orders", headers=asked)
        cors.record(f"preflight of {origin!r}", answer, held="Access-Control-Allow-Origin" not in answer.headers)

    forms = Attempt("A13", "CSRF: no cookie is ever set; forms and text/plain from another site")
    for path in ("/", "/docs", f"{API}/products", "/verify-email?token=x"):
        answer = await target.request("GET", path)
        forms.record(f"a cookie from {path}", answer, held="Set-Cookie" not in answer.headers)
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"):
        headers = {"Origin": "https://evil.example", "Content-Type": kind}
        for path in ("/orders", "/cart/lines", "/auth/register", "/auth/refresh"):
            answer = await target.request("POST", f"{API}{path}", headers=headers, content=b'{"quantity": 1}')
            forms.refused(f"{kind} at {path}", answer, 400, 401, 413, 415, 422, 429)
    return [cors, forms]

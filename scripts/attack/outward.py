"""I18: addresses that the service would call, if it took any."""

import re

from scripts.attack.attempts import Attempt
from scripts.attack.target import API, Json, Target

INSIDE = (
    "http://169.254.169.254/latest/meta-data/",
    "http://127.0.0.1:6379/",
    "http://localhost/",
    "http://[::1]/",
    "http://127.1/",
    "http://2130706433/",
    "http://0x7f000001/",
    "http://①②⑦.⓪.⓪.①/",
    "http://[64:ff9b::7f00:1]/",
    "http://[2002:7f00:1::]/",
    "http://100.64.0.1/",
    "https://10.0.0.1/",
    "file:///etc/passwd",
    "gopher://127.0.0.1:6379/_FLUSHALL",
    "https://user@127.0.0.1/",
)
_TAKES_A_URL = re.compile(r"(?:^|_)(?:ur[il]|href|link|callback|webhook|endpoint|host|domain|feed|image_src)s?$")


async def server_side_requests(target: Target) -> list[Attempt]:
    """The document says whether anything takes a URL; whatever does gets the addresses inside."""
    attempt = Attempt("I18", "SSRF: inputs of every operation that could hold a URL; addresses inside, as text, too")
    takers = []
    for method, path, described in target.operations():
        inputs = _inputs(target, described)
        attempt.record(f"{method} {path}", "takes no URL" if not inputs else "takes a URL", held=True)
        takers += [(method, path, name) for name in inputs]
    headers = await target.as_("admin")
    for method, path, name in takers:
        for address in INSIDE:
            answer = await target.request(method, path, headers=headers, json={name: address})
            attempt.refused(f"{method} {path}: {name}={address}", answer, 400, 401, 403, 404, 422, 428, 429)
    for address in INSIDE:
        answer = await target.request("GET", f"{API}/products", params={"q": address})
        attempt.refused(f"searched for {address}", answer, 200, 422)
    return [attempt]


def _inputs(target: Target, described: Json) -> list[str]:
    """The names of parameters and members of a body that say, by name or by format, that they are a URL."""
    found = [
        parameter["name"]
        for parameter in described.get("parameters", [])
        if _is_url(parameter["name"], parameter.get("schema", {}))
    ]
    for media in described.get("requestBody", {}).get("content", {}).values():
        found += _members(target, media["schema"], set())
    return found


def _members(target: Target, schema: Json, seen: set[str]) -> list[str]:
    if reference := schema.get("$ref"):
        if reference in seen:
            return []
        seen.add(reference)
        schema = target.document["components"]["schemas"][reference.rpartition("/")[2]]
    found: list[str] = []
    for name, inner in schema.get("properties", {}).items():
        found += [name] if _is_url(name, inner) else _members(target, inner, seen)
    for branch in (*schema.get("anyOf", []), *schema.get("oneOf", []), *schema.get("allOf", [])):
        found += _members(target, branch, seen)
    return found + (_members(target, schema["items"], seen) if "items" in schema else [])


def _is_url(name: str, schema: Json) -> bool:
    return schema.get("format") in ("uri", "url", "iri", "hostname") or _TAKES_A_URL.search(name) is not None

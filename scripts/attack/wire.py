"""I11 to I14, I20: the protocol itself. Smuggling, hosts, spoofed addresses, line breaks, redirects."""

import asyncio
import time

from scripts.attack.attempts import Attempt
from scripts.attack.target import API, Target, statuses

EVIL = "evil.example"


async def smuggling(target: Target) -> list[Attempt]:
    """Requests about whose end two servers could disagree: never more than one answer, and no 2xx."""
    attempt = Attempt("I12", "smuggling shapes: CL+TE, two lengths, folded, bare LF, bad chunks, huge heads, no Host")
    hidden = b"GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n"
    head = b"POST /api/v1/cart HTTP/1.1\r\nHost: localhost\r\n"
    for name, data in {
        "CL.TE": head + b"Content-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + hidden,
        "TE.CL": head + b"Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n5c\r\n" + hidden + b"0\r\n\r\n",
        "two lengths": head + b"Content-Length: 0\r\nContent-Length: 45\r\n\r\n" + hidden,
        "a list of lengths": head + b"Content-Length: 0, 45\r\n\r\n" + hidden,
        "a length with a sign": head + b"Content-Length: +0\r\n\r\n" + hidden,
        "a negative length": head + b"Content-Length: -1\r\n\r\n" + hidden,
        "a length in hex": head + b"Content-Length: 0x2d\r\n\r\n" + hidden,
        "TE twice": head + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n" + hidden,
        "TE of a tab": head + b"Transfer-Encoding:\tchunked, x\r\n\r\n0\r\n\r\n" + hidden,
        "TE xchunked": head + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n" + hidden,
        "a space before the colon": head + b"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n" + hidden,
        "a folded header": head + b"X-A: b\r\n Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + hidden,
        "a chunk's size with rubbish": head + b"Transfer-Encoding: chunked\r\n\r\n0x0\r\n\r\n" + hidden,
        "a chunk's size beyond 64 bits": head + b"Transfer-Encoding: chunked\r\n\r\n" + b"f" * 17 + b"\r\n" + hidden,
        "no Host": b"GET / HTTP/1.1\r\n\r\n",
        "two Hosts": b"GET / HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n\r\n",
        "a NUL in a header": b"GET / HTTP/1.1\r\nHost: localhost\r\nX-A: a\x00b\r\n\r\n",
        "a header of 1 MB": b"GET / HTTP/1.1\r\nHost: localhost\r\nX-A: " + b"a" * 2**20 + b"\r\n\r\n",
        "20 000 headers": b"GET / HTTP/1.1\r\nHost: localhost\r\n" + b"X-A: a\r\n" * 20_000 + b"\r\n",
        "a URL of 100 kB": b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n",
        "an unknown method": b"BREW / HTTP/1.1\r\nHost: localhost\r\n\r\n",
        "HTTP/2 by word of mouth": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        "HTTP/9.9": b"GET / HTTP/9.9\r\nHost: localhost\r\n\r\n",
    }.items():
        said = statuses(await target.raw(data))
        attempt.record(name, said, held=said in ("400", "408", "413", "414", "431", "501", "closed"))
    return [attempt]


async def slow_clients(target: Target) -> list[Attempt]:
    """Connections that begin a head or a body and go on in drops, while somebody else shops."""
    attempt = Attempt("I11", "slow clients: 200 unfinished heads; another customer meanwhile")
    at = target.client.base_url
    opened = [await asyncio.open_connection(at.host, at.port) for _ in range(200)]
    for _, writer in opened:
        writer.write(b"GET / HTTP/1.1\r\nHost: localhost\r\nX-Slow: ")
    started = time.perf_counter()
    answer = await target.request("GET", f"{API}/products")
    attempt.refused("another customer meanwhile", answer, 200)
    attempt.note(f"answered in {(time.perf_counter() - started) * 1000:.0f} ms")

    async def ending(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> str:
        try:
            async with asyncio.timeout(15):
                return statuses(await reader.read())
        except TimeoutError:
            return "held"
        except ConnectionError:
            return "closed"
        finally:
            writer.close()

    for said in await asyncio.gather(*(ending(*each) for each in opened)):
        attempt.record("an unfinished head", said, held=said in ("408", "closed"))
    return [attempt]


async def hosts(target: Target) -> list[Attempt]:
    """A host that is not the shop's, wherever it can be named; nothing may repeat it."""
    attempt = Attempt("I13", "Host, X-Forwarded-Host, absolute URLs, ports: refused, or never repeated")
    for name, head in {
        "Host": f"GET / HTTP/1.1\r\nHost: {EVIL}\r\n",
        "Host with the shop's as a port": f"GET / HTTP/1.1\r\nHost: {EVIL}:localhost\r\n",
        "Host with credentials": f"GET / HTTP/1.1\r\nHost: localhost@{EVIL}\r\n",
        "Host with a suffix": f"GET / HTTP/1.1\r\nHost: localhost.{EVIL}\r\n",
        "absolute URL": f"GET http://{EVIL}/ HTTP/1.1\r\nHost: {EVIL}\r\n",
        "HTTP/1.0": f"GET / HTTP/1.0\r\nHost: {EVIL}\r\n",
    }.items():
        heard = await target.raw(f"{head}Connection: close\r\n\r\n".encode())
        attempt.record(name, statuses(heard), held=statuses(heard) == "400" and EVIL.encode() not in heard)
    for header in ("X-Forwarded-Host", "X-Host", "X-Original-URL", "X-Rewrite-URL", "Forwarded", "X-Forwarded-Server"):
        for path in ("/", f"{API}/products", "/nothing", "/docs"):
            answer = await target.request("GET", path, headers={header: f"host={EVIL}"})
            held = EVIL not in answer.text and EVIL not in str(answer.headers)
            attempt.record(f"{header} at {path}", answer, held=held)
    return [attempt]


async def redirects_and_line_breaks(target: Target) -> list[Attempt]:
    """Ways to another site, and into the head of an answer."""
    redirects = Attempt("I14", "open redirects: next, //, backslashes, trailing slashes")
    aims = [f"//{EVIL}", f"/\\{EVIL}", f"https:{EVIL}", f"/%2f{EVIL}", f"/%5c{EVIL}", f"///{EVIL}/..", f"/.{EVIL}"]
    paths = [f"{aim}{tail}" for aim in (f"//{EVIL}", f"/%2f%2f{EVIL}", f"/\\{EVIL}") for tail in ("", "/", "/..")]
    paths += [f"{API}/products/", f"{API}/products//{EVIL}", "/docs/", "/static//evil.example/"]
    for name in ("next", "return_to", "redirect", "redirect_uri", "url", "continue"):
        paths += [f"{path}?{name}={aim}" for aim in aims for path in ("/", "/verify-email")]
    for path in paths:
        said = await target.raw(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
        head = said.partition(b"\r\n\r\n")[0].lower()
        redirects.record(path, statuses(said), held=b"\r\nlocation:" not in head)

    breaks = Attempt("I16", "CRLF: in paths, queries, header values, e-mail addresses")
    for text in ("%0d%0aSet-Cookie:%20a=b", "%0aX-Evil:%201", "%E5%98%8A%E5%98%8DX-Evil:%201", "%0d%0a%0d%0a<script>"):
        for path in (f"/{text}", f"{API}/products?q={text}", f"{API}/products/{text}", f"/verify-email?token={text}"):
            answer = await target.request("GET", path)
            named = {name.lower() for name in answer.headers}
            breaks.record(path, answer, held=not named & {"set-cookie", "x-evil"})
    for given in ("abcdefgh\u0085X-Evil: 1", "a" * 129, "<script>alert(1)</script>"):
        answer = await target.request("GET", "/nothing", headers={"X-Request-ID": given.encode()})
        breaks.record("X-Request-ID", answer, held=given not in answer.headers["X-Request-ID"])
    for email in (
        "eve@example.com\r\nBcc: a@b.example",
        "Eve <eve@example.com>",
        "eve@exa\x00mple.com",
    ):
        body = {"email": email, "password": "a long enough passphrase", "full_name": "Eve"}
        breaks.refused(f"register {email!r}", await target.request("POST", f"{API}/auth/register", json=body), 422, 429)
    return [redirects, breaks]

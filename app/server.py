"""How the API is served: uvicorn, with the limits that an open network needs."""

import ipaddress
import os

import uvicorn

from app.core.http_protocol import GuardedHttpProtocol

GRACEFUL_SHUTDOWN_S = 20  # requests in flight may finish; a container's own grace period must be longer
WEBSOCKET_MESSAGE_BYTES = 64 * 1024  # OWASP WebSocket cheat sheet
WEBSOCKET_QUEUE = 8


def trusted_proxies(forwarded_allow_ips: str) -> list[str]:
    """The addresses and networks of a comma separated list.

    Raises:
        ValueError: one of them is neither, or is all addresses. Where everybody is trusted, uvicorn takes the first
            entry of X-Forwarded-For, which any client can write.
    """
    proxies = [proxy.strip() for proxy in forwarded_allow_ips.split(",") if proxy.strip()]
    for proxy in proxies:
        if proxy == "*" or ipaddress.ip_network(proxy).prefixlen == 0:
            raise ValueError(f"{proxy} trusts everybody; name the proxies, or their network")
    return proxies


def serve(host: str, port: int, workers: int, proxies: list[str]) -> None:
    """Serve until SIGTERM or SIGINT: close the listener, let requests in flight finish, then end.

    `proxies` are those whose X-Forwarded-For is believed: its last entry that is none of them is the client. Without
    any, nobody is; uvicorn's own default trusts 127.0.0.1, where every local client could claim any address.

    Raises:
        SystemExit: the port is taken or the application does not start (exit code 3 or 1). After SIGTERM the process
            ends by that signal: a shell or container sees 143.
    """
    os.environ["WEB_CONCURRENCY"] = str(workers)  # the processes to come share the rate limits
    uvicorn.run(
        "app.main:create_app",
        factory=True,
        host=host,
        port=port,
        workers=workers,
        http=GuardedHttpProtocol,
        ws_max_size=WEBSOCKET_MESSAGE_BYTES,
        ws_max_queue=WEBSOCKET_QUEUE,
        ws_per_message_deflate=False,  # a compressed message of 64 kB unpacks to 64 MB
        timeout_graceful_shutdown=GRACEFUL_SHUTDOWN_S,
        proxy_headers=bool(proxies),
        forwarded_allow_ips=proxies,
        server_header=False,
        access_log=False,  # the service says one structured line per request itself
        log_config=None,
    )

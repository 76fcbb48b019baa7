"""How the API is served: uvicorn, with the limits that an open network needs."""

import uvicorn

from app.core.http_protocol import GuardedHttpProtocol

GRACEFUL_SHUTDOWN_S = 20  # requests in flight may finish; a container's own grace period must be longer
WEBSOCKET_MESSAGE_BYTES = 64 * 1024  # OWASP WebSocket cheat sheet
WEBSOCKET_QUEUE = 8


def serve(host: str, port: int, workers: int, forwarded_allow_ips: str) -> None:
    """Serve until SIGTERM or SIGINT: close the listener, let requests in flight finish, then end.

    `forwarded_allow_ips` (comma separated addresses or networks, `*` for all) are the proxies whose
    X-Forwarded-For is believed. Empty trusts nobody; uvicorn's own default trusts 127.0.0.1, where every
    local client could claim any address.

    Raises:
        SystemExit: the port is taken or the application does not start (exit code 3 or 1). After SIGTERM the
        process
            ends by that signal: a shell or container sees 143.
    """
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
        proxy_headers=bool(forwarded_allow_ips),
        forwarded_allow_ips=forwarded_allow_ips,
        server_header=False,
        access_log=False,  # the service says one structured line per request itself
        log_config=None,
    )

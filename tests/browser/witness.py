"""Whoever watches a browser for what a visitor would not see: errors in the console, and requests that go astray."""

from playwright.async_api import BrowserContext, ConsoleMessage, Request, Response, WebError

# Swagger UI 5.35 says so of every deep link to an operation, though none of ours has a space in it.
DEEP_LINKS = (
    "Deprecated: escaping deep link whitespace with `_` is unsupported and will be removed in a future 5.x release. "
    "Use `%20` instead."
)
ANSWERED_BY_THEMSELVES = ("data:", "blob:", "about:")


class Witness:
    """Collects complaints. A violated content security policy is an error in Chromium's console, too."""

    def __init__(self, *origins: str) -> None:
        self._origins = origins
        self._expected = {DEEP_LINKS}
        self.complaints: list[str] = []

    def watch(self, context: BrowserContext) -> None:
        context.on("console", self._heard)
        context.on("weberror", self._crashed)
        context.on("request", self._asked)
        context.on("requestfailed", self._unanswered)
        context.on("response", self._answered)

    def expect(self, status: int, reason: str) -> None:
        """The test is about to provoke this answer, which Chromium repeats in its console."""
        self._expected |= {
            str(status),
            f"Failed to load resource: the server responded with a status of {status} ({reason})",
        }

    def _heard(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"} and message.text not in self._expected:
            self.complaints.append(f"console: {message.text}")

    def _crashed(self, error: WebError) -> None:
        self.complaints.append(f"script: {error.error}")

    def _asked(self, request: Request) -> None:
        if not request.url.startswith((*ANSWERED_BY_THEMSELVES, *(f"{origin}/" for origin in self._origins))):
            self.complaints.append(f"foreign: {request.url}")

    def _unanswered(self, request: Request) -> None:
        self.complaints.append(f"unanswered: {request.url} ({request.failure})")

    def _answered(self, response: Response) -> None:
        if response.status >= 400 and str(response.status) not in self._expected:
            self.complaints.append(f"{response.status}: {response.request.method} {response.url}")

"""`shop serve`, with what a measurement has to change about it: `python -m bench.service [CHANGE ...]`."""

import ctypes
import sys

import app.shop
from app.cli import main
from app.core.ids import uuid7
from app.gateways.payments import Intent, StripePayments
from app.models.payments import PaymentState

OBSERVABLE = "observable"
WITHOUT_PROVIDER = "without-provider"

PR_SET_PTRACER = 0x59616D61  # <linux/prctl.h>
PR_SET_PTRACER_ANY = ctypes.c_ulong(-1)


class NoProvider(StripePayments):
    """Every payment is announced at once: neither the provider's time nor that of its library is ours."""

    async def open(self, amount: int, currency: str, metadata: dict[str, str], key: str) -> Intent:  # noqa: ARG002  # as the provider's
        reference = f"pi_{uuid7()}"
        return Intent(
            reference=reference,
            state=PaymentState.REQUIRES_PAYMENT_METHOD,
            amount=amount,
            amount_received=0,
            currency=currency,
            client_secret=f"{reference}_secret",
            next_action=None,
        )


def let_profilers_in() -> None:
    """Let other processes of this user look inside.

    Most Linux systems let a process be traced by its ancestors only (Yama, ptrace_scope 1), and py-spy is none;
    without this it would take root. Kernels without Yama refuse the call and do not need it.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY, 0, 0, 0)


if __name__ == "__main__":
    changes = sys.argv[1:]
    if OBSERVABLE in changes:
        let_profilers_in()
    if WITHOUT_PROVIDER in changes:
        vars(app.shop)["StripePayments"] = NoProvider  # the shop builds its own
    sys.argv[1:] = ["serve"]
    main()

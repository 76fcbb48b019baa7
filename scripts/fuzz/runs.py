"""One run of Schemathesis against a shop, as one identity or as nobody."""

import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from scripts.fuzz.identities import Identity, account_of, write_identities

CONFIG = Path(__file__).with_name("schemathesis.toml")
HOOKS = Path(__file__).with_name("hooks.py")


@dataclass(frozen=True)
class Run:
    """`neighbour` must not see what `identity` owns; without an identity the fuzzer is anonymous."""

    identity: Identity | None = None
    neighbour: Identity | None = None

    @property
    def name(self) -> str:
        return self.identity.name if self.identity else "anonymous"


def fuzz(url: str, run: Run, home: Path, options: Sequence[str]) -> int:
    """Run it with these options of `st run`, and return its exit code: 0 without findings.

    Raises:
        CannotFuzz: the identity cannot sign in.
    """
    config, environment = CONFIG.read_text(), {**os.environ, "SCHEMATHESIS_HOOKS": str(HOOKS)}
    if run.identity:
        identities = [each for each in (run.identity, run.neighbour) if each]
        file = home / f"{run.name}-identities.json"
        write_identities(file, url, identities)
        config += f'\n[auth.wfc]\npath = "{file}"\nuser = "{run.name}"\n'
        if run.neighbour:
            config += f"peers = {[each.name for each in identities]}\n"
        environment["FUZZ_OWN_ACCOUNT"] = account_of(url, run.identity)
    configured = home / f"{run.name}.toml"
    configured.write_text(config)
    command = (
        *(sys.executable, "-m", "schemathesis.cli", "--config-file", str(configured), "run", f"{url}/openapi.json"),
        *("--checks", "all"),
        *options,
    )
    return subprocess.run(command, env=environment, cwd=home, check=False).returncode  # noqa: S603 - our own command

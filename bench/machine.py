"""On what it was measured."""

import importlib.metadata
import os
import platform
import subprocess
import tempfile
from datetime import UTC, datetime
from pathlib import Path

import psutil

from app.dev.embedded import RunningPostgres

PACKAGES = ("fastapi", "starlette", "uvicorn", "uvloop", "httptools", "sqlalchemy", "asyncpg", "pydantic", "orjson")


def describe_machine() -> dict[str, str | int | float]:
    """Without anything that names the machine."""
    return {
        "processor": _processor(),
        "cores": os.cpu_count() or 1,
        "memory_gb": round(psutil.virtual_memory().total / 2**30),
        "system": f"{platform.system()} {platform.machine()}",
        "storage": _file_system_of(Path(tempfile.gettempdir())),
        "load_before": round(os.getloadavg()[0], 1),
        "measured_on": datetime.now(UTC).date().isoformat(),
    }


def describe_versions(postgres: RunningPostgres) -> dict[str, str]:
    return {
        "emporium": _revision(),
        "python": platform.python_version(),
        "postgresql": postgres.run_sql("SHOW server_version"),
        **{name: importlib.metadata.version(name) for name in PACKAGES},
    }


def _processor() -> str:
    information = Path("/proc/cpuinfo")
    lines = information.read_text().splitlines() if information.exists() else []
    models = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(models, platform.processor() or "unknown")


def _file_system_of(path: Path) -> str:
    """The kind of file system the database lies on: what an fsync costs depends on it."""
    mounts = [part for part in psutil.disk_partitions(all=True) if path.resolve().is_relative_to(part.mountpoint)]
    return max(mounts, key=lambda part: len(part.mountpoint)).fstype if mounts else "unknown"


def _revision() -> str:
    git = ["git", "describe", "--always", "--dirty"]
    described = subprocess.run(git, cwd=Path(__file__).parent, capture_output=True, text=True, check=False)  # noqa: S603  # a fixed program
    return described.stdout.strip() or importlib.metadata.version("emporium")

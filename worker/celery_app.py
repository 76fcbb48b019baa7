"""The Celery application: `celery -A worker.celery_app worker`."""

from typing import Any

from celery import Celery
from celery.signals import setup_logging, worker_process_init, worker_process_shutdown, worker_ready

from app.core.logging import configure_logging
from app.settings import Settings
from worker import runtime
from worker.heartbeat import INTERVAL, beat

celery_app = Celery("emporium")
celery_app.config_from_object("worker.config")


@setup_logging.connect
def log_as_the_api_does(**_: Any) -> None:
    settings = Settings()
    configure_logging(settings.log_level, settings.log_format)


@worker_process_init.connect
def open_runtime(**_: Any) -> None:
    """After the fork: connections and event loops must not be shared with the parent."""
    runtime.open_runtime(Settings())


@worker_process_shutdown.connect
def close_runtime(**_: Any) -> None:
    runtime.close_runtime()


@worker_ready.connect
def keep_beating(sender: Any, **_: Any) -> None:
    beat()
    sender.timer.call_repeatedly(INTERVAL, beat)

"""Celery's configuration. Celery imports this module when it first needs it, so importing the worker reads nothing.

Redis redelivers what a dead worker held after the visibility timeout. It must be longer than any task may take, or
tasks run twice; retries are short for the same reason, and what must wait longer waits in PostgreSQL.
"""

from celery.schedules import crontab
from kombu import Queue

from app.settings import Settings

_settings = Settings()

broker_url = _settings.redis_url.get_secret_value()
broker_connection_retry_on_startup = True
broker_transport_options = {
    "visibility_timeout": _settings.visibility_timeout,
    # Look for abandoned tasks every 5 s; kombu's defaults take up to 100 s longer than the visibility timeout.
    "unacked_restore_interval": 5,
    "unacked_restore_throttle": 1,
    "socket_timeout": 2,
    "socket_connect_timeout": 2,
}

imports = ("worker.tasks.events", "worker.tasks.periodic")

# By the clock. A run that could not start for this many seconds is dropped: the next one does its work too.
_PERIODIC: dict[str, tuple[str, float | crontab, int]] = {
    "emporium.release_expired_reservations": ("critical", 30, 30),
    "emporium.reconcile_stuck_payments": ("critical", 5 * 60, 5 * 60),
    "emporium.publish_lost_events": ("bulk", 60, 60),
    "emporium.count_sales": ("bulk", 10 * 60, 10 * 60),
    "emporium.purge_expired": ("bulk", crontab(minute=7), 60 * 60),
    "emporium.purge_unused_media": ("bulk", crontab(minute=37), 60 * 60),
    "emporium.audit_stock": ("bulk", crontab(hour=3, minute=17), 60 * 60),
}
beat_schedule = {
    task: {"task": task, "schedule": schedule, "options": {"queue": queue, "expires": expires}}
    for task, (queue, schedule, expires) in _PERIODIC.items()
}

task_acks_late = True
task_reject_on_worker_lost = True
worker_prefetch_multiplier = 1
task_time_limit = _settings.task_time_limit
task_ignore_result = True
task_serializer = result_serializer = "json"
accept_content = ["json"]
task_default_queue = "default"
task_queues = (Queue("critical"), Queue("default"), Queue("bulk"))
worker_hijack_root_logger = False
worker_soft_shutdown_timeout = 10

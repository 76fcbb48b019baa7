ARG PYTHON=python:3.14-slim

# Everything that installs packages stays in this stage: the images below hold no installer and no cache.
FROM ${PYTHON} AS builder
ARG UV_VERSION=0.13.9
ENV UV_COMPILE_BYTECODE=1 \
    UV_LINK_MODE=copy \
    UV_PYTHON_DOWNLOADS=never \
    VIRTUAL_ENV=/opt/venv
RUN --mount=type=cache,target=/root/.cache \
    pip install --root-user-action=ignore "uv==${UV_VERSION}" && uv venv "${VIRTUAL_ENV}"
RUN --mount=type=cache,target=/root/.cache \
    --mount=type=bind,source=requirements,target=/requirements \
    uv pip install --require-hashes --only-binary :all: -r /requirements/base.txt

# The sandbox needs one thing more: the SMTP server behind its mailbox, pinned and hashed with the development tools.
FROM builder AS sandbox-builder
RUN --mount=type=cache,target=/root/.cache \
    --mount=type=bind,source=requirements,target=/requirements \
    uv pip install --verify-hashes --only-binary :all: --constraint /requirements/dev.txt aiosmtpd

FROM ${PYTHON} AS runtime
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONPATH=/srv/emporium \
    PYTHONUNBUFFERED=1
RUN useradd --uid 10001 --no-create-home --shell /usr/sbin/nologin emporium
WORKDIR /srv/emporium

# What plays the outside world on a laptop. It shares no code with the shop, and is no part of its image.
FROM runtime AS sandbox
ENV SANDBOX_HOST=0.0.0.0
COPY --from=sandbox-builder /opt/venv /opt/venv
COPY sandbox ./sandbox
RUN python -m compileall -q sandbox
USER 10001:10001
EXPOSE 8001 1025
CMD ["python", "-m", "sandbox"]

# The API by default; the worker, beat, the relay and the migrations are other commands of the same image.
FROM runtime AS shop
ENV MEDIA_STORE=/var/lib/emporium/media \
    SHOP_HOST=0.0.0.0
COPY --from=builder /opt/venv /opt/venv
COPY --chmod=755 <<'EOF' /opt/venv/bin/shop
#!/opt/venv/bin/python
from app.cli import main

main()
EOF
COPY alembic.ini ./
COPY migrations ./migrations
COPY app ./app
COPY worker ./worker
# Pictures live here unless MEDIA_STORE names a bucket: a volume that is mounted here belongs to the service's user.
RUN python -m compileall -q migrations app worker \
    && install --directory --owner=10001 --group=10001 /var/lib/emporium/media
USER 10001:10001
EXPOSE 8000
# Whether the process answers, not whether its database does: a restart would not bring that back.
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s \
    CMD ["python", "-c", "from urllib.request import urlopen; urlopen('http://127.0.0.1:8000/health/live', timeout=4)"]
CMD ["shop", "serve"]

# The images, one target each: task-svc, notify-svc, edge-api, and web (the page). docker-compose.yml runs them.
#
# This file pins tags. scripts/pin-images, which the publishing workflow runs, pins the digests.
FROM python:3.13.15-slim-trixie AS base
ENV PYTHONDONTWRITEBYTECODE=1

# The packages that all services need, pinned by hash. Only wheels are allowed, so no compiler is needed.
FROM base AS packages
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_ONLY_BINARY=:all: \
    PIP_PYTHON=/opt/taskmesh/bin/python \
    PIP_QUIET=1 \
    PIP_REQUIRE_HASHES=1
WORKDIR /app
RUN python -m venv --without-pip /opt/taskmesh
COPY chassis/requirements.txt /build/
RUN --mount=type=cache,target=/root/.cache/pip pip install --no-compile -r /build/requirements.txt

# Python without tools for installation, GUIs and documentation. It is compiled to bytecode now, because the file system
# is read-only at run time.
FROM base AS trimmed
WORKDIR /usr/local
RUN rm -rf bin/idle* bin/pip* bin/pydoc* include share lib/python3.*/ensurepip lib/python3.*/idlelib \
      lib/python3.*/tkinter lib/python3.*/turtledemo lib/python3.*/site-packages/* && \
    python -m compileall -q -j 0 --invalidation-mode unchecked-hash lib && \
    useradd --uid 10001 --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin taskmesh

# The common base of the services. It is a single layer: a layer on top of the base image would hide the removed files
# but still contain them.
FROM scratch AS runtime
# hadolint ignore=DL3067
COPY --from=trimmed / /
ENV LANG=C.UTF-8 \
    PATH=/opt/taskmesh/bin:/usr/local/bin:/usr/bin:/bin \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONPATH=/app \
    PYTHONUNBUFFERED=1
LABEL org.opencontainers.image.base.name="python:3.13.15-slim-trixie" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="0.1.0"
WORKDIR /app
STOPSIGNAL SIGTERM
USER 10001:10001

# For each service: its own packages in addition to the common ones, and its code.
FROM packages AS task-build
COPY task_svc/requirements.txt /build/
RUN --mount=type=cache,target=/root/.cache/pip pip install --no-compile -r /build/requirements.txt && \
    python -m compileall -q -j 0 --invalidation-mode unchecked-hash /opt/taskmesh/lib
COPY chassis chassis
COPY gen/task task
COPY task_svc task_svc
RUN chmod -R a+rX . && python -m compileall -q --invalidation-mode unchecked-hash .

FROM packages AS notify-build
COPY notify_svc/requirements.txt /build/
RUN --mount=type=cache,target=/root/.cache/pip pip install --no-compile -r /build/requirements.txt && \
    python -m compileall -q -j 0 --invalidation-mode unchecked-hash /opt/taskmesh/lib
COPY chassis chassis
COPY gen/task task
COPY gen/notify notify
COPY notify_svc notify_svc
RUN chmod -R a+rX . && python -m compileall -q --invalidation-mode unchecked-hash .

FROM packages AS edge-build
COPY edge_api/requirements.txt /build/
RUN --mount=type=cache,target=/root/.cache/pip pip install --no-compile -r /build/requirements.txt && \
    python -m compileall -q -j 0 --invalidation-mode unchecked-hash /opt/taskmesh/lib
COPY chassis chassis
COPY gen/task task
COPY gen/notify notify
COPY edge_api edge_api
RUN chmod -R a+rX . && python -m compileall -q --invalidation-mode unchecked-hash .

# The health checks in the images check liveness, because an orchestrator may restart a container that fails them. A
# service whose store is unavailable must not be restarted. docker-compose.yml has readiness checks.
FROM runtime AS task-svc
LABEL org.opencontainers.image.title="Taskmesh task-svc" \
      org.opencontainers.image.description="The task service: tasks and their events, over gRPC"
COPY --from=task-build /opt/taskmesh /opt/taskmesh
COPY --from=task-build /app /app
EXPOSE 50051 9101
HEALTHCHECK --interval=15s --timeout=5s --start-period=30s --start-interval=1s --retries=3 \
  CMD ["python", "-m", "chassis.probe", "grpc://127.0.0.1:50051"]
CMD ["python", "-m", "task_svc"]

FROM runtime AS notify-svc
LABEL org.opencontainers.image.title="Taskmesh notify-svc" \
      org.opencontainers.image.description="The notification service: consumes events, delivers, stores the inboxes"
COPY --from=notify-build /opt/taskmesh /opt/taskmesh
COPY --from=notify-build /app /app
EXPOSE 50052 9102
HEALTHCHECK --interval=15s --timeout=5s --start-period=30s --start-interval=1s --retries=3 \
  CMD ["python", "-m", "chassis.probe", "grpc://127.0.0.1:50052"]
CMD ["python", "-m", "notify_svc"]

FROM runtime AS edge-api
LABEL org.opencontainers.image.title="Taskmesh edge-api" \
      org.opencontainers.image.description="The HTTP edge: REST and server-sent events in, gRPC out"
COPY --from=edge-build /opt/taskmesh /opt/taskmesh
COPY --from=edge-build /app /app
EXPOSE 8080 9100
HEALTHCHECK --interval=15s --timeout=5s --start-period=30s --start-interval=1s --retries=3 \
  CMD ["python", "-m", "chassis.probe", "http://127.0.0.1:8080/healthz"]
CMD ["python", "-m", "edge_api"]

# The OpenAPI document from which the page's types are generated.
FROM edge-api AS openapi
RUN python -m edge_api.openapi >/tmp/openapi.json

# Node is only needed to build the page. Its version is the same as that of the wheel in requirements-dev.txt.
FROM node:24.19.0-trixie-slim AS page
WORKDIR /build/web
COPY web/package.json web/package-lock.json web/.npmrc ./
RUN --mount=type=cache,target=/root/.npm npm ci --silent
COPY --from=openapi /tmp/openapi.json /build/.cache/openapi.json
COPY web/openapi-ts.config.ts web/tsconfig.json web/vite.config.ts ./
COPY web/src src
COPY web/static static
RUN npm run --silent types && npm run --silent build && chmod -R a+rX build

FROM nginxinc/nginx-unprivileged:1.30.4-alpine-slim AS web
LABEL org.opencontainers.image.title="Taskmesh web" \
      org.opencontainers.image.description="The page: static files, for the gateway" \
      org.opencontainers.image.base.name="nginxinc/nginx-unprivileged:1.30.4-alpine-slim" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="0.1.0"
COPY --chmod=644 compose/web/nginx.conf /etc/nginx/nginx.conf
COPY --from=page /build/web/build /srv/page
EXPOSE 8080
STOPSIGNAL SIGQUIT
USER 101:101
HEALTHCHECK --interval=15s --timeout=5s --start-period=30s --start-interval=1s --retries=3 \
  CMD ["wget", "-q", "-O", "/dev/null", "http://127.0.0.1:8080/"]
ENTRYPOINT []
CMD ["nginx"]

# Evergreen's programs: `python worker.py` (default), `python -m portal`, `python starter.py migrate`.
FROM python:3.12-slim-bookworm AS build
WORKDIR /build
COPY requirements-runtime.lock ./
# Without the embedded servers, the tests' tools, and pip itself: none of them runs here.
RUN python -m venv /venv \
    && /venv/bin/pip install --no-cache-dir --no-compile --require-hashes -r requirements-runtime.lock \
    && /venv/bin/pip uninstall --yes pip

FROM python:3.12-slim-bookworm
RUN useradd --system --no-create-home --uid 10001 evergreen
COPY --from=build /venv /venv
WORKDIR /app
COPY config.py connection.py health.py logs.py readiness.py schedule.py starter.py worker.py ./
COPY activities activities
COPY commands commands
COPY db db
COPY domain domain
COPY forecast forecast
COPY notices notices
COPY papers papers
COPY payments payments
COPY portal portal
COPY reception reception
COPY sandbox sandbox
COPY sealing sealing
COPY telemetry telemetry
COPY vendor vendor
COPY workflows workflows
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 EVERGREEN_LOG_FORMAT=json EVERGREEN_HEALTH_HOST=0.0.0.0
USER evergreen
CMD ["python", "worker.py"]

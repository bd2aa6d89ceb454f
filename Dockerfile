# heatmon: one image for web, worker and beat.
FROM python:3.13.9-slim-trixie AS build
WORKDIR /app
RUN python3 -m venv /venv
COPY requirements.lock .
RUN /venv/bin/pip install --no-cache-dir --disable-pip-version-check --only-binary=:all: \
  --require-hashes -r requirements.lock
COPY manage.py pyproject.toml README.md CONTRIBUTING.md CHANGELOG.md LICENSE ./
COPY docs docs
COPY heatmon heatmon
COPY apps apps
COPY templates templates
COPY static static
COPY locale locale
RUN HEATMON_DATA_DIR=/tmp/build /venv/bin/python manage.py collectstatic --noinput \
  && /venv/bin/python -m compileall -q /app/heatmon /app/apps && chmod -R a+rX /app

FROM python:3.13.9-slim-trixie
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 HEATMON_DATA_DIR=/data
WORKDIR /app
RUN useradd --uid 10001 --home-dir /data --shell /usr/sbin/nologin heatmon \
  && mkdir -m 700 /data && chown heatmon:heatmon /data
COPY --from=build /venv /venv
COPY --from=build /app /app
USER heatmon
VOLUME /data
EXPOSE 8000
STOPSIGNAL SIGTERM
ENTRYPOINT ["/app/heatmon/entrypoint.sh"]
CMD ["web"]

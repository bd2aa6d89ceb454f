# heatmon: one image for web, worker and beat.
FROM python:3.13-slim AS build
WORKDIR /app
RUN python3 -m venv /venv
COPY requirements.txt .
RUN /venv/bin/pip install --no-cache-dir --disable-pip-version-check -r requirements.txt

FROM python:3.13-slim
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 HEATMON_DATA_DIR=/data
WORKDIR /app
RUN useradd --uid 10001 --home-dir /data --shell /usr/sbin/nologin heatmon && mkdir /data && chown heatmon:heatmon /data
COPY --from=build /venv /venv
COPY manage.py pyproject.toml README.md CONTRIBUTING.md CHANGELOG.md LICENSE ./
COPY docs docs
COPY heatmon heatmon
COPY apps apps
COPY templates templates
COPY static static
COPY locale locale
RUN HEATMON_DATA_DIR=/tmp/build python manage.py collectstatic --noinput && chmod -R a+rX staticfiles && rm -rf /tmp/build
USER heatmon
VOLUME /data
EXPOSE 8000
ENTRYPOINT ["/app/heatmon/entrypoint.sh"]
CMD ["web"]

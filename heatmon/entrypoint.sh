#!/bin/sh
# What each service of docker-compose.yml runs.
set -eu
export HEATMON_BIND="${HEATMON_BIND:-0.0.0.0:8000}"
case "${1:-web}" in
  web)
    python manage.py setup_code
    # The worker reads requests within limits (heatmon/web_worker.py); whom to believe about X-Forwarded headers is
    # decided in heatmon/wsgi.py alone.
    exec gunicorn "heatmon.wsgi:opened()" --bind "$HEATMON_BIND" --workers 1 --threads 4 --worker-class heatmon.web_worker.LimitedWorker \
      --forwarded-allow-ips "" --no-control-socket --worker-tmp-dir /tmp --access-logfile /dev/null \
      --graceful-timeout 5
    ;;
  worker)
    exec python -m heatmon.worker
    ;;
  beat)
    exec celery -A heatmon beat --loglevel WARNING --pidfile=
    ;;
  *)
    exec python manage.py "$@"
    ;;
esac

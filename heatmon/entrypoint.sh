#!/bin/sh
# What each service of docker-compose.yml runs.
set -eu
case "${1:-web}" in
  web)
    python manage.py setup_code
    exec gunicorn "heatmon.wsgi:opened()" --bind 0.0.0.0:8000 --workers 1 --threads 4 \
      --no-control-socket --worker-tmp-dir /tmp --access-logfile /dev/null --graceful-timeout 5
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

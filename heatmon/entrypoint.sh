#!/bin/sh
# What each service of docker-compose.yml runs.
set -eu
case "${1:-web}" in
  web)
    python manage.py migrate --noinput
    python manage.py setup_code
    exec gunicorn "heatmon.wsgi:opened()" --bind 0.0.0.0:8000 --workers 1 --threads 4 \
      --no-control-socket --worker-tmp-dir /tmp --access-logfile /dev/null
    ;;
  worker)
    # The meter has a process of its own: one session, one login, never two polls at once.
    celery -A heatmon worker --queues meter --concurrency 1 --hostname meter@%h --loglevel WARNING &
    meter=$!
    trap 'kill -TERM $meter' TERM INT
    celery -A heatmon worker --queues heat_pump,history,derive --concurrency 2 --hostname jobs@%h --loglevel WARNING &
    jobs=$!
    trap 'kill -TERM $meter $jobs' TERM INT
    while kill -0 $meter 2>/dev/null && kill -0 $jobs 2>/dev/null; do sleep 1 & wait $! || true; done
    kill -TERM $meter $jobs 2>/dev/null || true
    wait
    exit 1
    ;;
  beat)
    exec celery -A heatmon beat --loglevel WARNING --pidfile=
    ;;
  *)
    exec python manage.py "$@"
    ;;
esac

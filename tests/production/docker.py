"""``docker compose`` as the documents write it, for one stack: ``up`` and ``build`` are done here, all else
by podman-compose.

    python -m tests.production.docker FOLDER NAME compose up -d
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tools import containers

FILES = ("docker-compose.yml", "devices.yml")
NOT_HERE = {"grafana"}  # no package has it


def main(folder: str, name: str, compose: str, *words: str) -> int:
    assert compose == "compose", words
    profiles = [words[number + 1] for number, word in enumerate(words) if word == "--profile"]
    rest = [
        word for number, word in enumerate(words) if word != "--profile" and words[number - 1] != "--profile"
    ]
    files = [Path(folder, file) for file in FILES]
    project = containers.Project(files, [one for one in profiles if one not in NOT_HERE], name)
    if rest[0] == "build":
        return 0  # done before, under the same name
    if rest[:2] == ["up", "-d"]:
        wanted = rest[2:] or list(project.services())
        for service in project.services():
            if service in wanted:
                project.compose("up", "-d", "--no-deps", service)
                if project.services()[service].get("healthcheck"):
                    project.wait_healthy(service)
        return 0
    named = [word for file in files for word in ("-f", str(file))]
    command = [str(containers.COMPOSE), "-p", name, "--profile", "proxy", *named]
    environ = os.environ | {"CONTAINERS_CONF": str(containers.CONF)}
    return subprocess.run([*command, *rest], cwd=folder, env=environ, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))

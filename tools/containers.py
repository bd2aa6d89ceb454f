"""Build the image and run the compose file for real without a Docker engine or an image registry.

    containers.py install                       podman, runc, debootstrap (Debian), podman-compose (PyPI)
    containers.py bases python:3.13 redis:8     stand-ins for public base images, made of Debian packages
    containers.py build -t heatmon:test DIR     build with this machine's certificates and package sources
    containers.py up -f docker-compose.yml      start each service when those it depends on are healthy
    containers.py health -f docker-compose.yml  run every health check once; exit 1 if one fails
    containers.py down -f docker-compose.yml    stop and remove them (volumes too with --volumes)

Stand-ins carry the public image's name, so that Dockerfile and docker-compose.yml stay as users get them:
python:TAG is Debian's python3 with venv and pip, NAME:TAG for anything else its package of that name. They
are for tests only. Run as root. ``up`` and ``health`` run the health checks: there is no timer for them here.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

HOME = Path(os.environ.get("CONTAINERS_HOME", "/var/tmp/heatmon-containers"))  # noqa: S108
COMPOSE = HOME / "venv/bin/podman-compose"
CONF = HOME / "containers.conf"
SUITE = "trixie"
BASE = f"localhost/debian-{SUITE}:local"
PACKAGES = {"redis": ["redis-server"], "caddy": ["caddy", "wget"]}
COMMANDS = {"caddy": ["caddy", "run", "--config", "/etc/caddy/Caddyfile"]}
CERTIFICATES = "/etc/ssl/certs"
SETTINGS = """[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
[containers]
default_ulimits = ["nofile=1024:1024", "nproc=1000:1000"]
"""


class Failed(Exception):
    """A command ended with an error; its last lines are the message."""


def run(*command: object, check: bool = True, **options: Any) -> subprocess.CompletedProcess[str]:
    """Run a command and keep its output. Raises Failed with the end of it."""
    words = [str(word) for word in command]
    environ = os.environ | {"CONTAINERS_CONF": str(CONF)}
    options = {
        "stdout": subprocess.PIPE,
        "stderr": subprocess.STDOUT,
        "text": True,
        "env": environ,
        **options,
    }
    done: subprocess.CompletedProcess[str] = subprocess.run(words, check=False, **options)
    if check and done.returncode:
        tail = "\n".join((done.stdout or "").splitlines()[-20:])
        raise Failed(f"failed ({done.returncode}): {' '.join(words)}\n{tail}")
    return done


def install() -> None:
    """Install what is missing."""
    HOME.mkdir(parents=True, exist_ok=True)
    if not all(shutil.which(program) for program in ("podman", "buildah", "runc", "debootstrap")):
        run("apt-get", "update")
        run(
            "env",
            "DEBIAN_FRONTEND=noninteractive",
            "apt-get",
            "install",
            "-y",
            "podman",
            "buildah",
            "runc",
            "debootstrap",
        )
    if not COMPOSE.exists():
        run("python3", "-m", "venv", HOME / "venv")
        run(HOME / "venv/bin/pip", "install", "-q", "podman-compose==1.6.0")
    CONF.write_text(SETTINGS, encoding="utf-8")


def bases(images: Sequence[str]) -> None:
    """Make the stand-ins that are not there yet."""
    missing = [image for image in images if run("podman", "image", "exists", image, check=False).returncode]
    if not missing:
        return
    if run("podman", "image", "exists", BASE, check=False).returncode:
        _debian_root()
    for image in missing:
        name = image.split(":")[0].split("/")[-1]
        tag = f"docker.io/{image}" if "/" in image else f"docker.io/library/{image}"
        if name == "python":
            run("podman", "tag", BASE, tag)
            continue
        packages = " ".join(PACKAGES.get(name, [name]))
        get = f"apt-get update -qq && apt-get install -y -qq --no-install-recommends {packages} >/dev/null"
        with tempfile.TemporaryDirectory() as folder:
            Path(folder, "Dockerfile").write_text(
                f"FROM {BASE}\nRUN {get}\nCMD {json.dumps(COMMANDS.get(name, []))}\n", encoding="utf-8"
            )
            build(folder, tag)


def _debian_root() -> None:
    root = HOME / f"root-{SUITE}"
    if not (root / "etc/debian_version").exists():
        include = "python3,python3-venv,python3-pip,ca-certificates"
        run("debootstrap", "--variant=minbase", f"--include={include}", SUITE, root)
        for link in (root / "usr/lib").glob("python3*/EXTERNALLY-MANAGED"):
            link.unlink()
        (root / "usr/bin/python").symlink_to("python3")
        (root / "etc/apt/apt.conf.d/99frozen-mirror").write_text('Acquire::Check-Valid-Until "false";\n')
    with subprocess.Popen(["tar", "-C", str(root), "-c", "."], stdout=subprocess.PIPE) as tar:
        run("podman", "import", "-", BASE, stdin=tar.stdout)


def build(folder: str | Path, tag: str, extra: Sequence[str] = ()) -> None:
    """Build a Dockerfile."""
    bundle = f"{CERTIFICATES}/ca-certificates.crt"
    run(
        *("podman", "build", "--pull=never", "--network=host", "--isolation", "chroot"),
        *("-v", f"{CERTIFICATES}:{CERTIFICATES}:ro"),
        *("--env", f"PIP_CERT={bundle}", *extra, "-t", tag, folder),
    )


class Project:
    """The services of one or more compose files, under a project name of its own."""

    def __init__(
        self, files: Sequence[str | Path], profiles: Sequence[str] = (), name: str = "", **environ: str
    ) -> None:
        self.files = [Path(file).resolve() for file in files]
        self.profiles = list(profiles)
        self.name = name or self.files[0].parent.name
        self.environ = os.environ | {"CONTAINERS_CONF": str(CONF)} | environ

    def compose(self, *words: str, check: bool = True) -> str:
        """Run podman-compose; return what it said."""
        files = [word for file in self.files for word in ("-f", str(file))]
        profiles = [word for profile in self.profiles for word in ("--profile", profile)]
        done = run(
            *(COMPOSE, "-p", self.name, *files, *profiles, *words),
            check=check,
            env=self.environ,
            cwd=self.files[0].parent,
        )
        return done.stdout

    def services(self) -> dict[str, dict[str, Any]]:
        """Return the merged services, each after those that it depends on."""
        read = "import json, sys, yaml; print(json.dumps(yaml.safe_load(sys.stdin)['services']))"
        merged = run(HOME / "venv/bin/python", "-c", read, input=self.compose("config")).stdout
        tree: dict[str, dict[str, Any]] = json.loads(merged)
        tree = {
            name: service
            for name, service in tree.items()
            if not service.get("profiles") or set(service["profiles"]) & set(self.profiles)
        }
        ordered: list[str] = []
        while len(ordered) < len(tree):
            ready = [name for name in tree if name not in ordered and _met(tree[name], tree, ordered)]
            if not ready:
                raise Failed("depends_on goes in a circle")
            ordered += ready
        return {name: tree[name] for name in ordered}

    def container(self, service: str) -> str:
        """Return the container's name."""
        done = run(
            *("podman", "ps", "-a", "--format", "{{.Names}}"),
            *("--filter", f"label=com.docker.compose.service={service}"),
            *("--filter", f"label=com.docker.compose.project={self.name}"),
        )
        names = done.stdout.split()
        if not names:
            raise Failed(f"{service}: no container; see podman ps -a")
        return names[0]

    def healthy(self, service: str) -> bool:
        """Run the service's health check once."""
        return run("podman", "healthcheck", "run", self.container(service), check=False).returncode == 0

    def wait_healthy(self, service: str, within_s: float = 120) -> None:
        """Wait for the health check to succeed. Raises Failed with the log."""
        deadline = time.monotonic() + within_s
        while not self.healthy(service):
            if time.monotonic() > deadline:
                raise Failed(f"{service}: not healthy after {within_s:.0f} s\n{self.logs(service)}")
            time.sleep(0.5)

    def up(self, within_s: float = 120) -> dict[str, float]:
        """Start all services in their order; return how long each took to be healthy [s]."""
        took_s = {}
        for name, service in self.services().items():
            began = time.monotonic()
            self.compose("up", "-d", "--no-deps", name)
            if service.get("healthcheck"):
                self.wait_healthy(name, within_s)
            took_s[name] = time.monotonic() - began
        return took_s

    def logs(self, service: str, lines: int = 40) -> str:
        return run("podman", "logs", "--tail", lines, self.container(service), check=False).stdout

    def execute(self, service: str, *command: str, check: bool = True, stdin: str | None = None) -> str:
        """Run a command in the service's container; return what it said."""
        words = ("podman", "exec", *(["-i"] if stdin is not None else []), self.container(service), *command)
        return run(*words, check=check, input=stdin).stdout

    def down(self, volumes: bool = False) -> None:
        self.compose("down", *(["--volumes"] if volumes else []), check=False)


def _met(service: dict[str, Any], tree: dict[str, Any], ordered: Sequence[str]) -> bool:
    return all(name in ordered or name not in tree for name in service.get("depends_on") or {})


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(required=True, dest="what")
    commands.add_parser("install")
    commands.add_parser("bases").add_argument("images", nargs="+")
    one = commands.add_parser("build")
    one.add_argument("folder")
    one.add_argument("-t", "--tag", required=True)
    for name in ("up", "health", "down"):
        one = commands.add_parser(name)
        one.add_argument("-f", "--file", action="append", required=True)
        one.add_argument("--profile", action="append", default=[])
        one.add_argument("--volumes", action="store_true")
    return parser.parse_args()


def main() -> int:
    given = _arguments()
    if given.what == "install":
        install()
    elif given.what == "bases":
        bases(given.images)
    elif given.what == "build":
        build(given.folder, given.tag)
    else:
        return _of_project(given)
    return 0


def _of_project(given: argparse.Namespace) -> int:
    project = Project(given.file, given.profile)
    if given.what == "up":
        for name, seconds in project.up().items():
            sys.stdout.write(f"{name}: ready after {seconds:.1f} s\n")
    elif given.what == "down":
        project.down(given.volumes)
    else:
        states = {
            name: project.healthy(name) for name, one in project.services().items() if one.get("healthcheck")
        }
        sys.stdout.writelines(
            f"{name}: {'healthy' if good else 'UNHEALTHY'}\n" for name, good in states.items()
        )
        return 0 if all(states.values()) else 1
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Failed as failure:
        sys.exit(str(failure))

"""A stack of five services, up and down: by envd, by a bare script that makes the same calls of the
runtime's API, and by docker compose. Interleaved, on one runtime."""
import json
import os
import shutil
import subprocess
import tempfile
import threading
import time

import bench_world
from bench_world import ROOT, Connection, median

IMAGE = "localhost/envd-test/busybox:1"
# Ends at once when it is told to: what is measured is the runtime and who drives it, not a grace.
COMMAND = ["sh", "-c", "trap 'exit 0' TERM; httpd -f -p 80 -h /www & wait"]
SERVICES = ["s%d" % i for i in range(5)]
SETTLED_S = 16  # younger environments are looked at twice before they are destroyed


def ask(path, method, target, body=None):
    connection = Connection(path, 60)
    connection.request(method, target, json.dumps(body) if body is not None else None,
                       {"Content-Type": "application/json"} if body is not None else {})
    answer = connection.getresponse()
    content = answer.read()
    connection.close()
    if answer.status >= 400:
        raise SystemExit("bench: %s %s: %d %s" % (method, target, answer.status, content[:300]))
    return json.loads(content) if content[:1] in (b"{", b"[") else None


def at_once(work, items):
    threads = [threading.Thread(target=work, args=(item,)) for item in items]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


class Bare:
    """The calls, and nothing else: a network, then every container made, started and looked at."""

    def __init__(self, path, prefix):
        self.path, self.prefix = path, prefix

    def up(self):
        began = time.monotonic()
        ask(self.path, "POST", "/v1.41/networks/create", {"Name": self.prefix})
        at_once(self.start, SERVICES)
        return time.monotonic() - began

    def start(self, service):
        name = "%s-%s" % (self.prefix, service)
        ask(self.path, "POST", "/v1.41/containers/create?name=" + name,
            {"Image": IMAGE, "Cmd": COMMAND, "HostConfig": {"NetworkMode": self.prefix},
             "NetworkingConfig": {"EndpointsConfig": {self.prefix: {"Aliases": [service]}}}})
        ask(self.path, "POST", "/v1.41/containers/%s/start" % name)
        if not ask(self.path, "GET", "/v1.41/containers/%s/json" % name)["State"]["Running"]:
            raise SystemExit("bench: %s does not run" % name)

    def down(self):
        began = time.monotonic()
        at_once(self.stop, SERVICES)
        at_once(self.remove, SERVICES)
        ask(self.path, "DELETE", "/v1.41/networks/" + self.prefix)
        return time.monotonic() - began

    def stop(self, service):
        ask(self.path, "POST", "/v1.41/containers/%s-%s/stop?t=1" % (self.prefix, service))

    def remove(self, service):
        ask(self.path, "DELETE", "/v1.41/containers/%s-%s?force=1&v=1" % (self.prefix, service))


class Compose:
    def __init__(self, path, prefix, program, folder):
        self.command = [program, "-p", prefix, "-f", os.path.join(folder, "compose.yaml")]
        self.variables = dict(os.environ, DOCKER_HOST="unix://" + path)

    def run(self, *arguments):
        began = time.monotonic()
        done = subprocess.run(self.command + list(arguments), env=self.variables, check=False, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        if done.returncode:
            raise SystemExit("bench: docker compose %s: %s" % (" ".join(arguments), done.stdout[-500:]))
        return time.monotonic() - began

    def up(self):
        return self.run("up", "-d")

    def down(self):
        return self.run("down", "-t", "1")


def at_ms(row):
    return bench_world.at_s(row["at"]) * 1000


class Ours(bench_world.World):
    """envd on a real runtime."""

    def __init__(self, path):
        super().__init__("--runtime", "unix:" + path, "--log-level", "warn")
        folder = os.path.join(self.templates, "five")
        os.makedirs(folder)
        with open(os.path.join(folder, "template.yaml"), "w") as file:
            file.write("apiVersion: envd/v1\nname: five\ndescription: five services\nengine: container\n"
                       "source: compose.yaml\n")
        write_compose(folder)

    config = None  # the runtime that was given is the target

    def rows(self, name):
        return json.loads(self.get("/v1/environments/%s/history?limit=500" % name))["items"]

    def state(self, name):
        return json.loads(self.get("/v1/environments/" + name))["state"]

    def up(self, name):
        """[request to the last container running, request to ready], in seconds."""
        began_ms = time.time() * 1000
        self.ask("POST", "/v1/environments", {"template": "five", "name": name})
        bench_world.eventually(lambda: self.state(name) == "ready", name + " ready")
        rows = self.rows(name)
        started = [at_ms(row) for row in rows if row["kind"] == "layer" and row["data"]["state"] == "started"]
        ready = [at_ms(row) for row in rows if row["kind"] == "state" and row["state"] == "ready"]
        if len(started) != len(SERVICES):
            raise SystemExit("bench: %d services started" % len(started))
        return [(max(started) - began_ms) / 1000, (ready[0] - began_ms) / 1000]

    def down(self, name):
        """[request to the last thing removed, from there to proved gone]."""
        began_ms = time.time() * 1000
        identity = json.loads(self.get("/v1/environments/" + name))["id"]
        self.ask("DELETE", "/v1/environments/" + name)
        bench_world.eventually(lambda: self.state(identity) == "destroyed", name + " destroyed")
        rows = self.rows(identity)
        removed = max(at_ms(row) for row in rows if row["kind"] == "layer" and row["data"]["state"] == "removed")
        ended = max(at_ms(row) for row in rows if row["kind"] == "state")
        return [(removed - began_ms) / 1000, (ended - removed) / 1000]


def write_compose(folder):
    with open(os.path.join(folder, "compose.yaml"), "w") as file:
        file.write("services:\n")
        for service in SERVICES:
            file.write("  %s:\n    image: %s\n    command: %s\n" % (service, IMAGE, json.dumps(COMMAND)))


def runtime_socket(name):
    work = os.environ.get("ENVD_TEST_WORK", "/tmp/envd-tests-%d" % os.getuid())
    flag, folder = {"podman": ("--own", "podman"), "docker": ("--docker", "docker")}[name]
    path = subprocess.run([os.path.join(ROOT, "ci/local/runtime"), flag, os.path.join(work, folder)],
                          check=True, text=True, stdout=subprocess.PIPE).stdout.strip()
    subprocess.run([os.path.join(ROOT, "tests/support/busybox-image"), path], check=True,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return path


def measure(name, rounds):
    """Medians over interleaved rounds."""
    path = runtime_socket(name)
    program = subprocess.run([os.path.join(ROOT, "ci/local/docker-compose")], check=True, text=True,
                             stdout=subprocess.PIPE).stdout.strip()
    folder = tempfile.mkdtemp(prefix="envd-bench-compose-")
    write_compose(folder)
    bare = Bare(path, "envd-bench-%d" % os.getpid())
    compose = Compose(path, "envd-bench-compose-%d" % os.getpid(), program, folder)
    times = {key: [] for key in ("bare_up", "bare_down", "compose_up", "compose_down", "up", "ready", "down",
                                 "proof")}
    with Ours(path) as ours:
        ours.start()
        ours.wait_until_serving()
        for turn in range(rounds + 1):  # the first one warms up
            got = {"bare_up": bare.up(), "compose_up": compose.up()}
            got["up"], got["ready"] = ours.up("e%d" % turn)
            time.sleep(SETTLED_S)
            got["bare_down"], got["compose_down"] = bare.down(), compose.down()
            got["down"], got["proof"] = ours.down("e%d" % turn)
            for key, value in got.items():
                if turn:
                    times[key].append(value)
    shutil.rmtree(folder)
    return {key: median(values) for key, values in times.items()}

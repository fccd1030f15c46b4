"""What the benchmarks share: the real programs in a folder of their own, with an engine that makes
nothing, and the figures that they leave in /metrics and /proc."""
import atexit
import contextlib
import glob
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from datetime import datetime

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

sys.path.insert(0, os.path.join(ROOT, "tests/support"))

from unix_http import Connection  # noqa: E402

BUILD = os.environ.get("ENVD_BUILD", os.path.join(ROOT, "build"))
TEMPLATE = """apiVersion: envd/v1
name: idle
description: nothing, at once
engine: external
source: idle_engine
parameters:
  linger: { type: integer, default: 0, minimum: 0, maximum: 600000, description: milliseconds that its create takes }
limits: { provision: 10m, lease: { default: 2h, maximum: 24h } }
"""



def eventually(condition, what, limit_s=120, every_s=0.002):
    until = time.monotonic() + limit_s
    while time.monotonic() < until:
        got = condition()
        if got:
            return got
        time.sleep(every_s)
    raise SystemExit("bench: never happened: " + what)


def tool(name, *arguments):
    """One of the C tools; its JSON, if it prints any."""
    done = subprocess.run([os.path.join(BUILD, "bench", name), *map(str, arguments)],
                          stdout=subprocess.PIPE, check=False, text=True)
    if done.returncode and not done.stdout:
        raise SystemExit("bench: %s failed" % name)
    return json.loads(done.stdout) if done.stdout else None


class World:
    """One envd (and its reaper) in a folder of its own, on the disk that data folders lie on."""

    config = "targets:\n  - { name: idle, engine: external, environments: 1000000 }\n"

    def __init__(self, *arguments):
        self.folder = tempfile.mkdtemp(prefix="envd-bench-", dir=os.environ.get("ENVD_BENCH_FOLDER", "/var/tmp"))
        self.data = os.path.join(self.folder, "data")
        self.socket = os.path.join(self.folder, "s")
        self.templates = os.path.join(self.folder, "templates")
        self.arguments = arguments
        self.envd = None
        os.makedirs(os.path.join(self.templates, "idle"))
        os.mkdir(self.data, 0o700)
        shutil.copy(os.path.join(BUILD, "bench/idle_engine"), os.path.join(self.templates, "idle"))
        with open(os.path.join(self.templates, "idle/template.yaml"), "w") as file:
            file.write(TEMPLATE)
        self.log = open(os.path.join(self.folder, "log"), "ab")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.end()
        # At the very end: ext4 looks long for an inode where many were freed within the last minutes.
        atexit.register(shutil.rmtree, self.folder, True)

    def seed(self, count, first_end_s=36000, spread_s=3600):
        tool("seed", self.data, count, first_end_s, spread_s, self.templates)

    def start(self, *arguments):
        config = []
        if self.config:
            config = ["--config", os.path.join(self.folder, "config.yaml")]
            with open(config[1], "w") as file:
                file.write(self.config)
        self.envd = subprocess.Popen(
            [os.path.join(BUILD, "bin/envd"), *config, "--data", self.data, "--templates", self.templates,
             "--listen", "unix:" + self.socket, "--open-environments", "1000000",
             "--connections", "4000", "--connections-per-peer", "4000", "--streams", "4000",
             *self.arguments, *arguments],
            stdout=self.log, stderr=self.log, stdin=subprocess.DEVNULL, close_fds=True,
            env=dict(os.environ, XDG_STATE_HOME=self.folder))

    def wait_until_serving(self):
        eventually(lambda: self.get("/readyz", quiet=True) is not None or self.envd.poll() is not None, "envd serving")
        if self.envd.poll() is not None:
            with open(os.path.join(self.folder, "log")) as file:
                raise SystemExit("bench: envd does not start: " + file.read()[-300:])

    def get(self, target, quiet=False):
        connection = Connection(self.socket, 60)
        try:
            connection.request("GET", target)
            answer = connection.getresponse()
            body = answer.read()
            if answer.status != 200:
                raise OSError("%s: %d" % (target, answer.status))
            return body
        except OSError:
            if not quiet:
                raise
            return None
        finally:
            connection.close()

    def ask(self, method, target, body=None):
        connection = Connection(self.socket, 60)
        connection.request(method, target, json.dumps(body) if body is not None else None,
                           {"Content-Type": "application/json"} if body is not None else {})
        answer = connection.getresponse()
        text = answer.read()
        connection.close()
        if answer.status >= 300:
            raise SystemExit("bench: %s %s: %d %s" % (method, target, answer.status, text[:300]))
        return json.loads(text) if text else None

    def load(self, clients, requests, method, target, body=""):
        got = tool("load", self.socket, clients, requests, method, target, body)
        if got["failed"]:
            raise SystemExit("bench: %d of %d requests failed, the first with %s"
                             % (got["failed"], got["requests"], got["first_failure"]))
        return got

    def reaper(self):
        """Its pid, or 0."""
        try:
            with open(os.path.join(self.data, "reaper.lock")) as file:
                return int(file.read().split()[0])
        except (OSError, ValueError, IndexError):
            return 0

    def resident_mib(self, pid=None):
        with open("/proc/%d/status" % (pid or self.envd.pid)) as file:
            return int(re.search(r"VmRSS:\s+(\d+)", file.read()).group(1)) / 1024

    def cpu_s(self, pid=None):
        with open("/proc/%d/stat" % (pid or self.envd.pid)) as file:
            fields = file.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def histogram(self, name):
        """[(upper bound in s, how many up to it)], of /metrics."""
        text = self.get("/metrics").decode()
        return [(float(bound.replace("+Inf", "inf")), int(float(count))) for bound, count in
                re.findall(r'^%s_bucket\{le="([^"]+)"\} (\S+)' % name, text, re.M)]

    def end(self):
        reaper = self.reaper()
        if self.envd and self.envd.poll() is None:
            self.envd.send_signal(signal.SIGTERM)
            self.envd.wait()
        if reaper:
            try:
                os.kill(reaper, signal.SIGKILL)  # it would stay as long as anything is owed
            except ProcessLookupError:
                pass
            eventually(lambda: not os.path.exists("/proc/%d" % reaper), "the reaper's end")


def at_s(text):
    """A time of ours, in seconds of the wall clock."""
    return datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


def children(pid):
    """Of all of its threads; none when it has ended."""
    found = []
    for path in glob.glob("/proc/%d/task/*/children" % pid):
        with contextlib.suppress(OSError), open(path) as file:
            found += map(int, file.read().split())
    return found


def children_cpu_s(pid):
    """Of those that it has waited for."""
    try:
        with open("/proc/%d/stat" % pid) as file:
            fields = file.read().rsplit(")", 1)[1].split()
    except OSError:
        return 0
    return (int(fields[13]) + int(fields[14])) / os.sysconf("SC_CLK_TCK")


def quantile_bound(histogram, share):
    """The upper bound of the bucket in which that share is reached."""
    total = histogram[-1][1]
    return next(bound for bound, count in histogram if count >= share * total) if total else None


def median(values):
    ordered = sorted(values)
    return ordered[len(ordered) // 2] if len(ordered) % 2 else sum(ordered[len(ordered) // 2 - 1:][:2]) / 2

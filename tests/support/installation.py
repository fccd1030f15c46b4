"""An installation of its own for tests in Python: envd on a private folder and a real runtime, as tests/support/world.h."""

import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time
import urllib.parse

SOURCE = pathlib.Path(__file__).resolve().parent.parent.parent
BIN = pathlib.Path(os.environ.get("ENVD_BIN", SOURCE / "build" / "bin"))

# Two services from the tests' busybox image, and a check.
SMALL_TEMPLATE = {
    "template.yaml": """apiVersion: envd/v1
name: small
engine: container
source: compose.yaml
components:
  web: { default: "1", variable: WEB_IMAGE, image: "localhost/envd-test/busybox:{version}", versions: ["1", "404"] }
checks: checks.yaml
limits: { provision: 2m, lease: { default: 10m, maximum: 1h } }
price: { per_hour: 0.00, note: test }
outputs: { url: "http://{{web.host}}:{{web.port.80}}" }
""",
    "compose.yaml": """services:
  web:
    image: ${WEB_IMAGE:-localhost/envd-test/busybox:1}
    command: [httpd, -f, -p, '80', -h, /www]
    ports: [80]
  side:
    image: localhost/envd-test/busybox:1
    command: [httpd, -f, -p, '80', -h, /www]
""",
    "checks.yaml": """apiVersion: envd/v1
kind: CheckPlan
name: small
defaults: { base: '${url}', timeout: 10s }
stages: [app]
smoke:
  - name: hello
    stage: app
    eventually: { timeout: 20s, interval: 200ms }
    steps: [ { http: { path: / }, expect: [ 'status == 200' ] } ]
""",
}


class Installation:
    def __init__(self, templates=None):
        """`templates`: a folder; without one, the template "small" of this file."""
        self.runtime = os.environ["ENVD_TEST_PODMAN"]
        self.folder = tempfile.TemporaryDirectory(prefix="envd-test-")
        self.path = pathlib.Path(self.folder.name)
        self.templates = templates or self.path / "templates"
        if not templates:
            (self.templates / "small").mkdir(parents=True)
            for name, text in SMALL_TEMPLATE.items():
                (self.templates / "small" / name).write_text(text)
        self.server = f"unix:{self.path}/envd.sock"
        self.variables = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("ENV", "GITHUB_", "INPUT_", "STATE_"))},
            "ENVCTL_SERVER": self.server,
            "XDG_STATE_HOME": str(self.path),
            "NO_COLOR": "1",
        }
        self.envd = None

    def start(self, *arguments):
        """`arguments`: further ones of envd."""
        log = open(self.path / "log", "ab")
        self.envd = subprocess.Popen(
            [BIN / "envd", f"--data={self.path}/data", f"--listen={self.server}", f"--templates={self.templates}", f"--runtime=unix:{self.runtime}", *arguments],
            stdout=log, stderr=log, env=self.variables)  # fmt: skip
        deadline = time.monotonic() + 30
        while self.envctl("version").returncode != 0:
            if self.envd.poll() is not None or time.monotonic() > deadline:
                sys.exit("envd does not start:\n" + (self.path / "log").read_text())
        self.instance = json.loads(self.envctl("version", "-o", "json").stdout)["server"]["instance"]

    def envctl(self, *words):
        return subprocess.run([BIN / "envctl", *words], env=self.variables, capture_output=True, text=True, stdin=subprocess.DEVNULL)

    def token(self, role="ci"):
        made = self.envctl("token", "create", "nightly", "--role", role)
        if made.returncode != 0:
            sys.exit("no token: " + made.stderr)
        return made.stdout.strip()

    def environments(self):
        return json.loads(self.envctl("list", "--all", "-o", "json").stdout)["items"]

    def left(self):
        """How many containers of this installation the runtime itself still lists."""
        query = urllib.parse.quote(json.dumps({"label": ["envd-instance=" + self.instance]}))
        listed = subprocess.run(["curl", "-s", "--unix-socket", self.runtime, f"http://runtime/v1.41/containers/json?all=1&filters={query}"],
                                capture_output=True, check=True)  # fmt: skip
        return len(json.loads(listed.stdout))

    def end(self):
        for environment in self.environments():
            self.envctl("destroy", environment["id"], "--ignore-not-found")
        self.envd.terminate()
        self.envd.wait(timeout=30)
        self.folder.cleanup()


def eventually(condition, limit_s):
    """Whether it became true in time."""
    deadline = time.monotonic() + limit_s
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.05)
    return condition()


def say_result(result):
    """The summary that tests/run reads; returns the exit status."""
    bad = len(result.failures) + len(result.errors)
    print(f"[  PASSED  ] {result.testsRun - bad} test(s).")
    if bad:
        print(f"[  FAILED  ] {bad} test(s)")
    return 1 if bad or not result.testsRun else 0

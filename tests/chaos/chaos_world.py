"""What the chaos scripts share: the real programs in a folder of their own, kept running, and a client
that writes down what it was told."""
import glob
import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
LIMIT_S = 100  # for anything to happen: a lost wake-up costs a scan of 30 s, and machines are busy


class Broken(Exception):
    """An invariant did not hold."""


class Connection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("test", timeout=10)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(10)
        self.sock.connect(self.path)


def eventually(condition, what):
    until = time.monotonic() + LIMIT_S
    while time.monotonic() < until:
        got = condition()
        if got:
            return got
        time.sleep(0.05)
    raise Broken("never happened: " + what)


class World:
    """A private folder with the programs in it, and a client that writes down what it was told."""

    def __init__(self, programs, template, files, arguments=(), fail=None):
        """`template`: its name; `files`: name -> content; `arguments`: further ones of envd; `fail`:
        which system call fails (tests/support/fail_nth.c), without the folder."""
        self.fail = fail
        self.programs = programs
        self.template = template
        self.arguments = list(arguments)
        self.folder = tempfile.mkdtemp(prefix="envd-chaos-")
        self.world = os.path.join(self.folder, "world")
        self.faults = os.path.join(self.folder, "faults")
        self.data = os.path.join(self.folder, "data")
        self.socket = os.path.join(self.folder, "s")
        self.told = []
        self.ids = []
        self.id_of_key = {}
        self.asked_to_destroy = set()
        self.envd = None
        self.is_over = False
        self.stays_dead = threading.Event()  # envd is not started again while it is set
        folder = os.path.join(self.folder, "templates", template)
        for made in (self.world, self.faults, folder, os.path.join(self.world, "items")):
            os.makedirs(made)
        shutil.copy(os.path.join(ROOT, "tests/support/fake_engine"), folder)
        for name, content in files.items():
            with open(os.path.join(folder, name), "w") as file:
                file.write(content)
        self.log = open(os.path.join(self.folder, "log"), "ab")
        self.keeper = threading.Thread(target=self.keep, daemon=True)
        self.keeper.start()
        self.ask("GET", "/readyz")

    def keep(self):
        variables = dict(os.environ, ENVD_EXTERNAL_FAKE_WORLD=self.world,
                         ENVD_EXTERNAL_FAULTS=self.faults, XDG_STATE_HOME=self.folder)
        if self.fail:
            variables["ENVD_EXTERNAL_FAIL"] = "%s %s" % (self.fail, self.folder)
        while not self.is_over:
            self.envd = subprocess.Popen(
                [self.programs + "/envd", "--data=" + self.data, "--listen=unix:" + self.socket,
                 "--templates=" + os.path.join(self.folder, "templates"), "--destroy-retry=300ms",
                 "--lease-grace=0s", "--check-limit=20s"] + self.arguments,
                env=variables, stdout=self.log, stderr=self.log, start_new_session=True)
            self.envd.wait()
            while self.stays_dead.is_set() and not self.is_over:
                time.sleep(0.05)

    def arm(self, plan):
        """From now on passes are counted; what was passed before is forgotten."""
        path = os.path.join(self.faults, "passed")
        if os.path.exists(path):
            os.rename(path, path + ".before")
        if plan:
            with open(os.path.join(self.faults, "plan.new"), "w") as file:
                file.write(plan + "\n")
            os.rename(os.path.join(self.faults, "plan.new"), os.path.join(self.faults, "plan"))

    def passed(self):
        try:
            with open(os.path.join(self.faults, "passed")) as file:
                return list(dict.fromkeys(file.read().split()))
        except FileNotFoundError:
            return []

    def fault_happened(self):
        return os.path.exists(os.path.join(self.faults, "done"))

    def once(self, method, target, body=None, key=None):
        connection = Connection(self.socket)
        headers = {"Content-Type": "application/json"} if body is not None else {}
        if key:
            headers["Idempotency-Key"] = key
        try:
            connection.request(method, target, json.dumps(body) if body is not None else None,
                               headers)
            answer = connection.getresponse()
            content = answer.read()
            return answer.status, json.loads(content) if content else None
        except (OSError, http.client.HTTPException, ValueError):
            return None
        finally:
            connection.close()

    def ask(self, method, target, body=None, key=None):
        """As a client that does not give up on a server that is away or too busy."""
        def settled():
            answer = self.once(method, target, body, key)
            return answer if answer and answer[0] not in (503, 500) else None
        answer = eventually(settled, "an answer to %s %s" % (method, target))
        self.told.append((method, target, answer))
        return answer

    def create(self, ttl="10m", fake="", key="one"):
        body = {"template": self.template, "ttl": ttl}
        if fake:
            body["parameters"] = {"fake": fake}
        status, env = self.ask("POST", "/v1/environments", body, key)
        if status not in (200, 201):
            raise Broken("create answered %s: %s" % (status, env))
        if self.id_of_key.setdefault(key, env["id"]) != env["id"]:
            raise Broken("S11 one key, two environments: %s and %s" % (
                self.id_of_key[key], env["id"]))
        if env["id"] not in self.ids:
            self.ids.append(env["id"])
        return env["id"]

    def get(self, env):
        status, answer = self.ask("GET", "/v1/environments/" + env)
        if status != 200:
            raise Broken("S10 %s was accepted and GET answers %s" % (env, status))
        return answer

    def wait(self, env, *states):
        return eventually(lambda: (lambda e: e if e["state"] in states else None)(self.get(env)),
                          "%s to be %s" % (env, " or ".join(states)))

    def destroy(self, env):
        self.asked_to_destroy.add(env)
        status, _ = self.ask("DELETE", "/v1/environments/" + env)
        if status not in (200, 202):
            raise Broken("destroy answered %s" % status)

    def calls(self):
        try:
            with open(os.path.join(self.world, "calls")) as file:
                return [line.split()[:2] for line in file]
        except FileNotFoundError:
            return []

    def processes(self):
        """Workers and engines of this world."""
        found = []
        for path in glob.glob("/proc/[0-9]*/cmdline"):
            try:
                with open(path, "rb") as file:
                    line = file.read().replace(b"\0", b" ").decode("utf-8", "replace")
            except OSError:
                continue
            if self.folder in line and (" worker " in line or "fake_engine" in line):
                found.append((int(path.split("/")[2]), line))
        return found

    def reaper(self):
        try:
            with open(os.path.join(self.data, "reaper.lock")) as file:
                return int(file.read().split()[0])
        except (OSError, ValueError, IndexError):
            return 0

    def kill_envd(self):
        self.envd.send_signal(signal.SIGKILL)

    def close(self, keep):
        self.is_over = True
        reaper = self.reaper()
        self.envd.kill()
        self.keeper.join(10)
        if reaper:
            try:
                with open("/proc/%d/cmdline" % reaper, "rb") as file:
                    if self.folder.encode() in file.read():
                        os.kill(reaper, signal.SIGKILL)
            except OSError:
                pass
        for pid, _ in self.processes():
            try:
                os.kill(pid, signal.SIGKILL)
            except OSError:
                pass
        self.log.close()
        if not keep:
            shutil.rmtree(self.folder, ignore_errors=True)

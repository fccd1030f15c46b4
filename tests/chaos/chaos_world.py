"""What the chaos scripts share: the real programs in a folder of their own, kept running, and a client
that writes down what it was told."""
import http.client
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

sys.path.insert(0, os.path.join(ROOT, "tests/support"))

from unix_http import Connection  # noqa: E402

LIMIT_S = 100  # for anything to happen: a lost wake-up costs a scan of 30 s, and machines are busy
LAST_PID = "/proc/sys/kernel/ns_last_pid"


class Broken(Exception):
    """An invariant did not hold."""



def arguments_of(pid):
    """Its command line as a list; empty when it is gone."""
    try:
        with open("/proc/%d/cmdline" % pid, "rb") as file:
            return [part.decode("utf-8", "replace") for part in file.read().split(b"\0")[:-1]]
    except OSError:
        return []


def all_processes():
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]


def eventually(condition, what):
    until = time.monotonic() + LIMIT_S
    while time.monotonic() < until:
        got = condition()
        if got:
            return got
        time.sleep(0.05)
    raise Broken("never happened: " + what)


PLACE_TRIES = 100


class Decoys:
    """Bystanders that get the process numbers of those who died (needs root): whoever signals by
    number alone hits one of them."""

    def __init__(self):
        self.placed = []
        self.lock = threading.Lock()
        self.is_over = False

    def place(self, pid):
        """Nothing happens when the number is somebody else's already. Others who start something take the
        next number, so it is tried until it comes to be ours."""
        for _ in range(PLACE_TRIES):
            with self.lock:
                if self.is_over or os.path.exists("/proc/%d" % pid) or self.take(pid):
                    return

    def take(self, pid):
        try:
            with open(LAST_PID, "w") as file:
                file.write(str(pid - 1))
        except OSError:
            return True  # not allowed to: nobody will be
        decoy = subprocess.Popen(["sleep", "100000"], start_new_session=True)
        if decoy.pid == pid:
            self.placed.append(decoy)
            return True
        decoy.kill()
        decoy.wait()
        return False

    def dead(self):
        return ["%d by signal %d" % (decoy.pid, -decoy.returncode)
                for decoy in self.placed if decoy.poll() is not None]

    def close(self):
        with self.lock:
            self.is_over = True
            for decoy in self.placed:
                decoy.kill()
                decoy.wait()


class World:
    """A private folder with the programs in it, and a client that writes down what it was told."""

    def __init__(self, programs, template, files, arguments=(), fail=None, is_scaled=False):
        """`template`: its name; `files`: name -> content; `arguments`: further ones of envd; `fail`:
        which system call fails (tests/support/fail_nth.c), without the folder; `is_scaled`: whoever
        hangs for a quarter of a second has hung for ten."""
        self.fail = fail
        self.is_scaled = is_scaled
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
        self.decoys = Decoys()
        self.checked = {}
        self.runtime = None
        self.started_at = None  # envd, until it has answered
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

    def variables(self):
        variables = dict(os.environ, ENVD_EXTERNAL_FAKE_WORLD=self.world,
                         ENVD_EXTERNAL_FAULTS=self.faults, XDG_STATE_HOME=self.folder)
        if self.is_scaled:
            variables["ENVD_EXTERNAL_SCALED"] = "1"
        if self.fail:
            variables["ENVD_EXTERNAL_FAIL"] = "%s %s" % (self.fail, self.folder)
        return variables

    def keep(self):
        variables = self.variables()
        while not self.is_over:
            self.envd = subprocess.Popen(
                [self.programs + "/envd", "--data=" + self.data, "--listen=unix:" + self.socket,
                 "--templates=" + os.path.join(self.folder, "templates"), "--destroy-retry=300ms",
                 "--lease-grace=0s", "--check-limit=20s"] + self.arguments,
                env=variables, stdout=self.log, stderr=self.log, start_new_session=True)
            self.started_at = time.monotonic()
            self.envd.wait()
            self.started_at = None
            self.decoys.place(self.envd.pid)
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

    def disarm(self):
        """What has not happened by now is not to happen while it is looked at."""
        try:
            os.unlink(os.path.join(self.faults, "plan"))
        except FileNotFoundError:
            pass

    def passed(self):
        try:
            with open(os.path.join(self.faults, "passed")) as file:
                return list(dict.fromkeys(file.read().split()))
        except FileNotFoundError:
            return []

    def fault_happened(self):
        return os.path.exists(os.path.join(self.faults, "done"))

    def once(self, method, target, body=None, key=None):
        connection = Connection(self.socket, 10)
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
        self.held("S11")
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
        for pid in all_processes():
            line = " ".join(arguments_of(pid))
            if self.folder in line and ("envd-worker " in line or " worker " in line or "fake_engine" in line):
                found.append((pid, line))
        return found

    def programs_running(self, program):
        """The pids of "envd" or "envd-reaper" that look after this data folder."""
        found = []
        for pid in all_processes():
            argv = arguments_of(pid)
            if (argv and os.path.basename(argv[0]) == program and "--data=" + self.data in argv
                    and argv[1] not in ("worker", "sweep")):
                found.append(pid)
        return found

    def reaper(self):
        try:
            with open(os.path.join(self.data, "reaper.lock")) as file:
                return int(file.read().split()[0])
        except (OSError, ValueError, IndexError):
            return 0

    def run(self, program, *arguments):
        """One of the programs, to its end, on this data folder: (exit status, what it said)."""
        done = subprocess.run([os.path.join(self.programs, program)] + list(arguments) +
                              ["--data=" + self.data], env=self.variables(), text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=LIMIT_S)
        return done.returncode, done.stdout

    def log_text(self):
        with open(os.path.join(self.folder, "log"), errors="replace") as file:
            return file.read()

    def held(self, invariant, times=1):
        """One more look at it, and it held."""
        self.checked[invariant] = self.checked.get(invariant, 0) + times

    def kill_envd(self):
        self.envd.send_signal(signal.SIGKILL)

    def close(self, keep):
        self.is_over = True
        reaper = self.reaper()
        self.envd.kill()
        self.keeper.join(10)
        for pid in [reaper] + self.programs_running("envd-reaper") + [
                pid for pid, _ in self.processes()]:
            if not any(self.folder in part for part in arguments_of(pid)):
                continue  # gone, and the number may be somebody else's
            try:
                os.kill(pid, signal.SIGKILL)
            except OSError:
                pass
        self.decoys.close()
        if self.runtime:
            self.runtime.clear()
        self.log.close()
        if not keep:
            shutil.rmtree(self.folder, ignore_errors=True)

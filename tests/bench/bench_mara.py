"""The miniature of MARA, 16 projects on its DigitalOcean, up and down: by envd with the template mara, and by
the same Pulumi CLI one project after another. Real: the CLI, the Python host, helm, the Kubernetes API server.
Stand-ins: the cloud (a folder that takes its time), the kubernetes provider, the nodes.

What a layer costs is seen from two sides: the rows of its environment's history say when it began and ended,
and build/bench/timed_cli, which stands before the CLI, says when each run of that began and ended."""
import functools
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time

import bench_world
from bench_world import BUILD, ROOT, eventually, median
from kube import Cluster
from mara_template import TOKENS, make_miniature, replace
from mini_mara import SUPPORT, MiniMara, parts

PROVIDER = "do"
PROJECTS = 16
# MARA waits for minutes where its programs run for seconds: what is waited for here is as much shorter.
POD_READY_MS = 3000
WAITS = [{"on": "create", "what": "do-k8s/cluster", "delay_ms": 12000},
         {"on": "create", "what": "container-registry/registry", "delay_ms": 4000},
         {"on": "create", "what": "dns-record/*", "delay_ms": 2000},
         {"on": "delete", "what": "do-k8s/cluster", "delay_ms": 6000},
         {"on": "delete", "what": "container-registry/registry", "delay_ms": 2000},
         {"on": "delete", "what": "dns-record/*", "delay_ms": 1000}]


class TimedCli:
    """A folder with the timed CLI as `pulumi`."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir()
        shutil.copy(os.path.join(BUILD, "bench/timed_cli"), self.folder / "pulumi")
        (self.folder / "real").symlink_to(shutil.which("pulumi", path=parts("pulumi")))

    def runs(self, since_s=0):
        """What ran since then: {"project", "words", "began", "ended", "cpu"}, in seconds of the wall clock."""
        found = []
        for line in (self.folder / "runs").read_text().splitlines():
            began, ended, cpu, _, folder, words = line.split("\t")
            named = re.search(r"(?:^| )-C (\S+)", words)
            project = (named.group(1) if named else folder).split("/pulumi/python/")[-1]
            if float(began) >= since_s:
                found.append({"project": project, "words": words, "began": float(began), "ended": float(ended),
                              "cpu": float(cpu)})
        return found


def took(run):
    return run["ended"] - run["began"]


class Bare:
    """The same CLI, one project after another: every stack made, configured, brought up; down the other way round."""

    def __init__(self, folder, cluster):
        self.mara = MiniMara(folder / "bare", PROVIDER, kubeconfig=cluster.kubeconfig, namespace_of=cluster.folder)
        self.cli = TimedCli(folder / "bare-cli")
        furnish(self.mara.world_folder, cluster)
        self.mara.more_variables = {"REAL_PULUMI": str(self.cli.folder / "pulumi")}

    def round(self):
        """{"up": seconds, "down": seconds, "up_runs": ..., "down_runs": ...}"""
        began_s = time.time()
        self.mara.configure()
        self.mara.up()
        up_s = time.time()
        self.mara.destroy()
        self.mara.remove_stacks()
        ended_s = time.time()
        if self.mara.world():
            raise SystemExit("bench: the bare CLI left %s" % self.mara.world())
        runs = self.cli.runs(began_s)
        return {"up": up_s - began_s, "down": ended_s - up_s,
                "up_runs": [run for run in runs if run["began"] < up_s],
                "down_runs": [run for run in runs if run["began"] >= up_s]}


def furnish(world, cluster):
    """What the miniature's cloud hands out is the cluster that is there; it takes its time."""
    world.mkdir(exist_ok=True)
    shutil.copy(cluster.kubeconfig, world / "kubeconfig")
    (world / "switches.json").write_text(json.dumps(WAITS))


class Ours(bench_world.World):
    """envd in the cluster's network namespace, with the template mara and the source that it names."""

    def __init__(self, folder, cluster):
        super().__init__("--log-level", "warn", "--destroy-retry", "500ms")
        self.cluster, self.cli = cluster, TimedCli(folder / "cli")
        self.things = folder / "world"
        furnish(self.things, cluster)
        path = parts()
        make_miniature(pathlib.Path(self.templates) / "mara", self.things,
                       pathlib.Path(path.split(":")[0]).parents[1] / "wheels")
        # The miniature's DigitalOcean is the world of files; the real one is asked by nobody.
        replace(pathlib.Path(self.templates) / "mara/layers.yaml", "when: { provider: do }\n    adapter: digitalocean",
                "when: { provider: aws }\n    adapter: digitalocean")
        self.git = folder / "git"
        subprocess.run([SUPPORT / "mini-mara-repos", self.git / "repositories"], check=True, stdout=subprocess.DEVNULL)
        self.variables = {**os.environ, **TOKENS, "ENVD_SECRET_MARA_DIGITALOCEAN_TOKEN": "token-of-digitalocean",
                          "XDG_STATE_HOME": self.folder,
                          "PATH": f"{SUPPORT / 'standin-kubernetes'}:{self.cli.folder}:{path}:{os.environ['PATH']}"}
        self.git_server = None

    def inside(self, *command):
        return subprocess.Popen([SUPPORT / "kube-cluster", "exec", self.cluster.folder, *command], env=self.variables,
                                stdout=self.log, stderr=self.log, stdin=subprocess.DEVNULL)

    def start(self, *arguments):
        self.git_server = self.inside(sys.executable, SUPPORT / "git_server.py", self.git)
        eventually((self.git / "ports.json").exists, "the git server answers")
        port = json.loads((self.git / "ports.json").read_text())["https"]
        config = os.path.join(self.folder, "config.yaml")
        with open(config, "w") as file:
            file.write("sources:\n  - { name: mara, repository: \"https://localhost:%d/mara\", ca_file: %s/ca.pem, trusted: true,\n"
                       "      submodules: true, submodule_hosts: [localhost] }\n" % (port, self.git))
        self.envd = self.inside(os.path.join(BUILD, "bin/envd"), "--config", config, "--data", self.data,
                                "--templates", self.templates, "--listen", "unix:" + self.socket,
                                *self.arguments, *arguments)

    def end(self):
        super().end()
        if self.git_server:
            self.git_server.terminate()
            self.git_server.wait()

    def rows(self, identity):
        """Everything that its history has, in seconds of the wall clock."""
        rows, token = [], ""
        while token is not None:
            page = json.loads(self.get("/v1/environments/%s/history?limit=500%s" % (
                identity, "&next=" + token if token else "")))
            rows, token = rows + page["items"], page.get("next")
        for row in rows:
            row["at_s"] = bench_world.at_s(row["at"])
        return rows

    def keepers(self):
        """Those whose children the jobs are: envd and, for what is destroyed, its reaper."""
        return [pid for pid in (self.envd.pid, self.reaper()) if pid]

    def children_cpu_s(self):
        """Of everything that ran below them and was waited for: workers, hooks, the CLI, its plugins."""
        return sum(bench_world.children_cpu_s(pid) for pid in self.keepers())

    def wait_for(self, identity, state):
        def look():
            now = json.loads(self.get("/v1/environments/" + identity))["state"]
            if now == "failed":
                raise SystemExit("bench: it failed: %s" % self.rows(identity)[-5:])
            return now == state
        eventually(look, "%s %s" % (identity, state), 400, every_s=0.1)

    def ask_for(self, name):
        return self.ask("POST", "/v1/environments",
                        {"template": "mara", "name": name, "parameters": {"provider": PROVIDER, "fqdn": "bank.example.com"}})["id"]

    def up(self, name):
        began_s, cpu_s = time.time(), self.children_cpu_s()
        identity = self.ask_for(name)
        with Workers(self) as workers:
            self.wait_for(identity, "ready")
        return Way(self, identity, began_s, False, self.children_cpu_s() - cpu_s, workers.peak_mib)

    def down(self, identity):
        began_s, cpu_s = time.time(), self.children_cpu_s()
        self.ask("DELETE", "/v1/environments/" + identity)
        with Workers(self) as workers:
            self.wait_for(identity, "destroyed")
        return Way(self, identity, began_s, True, self.children_cpu_s() - cpu_s, workers.peak_mib)


    def warm_up(self):
        """The first of a commit makes its virtual environment. From its request to its first layer, in seconds."""
        began_s = time.time()
        identity = self.ask_for("first")

        def begun():
            return [row["at_s"] for row in self.rows(identity) if row["kind"] == "layer"]
        first_s = eventually(begun, "the first layer")[0] - began_s
        self.ask("DELETE", "/v1/environments/" + identity)
        self.wait_for(identity, "destroyed")
        return first_s

    def parallel(self):
        with open(os.path.join(self.templates, "mara/layers.yaml")) as file:
            named = re.search(r"^parallel: (\d+)", file.read(), re.M)
        return int(named.group(1)) if named else 4


class Workers:
    """The most that the processes of one job have had resident, the CLI and what is below it left out."""

    def __init__(self, world):
        self.world, self.peak_mib, self.is_over = world, 0, threading.Event()
        self.thread = threading.Thread(target=self.watch)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.is_over.set()
        self.thread.join()

    def watch(self):
        while not self.is_over.wait(0.25):
            for keeper in self.world.keepers():
                for pid in bench_world.children(keeper):
                    self.peak_mib = max(self.peak_mib, worker_mib(pid) if is_worker(pid) else 0)


def is_worker(pid):
    try:
        return os.path.basename(os.readlink("/proc/%d/exe" % pid)) == "envd-worker"
    except OSError:
        return False


def worker_mib(pid):
    """A supervisor and its guard, what they have alone, and of their task the most that it ever had."""
    try:
        program = os.path.basename(os.readlink("/proc/%d/exe" % pid))
        if program == "envd":  # below it are the CLI, and for a moment forks that become it
            return sum_mib(pid, "status", "VmHWM")
        own = sum_mib(pid, "smaps_rollup", "Private_Clean|Private_Dirty") if program == "envd-worker" else 0
        return own and own + sum(map(worker_mib, bench_world.children(pid)))
    except OSError:
        return 0  # it has ended


def sum_mib(pid, file, fields):
    with open("/proc/%d/%s" % (pid, file)) as file:
        return sum(int(kib) for _, kib in re.findall(r"^(%s):\s+(\d+)" % fields, file.read(), re.M)) / 1024


class Way:
    """One way, up or down, as it went: what each layer took, and what of it was the CLI's."""

    def __init__(self, world, identity, began_s, is_down, cpu_s, worker_mib):
        rows = [row for row in world.rows(identity) if row["at_s"] >= began_s - 0.01]
        self.identity, self.is_down, self.cpu_s, self.worker_mib = identity, is_down, cpu_s, worker_mib
        self.began_s, self.ended_s = began_s, max(row["at_s"] for row in rows if row["kind"] == "state")
        self.needs = {layer["name"]: set(layer["needs"]) for layer in
                      json.loads(world.get("/v1/environments/%s/layers" % identity))["items"]}
        if is_down:  # what needs it goes first
            self.needs = {name: {other for other in self.needs if name in self.needs[other]} for name in self.needs}
        self.spans = spans_of(rows, "removed" if is_down else "ready")
        self.projects = {name: layer.get("folder", "").removeprefix("pulumi/python/") for name, layer in
                         json.loads(world.get("/v1/environments/%s/lock" % identity))["layers"].items()}
        self.runs = [run for run in world.cli.runs(began_s) if run["began"] < self.ended_s]

    def first_s(self):
        """From the request to the first layer's begin."""
        return min(began for began, _ in self.spans.values()) - self.began_s

    def last_s(self):
        """When the last layer had ended."""
        return max(ended for _, ended in self.spans.values())

    def runs_of(self, name):
        began, ended = self.spans[name]
        return [run for run in self.runs if run["project"] == self.projects[name]
                and began - 0.05 <= run["began"] and run["ended"] <= ended + 0.05]

    def own_s(self, name):
        """What the engine does for a layer before, between and after its CLI. Hooks are their template's."""
        began, ended = self.spans[name]
        runs = self.runs_of(name)
        return ended - began - sum(map(took, runs)) if runs else 0

    def idle_s(self, name, parallel):
        """From when it might have begun, all that it needs done and a place free, to its begin."""
        began = self.spans[name][0]
        ends = sorted(ended for _, ended in self.spans.values() if ended <= began)
        free = max([self.spans[other][1] for other in self.needs[name] if other in self.spans],
                   default=min(start for start, _ in self.spans.values()))
        # The first stack's key locks the configuration that all share: no other is made until the CLI has made it.
        keys = [run["ended"] for run in self.runs if run["words"].startswith("stack init")]
        free = min(began, max([free, *([min(keys)] if keys and min(keys) <= began else [])]))
        for at in [free] + [end for end in ends if end > free]:
            running = sum(start < at < end for other, (start, end) in self.spans.items() if other != name)
            if running < parallel:
                return began - at
        return 0


def spans_of(rows, last):
    """{layer: (its begin, its end)}"""
    spans = {}
    for row in rows:
        if row["kind"] != "layer":
            continue
        name, state = row["data"]["name"], row["data"]["state"]
        if state == "started":
            spans[name] = (row["at_s"], None)
        elif state == last and name in spans:
            spans[name] = (spans[name][0], row["at_s"])
    return {name: span for name, span in spans.items() if span[1]}


def critical_path(needs, weights):
    """The longest way through the layers."""
    @functools.lru_cache(None)
    def until(name):
        return weights.get(name, 0) + max(map(until, needs[name]), default=0)
    return max(map(until, needs))


def covered_s(runs, since_s):
    """How long at least one of them ran, since then."""
    total, at = 0, since_s
    for run in sorted(runs, key=lambda run: run["began"]):
        total += max(0, run["ended"] - max(at, run["began"]))
        at = max(at, run["ended"])
    return total


def judge(way, bare_runs, parallel):
    """The figures of one way. `bare_runs` are of the same projects, each alone on the machine."""
    alone = {name: sum(took(run) for run in bare_runs if run["project"] == project)
             for name, project in way.projects.items()}
    inside = {name: ended - began for name, (began, ended) in way.spans.items()}
    weights = {name: alone[name] or inside.get(name, 0) for name in way.projects}  # a hook is alone nowhere
    own = [way.own_s(name) for name in way.spans]
    idle = [way.idle_s(name, parallel) for name in way.spans]
    cpu = sum(run["cpu"] for run in way.runs)
    # A destroy is over for the CLI when the stacks are removed; what follows proves that nothing is left.
    over_s = max(run["ended"] for run in way.runs) if way.is_down else way.ended_s
    after = over_s - way.last_s() - covered_s(way.runs, way.last_s())
    got = {"took": over_s - way.began_s, "critical": critical_path(way.needs, weights), "cpu": cpu, "all_cpu": way.cpu_s,
           "critical_inside": critical_path(way.needs, inside), "first": way.first_s(),
           "own": sum(own) / len(own), "own_most": max(own), "idle": sum(idle) / len(idle), "idle_most": max(idle),
           "after": after, "engine": way.first_s() + sum(own) + sum(idle) + after, "proof": way.ended_s - over_s,
           "worker": way.worker_mib, "layers": len(way.spans)}
    got["bound"] = max(got["critical"], cpu / os.cpu_count())
    if os.environ.get("ENVD_BENCH_SHOW"):
        show(way, weights, parallel)
        print(json.dumps({key: round(value, 3) for key, value in got.items()}))
    return got


def show(way, weights, parallel):
    """Layer by layer, for whoever looks for what takes long."""
    for name, (began, ended) in sorted(way.spans.items(), key=lambda item: item[1]):
        print("    %-24s %7.3f to %7.3f  alone %6.3f  own %5.3f  idle %5.3f  %s" % (
            name, began - way.began_s, ended - way.began_s, weights[name], way.own_s(name), way.idle_s(name, parallel),
            " ".join("%s:%.2f" % (run["words"].split()[0], took(run)) for run in way.runs_of(name))))


def measure(rounds):
    """Medians: {"up", "down": figures of judge(), "bare_up", "bare_down", "cold": the first environment's first layer}"""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="envd-bench-mara-", dir=os.environ.get("ENVD_BENCH_FOLDER", "/var/tmp")))
    ways = {"up": [], "down": []}
    with Cluster(folder / "kube", pod_ready_ms=POD_READY_MS) as cluster, Ours(folder, cluster) as ours:
        ours.start()
        ours.wait_until_serving()
        got = {"cold": ours.warm_up()}
        alone = Bare(folder, cluster).round()
        for turn in range(rounds):
            ways["up"].append(ours.up("e%d" % turn))
            ways["down"].append(ours.down(ways["up"][-1].identity))
        if list(ours.things.glob("*-*.json")):
            raise SystemExit("bench: something is left")
        for name, both in ways.items():
            figures = [judge(way, alone[name + "_runs"], ours.parallel()) for way in both]
            got[name] = {key: median([one[key] for one in figures]) for key in figures[0]}
            got["bare_" + name] = alone[name]
    shutil.rmtree(folder)
    return got


if __name__ == "__main__":
    print(json.dumps(measure(int(os.environ.get("ENVD_BENCH_ROUNDS", "1"))), indent=1))

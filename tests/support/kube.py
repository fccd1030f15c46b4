"""A control plane of tests/support/kube-cluster as a context: it is up inside, and gone after."""
import json
import os
import pathlib
import subprocess

from mini_mara import SUPPORT, parts

PROGRAM = str(SUPPORT / "kube-cluster")


class Cluster:
    def __init__(self, folder, *, number=1, beside=None, world=None, pod_ready_ms=0):
        self.folder, self.kubeconfig = pathlib.Path(folder), pathlib.Path(folder) / "kubeconfig"
        self.arguments = ["--number", str(number), *(["--beside", str(beside.folder)] if beside else [])]
        self.variables = {**os.environ, "PATH": f"{parts()}:{os.environ['PATH']}",
                          "POD_READY_MS": str(pod_ready_ms), **({"WORLD": str(world)} if world else {})}

    def __enter__(self):
        done = self.call("start", str(self.folder), *self.arguments)
        assert done.returncode == 0, done.stderr
        return self

    def __exit__(self, *unused):
        self.call("stop", str(self.folder))

    def call(self, *arguments):
        return subprocess.run([PROGRAM, *arguments], env=self.variables, check=False, text=True,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def inside(self, *command):
        """A program in the cluster's network namespace, started and not waited for."""
        return subprocess.Popen([PROGRAM, "exec", str(self.folder), *command], env=self.variables,
                                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def kubectl(self, *arguments, check=True):
        done = self.call("exec", str(self.folder), "kubectl", "--kubeconfig", str(self.kubeconfig), *arguments)
        assert not check or done.returncode == 0, done.stderr
        return done.stdout

    def names(self, kind):
        """NAMESPACE/NAME of all of a kind, or NAME of what has none."""
        listed = json.loads(self.kubectl("get", kind, "--all-namespaces", "--output", "json"))["items"]
        return sorted("/".join(filter(None, (one["metadata"].get("namespace"), one["metadata"]["name"])))
                      for one in listed)

    def pod_address(self, namespace, selector):
        done = self.call("pod", str(self.folder), namespace, selector)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def pids(self):
        return [int(pid) for name in ("pid", "pids") for pid in (self.folder / name).read_text().split()]

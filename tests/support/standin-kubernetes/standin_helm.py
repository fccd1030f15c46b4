"""Helm releases through the real helm, of charts of ours."""
import contextlib
import json
import os
import shutil
import subprocess
import tempfile

import yaml

from standin_api import Refused

HERE = os.path.dirname(os.path.abspath(__file__))
CHARTS = os.environ.get("STANDIN_CHARTS", os.path.join(HERE, "../../fixtures/charts"))


@contextlib.contextmanager
def chart_of(wanted):
    """A copy of our chart of that name, with the version asked for; only versions that its list has."""
    repository = (wanted.get("repositoryOpts") or {}).get("repo", "")
    name = wanted["chart"].split("/")[-1]
    source = os.path.join(CHARTS, name)
    if not os.path.isdir(source):
        raise Refused(f"chart \"{name}\" not found in {repository} repository")
    with open(os.path.join(source, "versions"), encoding="utf-8") as file:
        versions = dict(line.split() for line in file)
    version = wanted.get("version") or next(iter(versions))
    if version not in versions:
        raise Refused(f"chart \"{name}\" version \"{version}\" not found in {repository} repository")
    with tempfile.TemporaryDirectory() as folder:
        copy = shutil.copytree(source, os.path.join(folder, name))
        path = os.path.join(copy, "Chart.yaml")
        with open(path, encoding="utf-8") as file:
            about = yaml.safe_load(file)
        about.update(version=version, appVersion=versions[version])
        with open(path, "w", encoding="utf-8") as file:
            yaml.safe_dump(about, file)
        yield copy


class Helm:
    def __init__(self, api):
        self.api = api

    def run(self, *arguments):
        with tempfile.TemporaryDirectory() as home:
            path = os.path.join(home, "kubeconfig")
            with open(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600), "w", encoding="utf-8") as file:
                file.write(self.api.text)
            variables = {**os.environ, "HELM_CACHE_HOME": home, "HELM_CONFIG_HOME": home, "HELM_DATA_HOME": home}
            try:
                done = subprocess.run(["helm", "--kubeconfig", path, *arguments], env=variables, text=True,
                                      capture_output=True, stdin=subprocess.DEVNULL, check=False)
            except FileNotFoundError as missing:
                raise Refused("stand-in: no helm on PATH") from missing
        return done.returncode, done.stdout, done.stderr.strip()

    def install(self, wanted):
        with chart_of(wanted) as chart, tempfile.NamedTemporaryFile("w", suffix=".json") as values:
            json.dump(wanted.get("values") or {}, values)
            values.flush()
            flags = [] if wanted.get("skipAwait") else ["--wait"]
            code, _, errors = self.run("upgrade", "--install", wanted["name"], chart, "--namespace",
                                       wanted["namespace"], "--values", values.name, "--timeout",
                                       f"{wanted.get('timeout') or 300}s", *flags,
                                       *(["--cleanup-on-fail"] if wanted.get("cleanupOnFail") else []))
        if code != 0:
            raise Refused(errors)
        return self.status(wanted)

    def status(self, wanted):
        """None when there is no such release."""
        code, output, errors = self.run("list", "--all", "--namespace", wanted["namespace"], "--filter",
                                        f"^{wanted['name']}$", "--output", "json")
        if code != 0:
            raise Refused(errors)
        for release in json.loads(output):
            chart, _, version = release["chart"].partition("-" + (wanted.get("version") or "\0"))
            return {"name": release["name"], "namespace": release["namespace"], "status": release["status"],
                    "revision": int(release["revision"]), "chart": chart, "appVersion": release["app_version"],
                    "version": wanted.get("version") or version}
        return None

    def uninstall(self, wanted):
        code, _, errors = self.run("uninstall", wanted["name"], "--namespace", wanted["namespace"], "--wait",
                                   "--ignore-not-found", "--timeout", f"{wanted.get('timeout') or 300}s")
        if code != 0:
            raise Refused(errors)

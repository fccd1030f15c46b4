"""tests/fixtures/mini-mara driven by the real Pulumi CLI alone, one project after another.

    mara = MiniMara(folder, "kubeconfig", kubeconfig=path)
    mara.up(); mara.destroy(); mara.remove_stacks()
    mara.world()          what is left in the cloud
"""
import functools
import json
import pathlib
import re
import shutil
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]
SUPPORT = ROOT / "tests" / "support"
SECRETS = ("prometheus:adminpass", "sirius:accounts_pwd", "sirius:ledger_pwd", "sirius:demo_login_user",
           "sirius:demo_login_pwd")
# What a user sets, as MARA's own keys.
CONFIGURATION = {
    "aws": {"kubernetes:infra_type": "AWS", "aws:region": "us-east-1", "aws:profile": "test"},
    "do": {"kubernetes:infra_type": "DO", "kic-helm:fqdn": "bank.example.com"},
    "linode": {"kubernetes:infra_type": "LKE", "kic-helm:fqdn": "bank.example.com", "linode:region": "us-central",
               "linode:k8s_version": "1.23", "linode:instance_type": "g6-standard-8", "linode:node_count": "3",
               "linode:k8s_ha": "true", "linode:soa_email": "hostmaster@example.com"},
    "kubeconfig": {"kubernetes:infra_type": "kubeconfig", "kubernetes:cluster_name": "cluster-1",
                   "kic-helm:fqdn": "bank.example.com"},
}


def parts(*groups):
    """The folders of ci/local/real-parts, as PATH has them."""
    done = subprocess.run([ROOT / "ci/local/real-parts", *groups], check=True, stdout=subprocess.PIPE, text=True)
    return done.stdout.strip()


class Failed(Exception):
    pass


class MiniMara:
    def __init__(self, folder, provider, *, stack="s1", kubeconfig=None, namespace_of=None):
        """`namespace_of` is the folder of a kube-cluster in whose network namespace the CLI has to run."""
        self.folder, self.provider, self.stack = pathlib.Path(folder), provider, stack
        self.namespace_of, self.kubeconfig = namespace_of, kubeconfig
        self.checkout = self.folder / "git" / "mara"
        self.python = self.checkout / "pulumi" / "python"
        self.world_folder = self.folder / "world"
        self.path = parts("python", "pulumi", *(["kubernetes"] if kubeconfig else []))
        self.more_variables = {}
        self.prepare()

    def prepare(self):
        for name in ("bin", "state", "home", "world", "tmp"):
            (self.folder / name).mkdir(parents=True)
        subprocess.run([SUPPORT / "mini-mara-repos", self.folder / "git"], check=True, stdout=subprocess.DEVNULL)
        shutil.copy(SUPPORT / "pulumi-whoami-wrapper", self.folder / "bin" / "pulumi")
        if self.kubeconfig:
            (self.folder / "bin" / "pulumi-resource-kubernetes").symlink_to(
                SUPPORT / "standin-kubernetes" / "pulumi-resource-kubernetes")
        (self.python / "venv").symlink_to(pathlib.Path(self.path.split(":")[0]).parent)
        manifests = self.python / "kubernetes/nginx/ingress-controller-repo-only/manifests"
        shutil.copy(manifests / "regcred.yaml.example", manifests / "regcred.yaml")

    def variables(self):
        return {
            "PATH": f"{self.folder / 'bin'}:{self.path}:/usr/sbin:/usr/bin:/sbin:/bin",
            "HOME": str(self.folder / "home"), "TMPDIR": str(self.folder / "tmp"), "LANG": "C.UTF-8",
            "REAL_PULUMI": shutil.which("pulumi", path=self.path), "PULUMI_HOME": str(self.folder / "home"),
            "PULUMI_BACKEND_URL": f"file://{self.folder / 'state'}", "PULUMI_CONFIG_PASSPHRASE": "correct horse",
            "PULUMI_SKIP_UPDATE_CHECK": "true", "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
            "WORLD": str(self.world_folder), **({"KUBECONFIG": str(self.kubeconfig)} if self.kubeconfig else {}),
            **self.more_variables}

    def run(self, project, *arguments, check=True):
        command = ["pulumi", "--non-interactive", "--color", "never", "-C", str(self.python / project), *arguments]
        if self.namespace_of:
            command = [str(SUPPORT / "kube-cluster"), "exec", str(self.namespace_of), *command]
        done = subprocess.run(command, env=self.variables(), stdin=subprocess.DEVNULL, text=True, check=False,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        if check and done.returncode != 0:
            raise Failed(f"pulumi {' '.join(arguments)} in {project}: {done.returncode}\n{done.stdout}")
        return done

    @functools.lru_cache
    def order(self):
        """The projects' folders, as the checkout itself orders them."""
        if self.provider == "kubeconfig":
            text = (self.checkout / "bin/start_kube.sh").read_text()
            return re.findall(r"^\t((?:infrastructure|kubernetes)/[a-z/-]+)", text, re.MULTILINE)
        shown = subprocess.run([self.python / "runner", "-p", self.provider, "show-execution"], check=True, text=True,
                               stdout=subprocess.PIPE, env=self.variables()).stdout
        return [line.split(" [")[0] for line in shown.splitlines()]

    def configure(self):
        """Stacks one after another: each writes the salt into the configuration that all share."""
        for project in self.order():
            self.run(project, "stack", "init", self.stack)
        values = dict(CONFIGURATION[self.provider])
        if self.provider == "kubeconfig" and self.kubeconfig:
            values["kubernetes:kubeconfig"] = str(self.kubeconfig)
        pairs = [word for key, value in values.items() for word in ("--plaintext", f"{key}={value}")]
        self.run(self.order()[0], "config", "set-all", *pairs, "--stack", self.stack)
        pairs = [word for key in SECRETS for word in ("--secret", f"{key}=secret of {key}")]
        self.run("kubernetes/secrets", "config", "set-all", *pairs, "--stack", self.stack)

    def up(self):
        for project in self.order():
            self.run(project, "up", "--yes", "--skip-preview", "--stack", self.stack)

    def destroy(self):
        for project in reversed(self.order()):
            self.run(project, "destroy", "--yes", "--skip-preview", "--stack", self.stack)

    def remove_stacks(self):
        for project in reversed(self.order()):
            self.run(project, "stack", "rm", "--yes", "--preserve-config", "--stack", self.stack)

    def resources(self, project):
        """The resources of a stack's state; the stack itself is none."""
        state = json.loads(self.run(project, "stack", "export", "--stack", self.stack).stdout)
        return [one for one in state["deployment"].get("resources") or [] if one["type"] != "pulumi:pulumi:Stack"]

    def outputs(self, project):
        return json.loads(self.run(project, "stack", "output", "--json", "--stack", self.stack).stdout)

    def world(self):
        return [json.loads(file.read_text()) for file in sorted(self.world_folder.glob("*.json"))
                if file.name != "switches.json"]

    def switch(self, *switches):
        (self.world_folder / "switches.json").write_text(json.dumps(switches))

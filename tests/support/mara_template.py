"""templates/mara made the miniature's, for tests and benchmarks."""
import shutil

from mini_mara import ROOT

# What the template asks of its server.
TOKENS = {"ENVD_SECRET_MARA_GRAFANA_PASSWORD": "hunter2-of-grafana", "ENVD_SECRET_MARA_NGINX_JWT": "token-of-nginx",
          "ENVD_SECRET_MARA_LINODE_TOKEN": "token-of-linode"}


def make_miniature(folder, world, wheels):
    """A copy whose clouds are a world of files that can be listed, and whose packages need no network."""
    shutil.copytree(ROOT / "templates/mara", folder)
    # Nothing answers in the miniature's pods; test_kube_checks has stand-ins for what the checks ask.
    replace(folder / "template.yaml", "checks: checks.yaml\n", "")
    layers = folder / "layers.yaml"
    replace(layers, "variables:\n", f"variables:\n  WORLD: \"{world}\"\n  PIP_NO_INDEX: \"1\"\n"
                                    f"  PIP_FIND_LINKS: \"{wheels}\"\n")
    replace(layers, "pulumi-python: { list: [hooks/images] }",
            "pulumi-python: { list: [hooks/world, list], remove: [hooks/world, remove] }")
    replace(layers, "plugins: { acquire: true }", "plugins: { needed: [kubernetes] }")
    shutil.copy(ROOT / "tests/fixtures/pulumi/mini-mara/hooks/world", folder / "hooks/world")


def replace(path, old, new):
    text = path.read_text()
    assert old in text, f"{path} has no {old!r}"
    path.write_text(text.replace(old, new, 1))

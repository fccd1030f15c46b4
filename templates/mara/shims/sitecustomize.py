"""Values of Helm releases that MARA has no configuration key for, put in as its programs ask for the releases.

Python runs this file at every start because it lies on PYTHONPATH. Nothing happens until Pulumi's package is imported.
values.json beside it is {"RELEASE": {values}}; they are merged over what the program gives, key by key.
"""
import importlib.abc
import importlib.machinery
import json
import pathlib
import sys

RELEASE = "kubernetes:helm.sh/v3:Release"


def merge(base, over):
    if not isinstance(base, dict) or not isinstance(over, dict):
        return over
    return {**base, **{key: merge(base.get(key), value) for key, value in over.items()}}


def extended(values, more, pulumi):
    if values is None or isinstance(values, dict):
        return merge(values or {}, more)
    return pulumi.Output.from_input(values).apply(lambda known: merge(known or {}, more))


def patch(module):
    more = json.loads((pathlib.Path(__file__).parent / "values.json").read_text(encoding="utf-8"))
    original = module.CustomResource.__init__

    def init(self, type_, name, props=None, *rest, **options):
        # The kubernetes package hands over an object with everything in its __dict__.
        properties = props if isinstance(props, dict) else getattr(props, "__dict__", {})
        release = properties.get("name") if isinstance(properties.get("name"), str) else name
        if type_ == RELEASE and release in more:
            import pulumi
            properties["values"] = extended(properties.get("values"), more[release], pulumi)
        original(self, type_, name, props, *rest, **options)

    module.CustomResource.__init__ = init


class Watch(importlib.abc.MetaPathFinder):
    """Finds nothing itself; the loader of one module gets something to do afterwards."""

    def find_spec(self, name, path=None, target=None):
        if name != "pulumi.resource":
            return None
        spec = importlib.machinery.PathFinder.find_spec(name, path, target)
        load = spec.loader.exec_module

        def exec_module(module):
            load(module)
            patch(module)

        spec.loader.exec_module = exec_module
        return spec


sys.meta_path.insert(0, Watch())

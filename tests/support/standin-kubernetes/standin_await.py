"""When an object is done: the kinds that the real provider awaits, as far as miniatures use them."""
import time

from standin_api import Refused

LOOK_SECONDS = 0.2


def replicas_are_ready(live, ready_key):
    status, wanted = live.get("status") or {}, live["spec"].get("replicas", 1)
    return status.get("observedGeneration") == live["metadata"].get("generation") and \
        (status.get(ready_key) or 0) >= wanted


def daemons_are_ready(live):
    status = live.get("status") or {}
    return status.get("observedGeneration") == live["metadata"].get("generation") and \
        (status.get("numberReady") or 0) >= status.get("desiredNumberScheduled", 0)


def condition(live, name):
    conditions = (live.get("status") or {}).get("conditions", [])
    return any(one["type"] == name and one["status"] == "True" for one in conditions)


READY = {
    "Deployment": lambda live: replicas_are_ready(live, "availableReplicas"),
    "StatefulSet": lambda live: replicas_are_ready(live, "readyReplicas"),
    "DaemonSet": daemons_are_ready,
    "Pod": lambda live: (live.get("status") or {}).get("phase") in ("Running", "Succeeded"),
    "Namespace": lambda live: (live.get("status") or {}).get("phase") == "Active",
    "CustomResourceDefinition": lambda live: condition(live, "Established"),
    "Service": lambda live: live["spec"].get("type") != "LoadBalancer" or
    bool((live.get("status") or {}).get("loadBalancer", {}).get("ingress")),
}


def name_of(thing):
    return f"{thing['kind']} \"{thing['metadata']['name']}\""


def until(api, thing, seconds, cancelled, is_done, complaint):
    end = time.monotonic() + seconds
    while True:
        live = api.get(thing)
        if is_done(live):
            return live
        if cancelled.is_set():
            raise Refused(f"operation canceled while waiting for {name_of(thing)}")
        if time.monotonic() > end:
            raise Refused(f"{name_of(thing)} {complaint}")
        time.sleep(LOOK_SECONDS)


def await_ready(api, thing, seconds, cancelled):
    annotations = thing["metadata"].get("annotations") or {}
    is_ready = READY.get(thing["kind"], lambda live: True)
    if annotations.get("pulumi.com/skipAwait") == "true":
        is_ready = lambda live: True  # noqa: E731
    return until(api, thing, seconds, cancelled, lambda live: live is not None and is_ready(live),
                 f"was not ready within {seconds:.0f} s")


def await_gone(api, thing, seconds, cancelled):
    until(api, thing, seconds, cancelled, lambda live: live is None,
          f"was deleted {seconds:.0f} s ago and is still there (finalizers?)")

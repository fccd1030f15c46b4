"""The stories of the crash matrix: what comes before, then the plan, then what is asked. Each is told by
story_NAME(world, plan); `world.arm(plan)` is where faults begin."""
import fcntl
import json
import os
import signal
import threading
import time

from chaos_claims import claim_no_foreign_kill
from chaos_runtime import new_id
from chaos_world import Broken, eventually

def story_create(world, plan):
    world.arm(plan)
    world.wait(world.create(), "ready")


def story_extend(world, plan):
    env = world.create()
    world.wait(env, "ready")
    world.arm(plan)
    status, lease = world.ask("PATCH", "/v1/environments/%s/lease" % env, {"at_least": "30m"})
    if status != 200:
        raise Broken("extend answered %s: %s" % (status, lease))
    if world.get(env)["expires_at"] < lease["expires_at"]:
        raise Broken("S7 the extension until %s was answered and lost" % lease["expires_at"])
    world.held("S7")


def story_destroy(world, plan):
    env = world.create()
    world.wait(env, "ready")
    world.arm(plan)
    world.destroy(env)


def story_expiry(world, plan):
    env = world.create(ttl="10s")
    world.wait(env, "ready", "destroying", "destroyed")
    world.arm(plan)
    gone = world.wait(env, "destroyed")
    if gone["reason"] != "lease_ended":
        raise Broken("S6 its lease ended, and it is said to have ended for %s" % gone["reason"])


def story_failed_create(world, plan):
    world.arm(plan)
    gone = world.wait(world.create(fake="create=half+fail"), "destroyed")
    if gone["reason"] != "create_failed":
        raise Broken("it failed and is said to have ended for %s" % gone["reason"])


def story_destroy_fails_twice(world, plan):
    env = world.create()
    world.wait(env, "ready")
    path = os.path.join(world.world, "fake.json")
    with open(path, "w") as file:
        json.dump({"destroy": ["fail"]}, file)
    world.arm(plan)
    world.destroy(env)
    eventually(lambda: world.calls().count(["destroy", env]) >= 2, "two destroys")
    os.unlink(path)


def story_adopt(world, plan):
    env = world.create(fake="create=slow:1200")
    eventually(lambda: ["create", env] in world.calls(), "a create under way")
    world.arm(plan)
    world.kill_envd()
    world.wait(env, "ready")


def story_unwanted_build(world, plan):
    env = world.create(fake="create=wait:never")
    eventually(lambda: ["create", env] in world.calls(), "a create under way")
    world.arm(plan)
    world.destroy(env)


def story_take_over(world, plan):
    """The reaper dies while it destroys, and envd with it: both find what is under way."""
    env = world.create(fake="destroy=slow:800")
    world.wait(env, "ready")
    world.destroy(env)
    eventually(lambda: ["destroy", env] in world.calls(), "a destroy under way")
    world.arm(plan)
    os.kill(world.reaper(), signal.SIGKILL)
    world.kill_envd()


def story_orphaned_job(world, plan):
    """envd is gone for a while, and what it had begun has to be ended: the reaper takes it over."""
    env = world.create(fake="create=ignore_term")
    eventually(lambda: os.path.exists(os.path.join(world.world, "ignoring")), "a create that hangs")
    world.arm(plan)
    world.destroy(env)
    world.stays_dead.set()
    world.kill_envd()
    reaper, until = world.reaper(), time.monotonic() + 45  # its next scan
    while ("scheduler.taken_over" not in world.passed() and time.monotonic() < until and
           os.path.exists("/proc/%d" % reaper)):
        time.sleep(0.05)
    world.stays_dead.clear()


def story_never_started(world, plan):
    """Unwanted while it waits for its turn."""
    others = [world.create(fake="create=slow:2500", key="other %d" % i) for i in range(4)]
    for other in others:
        eventually(lambda: ["create", other] in world.calls(), "the slots to be taken")
    env = world.create(key="waits")
    world.arm(plan)
    world.destroy(env)


def story_check(world, plan):
    env = world.create()
    world.wait(env, "ready")
    world.arm(plan)
    status, run = world.ask("POST", "/v1/environments/%s/checks" % env, {
        "suites": ["smoke"], "plan": {
            "apiVersion": "envd/v1", "kind": "CheckPlan", "name": "asked", "stages": ["app"],
            "smoke": [{"name": "refused", "stage": "app", "steps": [
                {"http": {"url": "http://127.0.0.1:1/"}, "expect": ["status == 200"]}]}]}})
    if status not in (200, 201, 202):
        raise Broken("check answered %s: %s" % (status, run))
    target = "/v1/checks/" + run["id"] if "id" in run else None
    eventually(lambda: world.ask("GET", target)[1].get("state") == "ended", "the check to end")


# ---- left-overs on the real runtime --------------------------------------------------------------

HOUR_S = 3600
INTERVAL_S = 1


def sweep(world, *arguments):
    return world.run("envd-reaper", "sweep", "--runtime=unix:" + world.runtime.socket,
                     "--sweep-interval=%ds" % INTERVAL_S, *arguments)


def must_be_there(world, what):
    for environment, why in what.items():
        if not world.runtime.things(environment):
            raise Broken("S13 %s was removed" % why)
    world.held("S13")


def sweep_until_gone(world, environment, kept, *arguments):
    """As somebody who sees it fail and tries again; (how many sweeps, seconds since the first)."""
    begun, sweeps = time.monotonic(), 0

    def is_gone():
        nonlocal sweeps
        sweep(world, *arguments)
        sweeps += 1
        must_be_there(world, kept)
        return not world.runtime.things(environment)
    eventually(is_gone, "orphan %s to be swept away" % environment)
    return sweeps, time.monotonic() - begun


def lose_the_data(world):
    """Both programs die, and their folder is not there any more."""
    world.stays_dead.set()

    def are_dead():
        world.kill_envd()
        for pid in world.programs_running("envd-reaper"):
            os.kill(pid, signal.SIGKILL)
        return not world.programs_running("envd") and not world.programs_running("envd-reaper")
    eventually(are_dead, "both programs to be dead")
    os.rename(world.data, world.data + ".lost")


def find_the_data(world):
    os.rename(world.data + ".lost", world.data)
    world.stays_dead.clear()
    world.ask("GET", "/readyz")


def story_orphan(world, plan):
    """Labelled as ours and unknown to the store; then the store itself is lost."""
    env = world.create()
    world.wait(env, "ready")
    instance = world.ask("GET", "/v1/version")[1]["instance"]
    runtime, other = world.runtime, new_id()
    young, overdue, early, late = (new_id() for _ in range(4))
    kept = {env: "what the store knows", other: "what is another installation's"}
    runtime.make_volume(runtime.labels(instance, env, 1, HOUR_S))
    runtime.make_volume(runtime.labels(other, other, 1, -HOUR_S))
    world.arm(plan)
    runtime.make_container(runtime.labels(instance, young, 1, HOUR_S))
    runtime.make_volume(runtime.labels(instance, overdue, 1, -HOUR_S))
    begun = time.monotonic()
    sweep(world)
    must_be_there(world, dict(kept, **{young: "an orphan that was seen once"}))
    sweep_until_gone(world, overdue, kept)
    sweeps, _ = sweep_until_gone(world, young, kept)
    if sweeps < 1 or time.monotonic() - begun < 0.9 * INTERVAL_S:
        raise Broken("S13 two listings were not a sweep interval apart")

    # It carries a number that this store has not given: the store is the one that is wrong.
    runtime.make_volume(runtime.labels(instance, early, 1000000, -HOUR_S))
    runtime.make_volume(runtime.labels(instance, late, 1, -HOUR_S))
    sweep(world)
    must_be_there(world, dict(kept, **{early: "an orphan from a store's future",
                                       late: "an orphan beside one from a store's future"}))
    lose_the_data(world)
    lost = ("--no-store", "--instance=" + instance)
    sweep_until_gone(world, early, kept, *lost)
    sweep_until_gone(world, late, kept, *lost)
    world.held("L3")
    sweep_until_gone(world, env, {other: kept[other]}, *lost, "--confirm=1")
    world.held("L2")
    find_the_data(world)


def story_stamp(world, plan):
    """The store's lock is held by who knows whom, and names a process that has ended: its number
    is a bystander's by now. After ten seconds the holder is to be ended."""
    env = world.create()
    world.wait(env, "ready")
    path = os.path.join(world.data, "store.lock")
    old = world.envd.pid
    world.kill_envd()
    eventually(lambda: any(decoy.pid == old for decoy in world.decoys.placed), "a bystander")
    world.ask("GET", "/readyz")
    with open(path, "r+") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with open("/proc/sys/kernel/random/boot_id") as file:
            boot = file.read().strip()
        lock.truncate(0)
        lock.write("%d 1 %s 1 1\n" % (old, boot))
        lock.flush()
        world.arm(plan)
        # Programs that have nothing to do only read: somebody has to want to write, and goes on asking.
        asking = threading.Thread(target=world.ask, daemon=True,
                                  args=("PATCH", "/v1/environments/%s/lease" % env, {"at_least": "5m"}))
        asking.start()
        eventually(lambda: "hung, ending it" in world.log_text(), "the holder to be ended")
    asking.join(60)
    claim_no_foreign_kill(world)


STORIES = {name[6:]: function for name, function in globals().items() if name.startswith("story_")}
ALONE = ("stamp",)  # told once: a fault more would change nothing in it, and it takes a while

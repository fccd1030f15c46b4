"""What must hold, seen from outside (a Witness while it goes on, settle() when it has come to rest): the
files that the fake engine makes and the calls that it counted, the processes, the runtime, what the
client was told, and the history."""
import glob
import json
import os
import subprocess
import threading
import time

from chaos_world import Broken, eventually

# name: (what is claimed, where it is looked at)
INVARIANTS = {
    "S1": "whatever exists has a record, at every look",
    "S2": "no engine ran that the store knows no job of",
    "S3": "never two engines at work on one environment",
    "S4": "one envd and one envd-reaper; a second is refused",
    "S5": "unwanted stays unwanted, no state twice, nothing built after destroying",
    "S6": "nothing ended that was in use and that nobody asked to end",
    "S7": "an extension that was answered is kept",
    "S8": "destroyed means gone, with its proofs",
    "S9": "no record vanishes, numbers never fall",
    "S10": "what was answered is there",
    "S11": "one key, one environment",
    "S12": "bystanders with the numbers of our dead live on",
    "S13": "a sweep removes only what two listings showed, or what is overdue",
    "L1": "everything unwanted ends destroyed",
    "L2": "what nobody knows is gone",
    "L3": "what is overdue goes without a store, too",
    "L4": "no worker is left",
    "L5": "every job's end is applied once, also after adoption",
    "L6": "envd answers after every start",
}


class Witness(threading.Thread):
    """Looks ten times a second, for as long as the story goes on."""

    def __init__(self, world):
        super().__init__(daemon=True)
        self.world = world
        self.over = threading.Event()
        self.broken = None
        self.looks = 0
        self.starts_s = []
        self.desired = {}
        self.highest = 0
        self.buried = set()

    def run(self):
        while not self.over.wait(0.1):
            try:
                self.look()
            except Broken as failure:
                self.broken = self.broken or str(failure)

    def look(self):
        self.note_start()
        self.place_decoys()
        made = self.owners_of_items()
        answer = self.world.once("GET", "/v1/environments?limit=500&all=true")
        if not answer or answer[0] != 200:
            return
        known = {env["id"]: env for env in answer[1]["items"]}
        for env in made - set(known):
            raise Broken("S1 something of %s exists, and there is no such record" % env)
        self.compare(known)
        ended = {env for env in known if known[env]["state"] == "destroyed"}
        for env in ended & self.owners_of_items():
            raise Broken("S8 %s is said to be destroyed and something of it is there" % env)
        self.looks += 1
        for name in ("S1", "S5", "S8", "S9"):
            self.world.held(name)

    def compare(self, known):
        for env, was in self.desired.items():
            if env not in known:
                raise Broken("S9 the record of %s is gone" % env)
            if was == "absent" and known[env]["desired"] == "present":
                raise Broken("S5 %s was unwanted and is wanted again" % env)
        self.desired = {env: known[env]["desired"] for env in known}
        highest = max([env["sequence"] for env in known.values()], default=0)
        if highest < self.highest:
            raise Broken("S9 the highest number fell from %d to %d" % (self.highest, highest))
        self.highest = highest

    def owners_of_items(self):
        return {name.split(".")[0] for name in os.listdir(os.path.join(self.world.world, "items"))}

    def note_start(self):
        started = self.world.started_at
        answer = self.world.once("GET", "/readyz") if started else None
        if answer and answer[0] == 200 and self.world.started_at == started:
            self.starts_s.append(time.monotonic() - started)
            self.world.started_at = None

    def place_decoys(self):
        for path in glob.glob(os.path.join(self.world.data, "jobs", "*", "identity.json")):
            try:
                with open(path) as file:
                    pid = json.load(file)["pid"]
            except (OSError, ValueError, KeyError):
                continue
            if path not in self.buried and not os.path.exists("/proc/%d" % pid):
                self.buried.add(path)
                self.world.decoys.place(pid)


# ---- at rest ----------------------------------------------------------------------------------------

def is_at_rest(world):
    status, page = world.ask("GET", "/v1/environments?limit=500&all=true")
    return status == 200 and all(env["state"] == "destroyed" for env in page["items"])


def history_of(world, env):
    _, page = world.ask("GET", "/v1/environments/%s/history?limit=500" % env)
    return page["items"]


def claim_calls(world, env, history):
    calls = [verb for verb, of in world.calls() if of == env]
    if "destroy" in calls:
        after = calls[calls.index("destroy"):]
        if "create" in after or "recover" in after:
            raise Broken("S5 built again after its destruction had begun: %s" % calls)
    world.held("S5")
    for verb in ("create", "recover", "destroy"):
        jobs = [row for row in history if row["kind"] == "job" and row["data"]["kind"] == verb]
        if calls.count(verb) > len(jobs):
            raise Broken("S2 the engine was told to %s %d times, by %d jobs" % (
                verb, calls.count(verb), len(jobs)))
    world.held("S2")


def claim_history(world, history):
    ends = [row["data"]["job"] for row in history if row["kind"] == "job"]
    if len(ends) != len(set(ends)):
        raise Broken("L5 the end of a job was applied twice")
    world.held("L5")
    states = [row["state"] for row in history if row["kind"] == "state"]
    if states[0] != "queued" or states[-1] != "destroyed" or len(states) != len(set(states)):
        raise Broken("S5 its states were %s" % states)


def claim_end(world, env):
    answer = world.get(env)
    kinds = {proof["kind"] for proof in answer["proofs"]}
    if not ({"destroy_ended", "state_empty", "inventory_empty", "no_process"} <= kinds or
            kinds == {"never_started"}):
        raise Broken("S8 destroyed with these proofs alone: %s" % sorted(kinds))
    if "never_started" in kinds and any(of == env for _, of in world.calls()):
        raise Broken("S8 said never to have been started, and it was")
    world.held("S8")
    if answer["reason"] == "requested" and env not in world.asked_to_destroy:
        raise Broken("S6 nobody asked to destroy %s" % env)
    if answer["reason"] == "lease_ended" and answer["ended_at"] < answer["expires_at"]:
        raise Broken("S6 it ended at %s and was lent until %s" % (
            answer["ended_at"], answer["expires_at"]))
    if answer["reason"] not in ("requested", "lease_ended", "create_failed"):
        raise Broken("S6 it ended for %s" % answer["reason"])
    world.held("S6")
    history = history_of(world, env)
    claim_calls(world, env, history)
    claim_history(world, history)


def claim_nothing_left(world):
    left = os.listdir(os.path.join(world.world, "items"))
    if left:
        raise Broken("S8 all is said to be destroyed and there is %s" % left)
    eventually(lambda: not world.processes(), "L4 no worker to be left")
    world.held("L4")
    world.held("L2")


def claim_alone(world):
    path = os.path.join(world.world, "overlaps")
    if os.path.exists(path):
        with open(path) as file:
            raise Broken("S3 two engines at work at once: " + file.read())
    world.held("S3")


def claim_one_writer(world):
    eventually(lambda: len(world.programs_running("envd")) == 1 and
               len(world.programs_running("envd-reaper")) == 1, "S4 one envd and one envd-reaper")
    for program, arguments in (("envd", ["--listen=unix:" + world.socket + "2"]),
                               ("envd-reaper", ["--stay"])):
        try:
            status, said = world.run(program, *arguments)
        except subprocess.TimeoutExpired:
            raise Broken("S4 a second %s runs beside the first" % program) from None
        if status == 0 or "another %s is running" % {"envd": "envd", "envd-reaper": "reaper"}[
                program] not in said:
            raise Broken("S4 a second %s ended with %d and said: %s" % (program, status, said))
    world.held("S4")


def claim_no_foreign_kill(world):
    dead = world.decoys.dead()
    if dead:
        raise Broken("S12 processes that are not ours were ended: %s" % ", ".join(dead))
    if world.decoys.placed:
        world.held("S12")


def settle(world, witness):
    for env in world.ids:
        if world.get(env)["state"] not in ("destroying", "destroyed"):
            world.destroy(env)
        world.held("S10")
    eventually(lambda: is_at_rest(world), "L1 everything to be proved gone")
    world.held("L1")
    # Before anything else: what is told is compared with what is there at that moment.
    claim_nothing_left(world)
    world.disarm()
    for env in world.ids:
        claim_end(world, env)
    claim_alone(world)
    claim_one_writer(world)
    witness.over.set()
    witness.join()
    if witness.broken:
        raise Broken(witness.broken)
    if not witness.starts_s:
        raise Broken("L6 envd was never seen to answer")
    world.held("L6", len(witness.starts_s))
    claim_no_foreign_kill(world)

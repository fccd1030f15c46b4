"""Things on a real runtime that nobody's store knows, made by hand with envd's labels."""
import http.client
import json
import time
import urllib.parse
import uuid

from chaos_world import Broken, Connection

IMAGE = "localhost/envd-test/busybox:1"


def new_id():
    return str(uuid.uuid4())


class Runtime:
    def __init__(self, socket):
        self.socket = socket
        self.instances = set()  # whose things are ours to clear away

    def ask(self, method, path, body=None):
        connection = Connection(self.socket, 10)
        try:
            connection.request(method, path, json.dumps(body) if body is not None else None,
                               {"Content-Type": "application/json"} if body is not None else {})
            answer = connection.getresponse()
            content = answer.read()
        except (OSError, http.client.HTTPException) as failure:
            raise Broken("the runtime cannot be asked: %s" % failure) from failure
        finally:
            connection.close()
        if answer.status >= 400:
            raise Broken("the runtime answered %s %s with %d: %s" % (
                method, path, answer.status, content[:300]))
        return json.loads(content) if content.strip() else None

    def labels(self, instance, environment, sequence, ends_in_s):
        self.instances.add(instance)
        return {"envd-instance": instance, "envd-environment": environment,
                "envd-sequence": str(sequence), "envd-hard-wall": str(int(time.time()) + ends_in_s)}

    def make_volume(self, labels):
        self.ask("POST", "/v1.41/volumes/create", {
            "Name": "envd-chaos-" + new_id(), "Driver": "local", "Labels": labels})

    def make_container(self, labels):
        """With its network and its volume, as one environment has them; not started."""
        name = "envd-chaos-" + new_id()
        self.make_volume(labels)
        self.ask("POST", "/v4.0.0/libpod/networks/create", {
            "name": name, "driver": "bridge", "labels": labels, "dns_enabled": True,
            "network_interface": "ec" + name[-12:], "options": {"isolate": "true"}})
        self.ask("POST", "/v1.41/containers/create?name=" + name, {
            "Image": IMAGE, "Cmd": ["sleep", "1000"], "Labels": labels,
            "HostConfig": {"NetworkMode": name}})

    def listing(self, path, label):
        filters = urllib.parse.quote(json.dumps({"label": [label]}))
        return self.ask("GET", path + "filters=" + filters)

    def things(self, environment=None, instance=None):
        """(kind, name) of all that carries the label. Podman alone filters its networks by label
        in its own API."""
        label = ("envd-environment=" + environment if environment else "envd-instance=" + instance)
        containers = self.listing("/v1.41/containers/json?all=1&", label)
        networks = self.listing("/v4.0.0/libpod/networks/json?", label)
        volumes = self.listing("/v1.41/volumes?", label).get("Volumes") or []
        return ([("containers", one["Id"]) for one in containers] +
                [("networks", one["name"]) for one in networks] +
                [("volumes", one["Name"]) for one in volumes])

    def clear(self):
        for instance in self.instances:
            for kind, name in self.things(instance=instance):
                try:
                    self.ask("DELETE", "/v1.41/%s/%s?force=1" % (kind, name))
                except Broken:
                    continue  # gone meanwhile

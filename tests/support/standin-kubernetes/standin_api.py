"""A small client of a Kubernetes API server: any kind of object, applied, read, listed, deleted."""
import base64
import http.client
import json
import os
import ssl
import tempfile
import threading
import time
import urllib.parse

import yaml

FIELD_MANAGER = "pulumi-kubernetes-standin"
APPEARS_SECONDS = 30  # a namespace or a kind that is made at the same moment


class Refused(Exception):
    """What the provider answers: the server's words or ours."""


class NotFound(Refused):
    pass


class Unreachable(Refused):
    def __init__(self, why):
        super().__init__("configured Kubernetes cluster is unreachable. If the cluster was deleted, you can remove this "
                         "resource from Pulumi state by rerunning the operation with the PULUMI_K8S_DELETE_UNREACHABLE "
                         f"environment variable set to \"true\": {why}")


def named(entries, name, what):
    for entry in entries or []:
        if entry["name"] == name:
            return entry[what]
    raise Refused(f"kubeconfig has no {what} named \"{name}\"")


class ApiServer:
    def __init__(self, kubeconfig):
        self.text = kubeconfig
        if os.path.isfile(kubeconfig):
            with open(kubeconfig, encoding="utf-8") as file:
                self.text = file.read()
        try:
            config = yaml.safe_load(self.text)
            context = named(config["contexts"], config["current-context"], "context")
            self.cluster = named(config["clusters"], context["cluster"], "cluster")
            self.user = named(config["users"], context["user"], "user")
            self.address = urllib.parse.urlsplit(self.cluster["server"])
        except (TypeError, KeyError, yaml.YAMLError) as trouble:
            raise Unreachable(f"unable to load kubeconfig: {trouble}") from trouble
        self.tls = self.tls_of() if self.address.scheme == "https" else None
        self.kinds = {}
        self.lock = threading.Lock()

    def tls_of(self):
        tls = ssl.create_default_context()
        tls.verify_flags &= ~ssl.VERIFY_X509_STRICT  # an API server's own certificate lacks what newer Pythons ask for
        if self.cluster.get("insecure-skip-tls-verify"):
            tls.check_hostname = False
            tls.verify_mode = ssl.CERT_NONE
        elif self.cluster.get("certificate-authority-data"):
            tls.load_verify_locations(cadata=base64.b64decode(self.cluster["certificate-authority-data"]).decode())
        elif self.cluster.get("certificate-authority"):
            tls.load_verify_locations(self.cluster["certificate-authority"])
        if self.user.get("client-certificate-data"):
            with tempfile.NamedTemporaryFile() as file:
                for part in ("client-certificate-data", "client-key-data"):
                    file.write(base64.b64decode(self.user[part]) + b"\n")
                file.flush()
                tls.load_cert_chain(file.name)
        return tls

    def call(self, method, path, body=None, content_type="application/json"):
        headers = {"Accept": "application/json", "Content-Type": content_type}
        if self.user.get("token"):
            headers["Authorization"] = "Bearer " + self.user["token"]
        kind = http.client.HTTPSConnection if self.tls else http.client.HTTPConnection
        options = {"context": self.tls} if self.tls else {}
        connection = kind(self.address.hostname, self.address.port, timeout=60, **options)
        try:
            connection.request(method, self.address.path.rstrip("/") + path, body and json.dumps(body), headers)
            response = connection.getresponse()
            content = response.read()
        except (OSError, http.client.HTTPException) as trouble:
            raise Unreachable(trouble) from trouble
        finally:
            connection.close()
        try:
            answer = json.loads(content)
        except ValueError:
            answer = {"message": content.decode(errors="replace")}
        if response.status == 404:
            raise NotFound(answer.get("message"))
        if response.status >= 300:
            raise Refused(answer.get("message") or f"HTTP {response.status}")
        return answer

    def kind_of(self, api_version, kind):
        """Where objects of a kind are, by the server's own discovery."""
        with self.lock:
            found = self.kinds.get((api_version, kind))
        if found:
            return found
        root = "/api/" + api_version if "/" not in api_version else "/apis/" + api_version
        for resource in self.call("GET", root)["resources"]:
            if resource["kind"] == kind and "/" not in resource["name"]:
                found = (root, resource["name"], resource["namespaced"])
                with self.lock:
                    self.kinds[(api_version, kind)] = found
                return found
        raise NotFound(f"no matches for kind \"{kind}\" in version \"{api_version}\"")

    def path(self, thing):
        root, plural, namespaced = self.kind_of(thing["apiVersion"], thing["kind"])
        metadata = thing["metadata"]
        where = f"/namespaces/{metadata.get('namespace') or 'default'}" if namespaced else ""
        return f"{root}{where}/{plural}/{urllib.parse.quote(metadata['name'])}"

    def apply(self, thing):
        content = {key: value for key, value in thing.items() if key != "status"}
        end = time.monotonic() + APPEARS_SECONDS
        while True:
            try:
                return self.call("PATCH", f"{self.path(thing)}?fieldManager={FIELD_MANAGER}&force=true", content,
                                 "application/apply-patch+yaml")
            except NotFound:
                if time.monotonic() > end:
                    raise
                time.sleep(0.2)

    def get(self, thing):
        """None when there is none, nor such a kind."""
        try:
            live = self.call("GET", self.path(thing))
        except NotFound:
            return None
        live["metadata"].pop("managedFields", None)
        return live

    def delete(self, thing):
        try:
            self.call("DELETE", self.path(thing), {"apiVersion": "v1", "kind": "DeleteOptions",
                                                   "propagationPolicy": "Background"})
        except NotFound:
            pass

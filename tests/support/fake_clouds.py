#!/usr/bin/env python3
"""Stand-ins for the REST APIs of DigitalOcean (/v2), Linode (/v4) and Pulumi Cloud (/api) on loopback: lists in pages,
and what goes wrong. Of Pulumi Cloud there is only who asks: it has no stack and makes none.

Shapes and paging follow the two published APIs; nothing is made or removed by HTTP. Prints its port, then answers each
line of stdin, a JSON object, with a line of JSON:

    {"do": "hold", "path": "/v2/volumes", "items": [...]}     what a list has; every list that was never named is empty
    {"do": "pages", "size": 2}                       no page is longer
    {"do": "fail", "path": "...", "page": 2, "how": HOW, "times": n}     HOW: a status (429 with Retry-After: 0), "cut" in
                                                     the middle of the answer, "short": an item is not in it, "odd": no JSON
    {"do": "token", "is": "..."}                     any other is refused with 401
    {"do": "seen"}                                   [["METHOD", "path", "Authorization"], ...]
    {"do": "reset"}
"""
import json
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlparse

SETS = {"/v2/kubernetes/clusters": "kubernetes_clusters", "/v2/load_balancers": "load_balancers", "/v2/volumes": "volumes",
        "/v2/droplets": "droplets", "/v2/firewalls": "firewalls", "/v2/vpcs": "vpcs", "/v2/domains": "domains"}
SINGLE = {"/v2/account": {"account": {"uuid": "person-1", "team": {"uuid": "team-1"}}}, "/v4/account": {"euuid": "E-1"}}


class World:
    def __init__(self):
        self.lock = threading.Lock()
        self.reset()

    def reset(self):
        self.lists, self.size, self.failures, self.token, self.seen = {}, 500, [], None, []

    def failure(self, path, page):
        with self.lock:
            for failure in self.failures:
                if failure["path"] == path and failure.get("page", page) == page and failure["times"] > 0:
                    failure["times"] -= 1
                    return failure["how"]
        return None


world = World()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *words):
        pass

    def refuse(self, path, status):
        words = {401: "Unable to authenticate you", 403: "You may not do that", 404: "not here"}.get(status, "trouble")
        self.say(status, {"id": "x", "message": words} if path.startswith("/v2/") else {"errors": [{"reason": words}]})

    def say(self, status, document, cut=False):
        body = document if isinstance(document, bytes) else json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        if status == 429:
            self.send_header("Retry-After", "0")
        self.end_headers()
        self.wfile.write(body[:len(body) // 2] if cut else body)
        self.close_connection = True

    def page_of(self, path, number, asked):
        items = world.lists.get(path, [])
        size = min(asked, world.size)
        return items[(number - 1) * size:number * size], len(items), max(1, -(-len(items) // size))

    def pulumi(self, path):
        if path == "/api/user":
            return self.say(200, {"githubLogin": "ann", "name": "Ann", "organizations": [{"githubLogin": "acme"}]})
        if path == "/api/capabilities":
            return self.say(200, {"capabilities": []})
        if self.command == "POST":
            return self.say(402, {"code": 402, "message": "acme may have no more stacks"})
        return self.say(404, {"code": 404, "message": "Not Found"})

    def do_POST(self):  # pylint: disable=invalid-name
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        return self.do_GET()

    def do_GET(self):  # pylint: disable=invalid-name
        address = urlparse(self.path)
        query = {name: int(values[0]) for name, values in parse_qs(address.query).items() if values[0].isdigit()}
        path, number = address.path, query.get("page", 1)
        world.seen.append([self.command, path, self.headers.get("Authorization", "")])
        if path.startswith("/api/"):
            return self.pulumi(path)
        how = world.failure(path, number)
        if world.token and self.headers.get("Authorization") != f"Bearer {world.token}":
            return self.refuse(path, 401)
        if isinstance(how, int):
            return self.refuse(path, how)
        if how == "odd":
            return self.say(200, b"<html>maintenance</html>")
        if path in SINGLE:
            return self.say(200, SINGLE[path], cut=how == "cut")
        if path == "/v2/registry":
            registry = world.lists.get(path)
            return self.say(200, {"registry": registry[0]}) if registry else self.refuse(path, 404)
        items, total, pages = self.page_of(path, number, query.get("per_page", query.get("page_size", 20)))
        if how == "short":
            items = items[1:]
        if path.startswith("/v4/"):
            return self.say(200, {"data": items, "page": number, "pages": pages, "results": total}, cut=how == "cut")
        key = "domain_records" if path.endswith("/records") else SETS.get(path)
        if not key:
            return self.refuse(path, 404)
        links = {"pages": {"next": f"?page={number + 1}"}} if number < pages else {}
        return self.say(200, {key: items, "links": links, "meta": {"total": total}}, cut=how == "cut")


def hold(path, items):
    world.lists[path] = items


def set_size(size):
    world.size = size


def fail(path, how, times=1, page=None):
    world.failures.append({"path": path, "how": how, "times": times} | ({"page": page} if page else {}))


def set_token(**words):
    world.token = words["is"]


COMMANDS = {"hold": hold, "pages": set_size, "fail": fail, "token": set_token, "reset": world.reset,
            "seen": lambda: list(world.seen)}

server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
threading.Thread(target=server.serve_forever, daemon=True).start()
print(server.server_port, flush=True)
for line in sys.stdin:
    command = json.loads(line)
    try:
        result = COMMANDS[command.pop("do")](**command) or {}
    except Exception as error:  # pylint: disable=broad-except
        result = {"error": str(error)}
    print(json.dumps(result), flush=True)

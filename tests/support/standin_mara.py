"""Stand-ins for what answers in a MARA: the bank's services, Grafana, Prometheus, Elasticsearch, Kibana, Locust, the ingress
controller's metrics. No code of theirs: only what templates/mara/checks.yaml asks of them.

Usage: standin_mara.py ROLE ADDRESS PORT FAULTS_FILE     a fault is a word in that file, looked at with each request"""
import base64
import html
import http.server
import json
import sys
import time
import urllib.parse

ROLE, ADDRESS, PORT, FAULTS = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4]
BALANCE = {"cents": 123456}


def has_fault(name):
    with open(FAULTS, encoding="utf-8") as file:
        return name in file.read().split()


def token():
    part = lambda value: base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()  # noqa: E731
    return ".".join((part({"alg": "none"}), part({"user": "testuser", "exp": int(time.time()) + 3600}), "c2ln"))


class Handler(http.server.BaseHTTPRequestHandler):
    def answer(self, status, body="", kind="text/html", headers=()):
        data = body.encode() if isinstance(body, str) else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", kind if isinstance(body, str) else "application/json")
        self.send_header("Content-Length", str(len(data)))
        for name, value in headers:
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

    def go(self, path, *headers):
        # As the bank: an absolute address, and http whatever the way was.
        self.answer(302, headers=[("Location", f"http://{self.headers['Host']}{path}"), *headers])

    def body(self):
        return self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()

    def is_logged_in(self):
        return "token=" in (self.headers.get("Cookie") or "")

    def do_GET(self):
        path = self.path.split("?")[0]
        getattr(self, "get_" + ROLE)(path)

    def do_POST(self):
        getattr(self, "post_" + ROLE)(self.path.split("?")[0], self.body())

    def get_service(self, path):
        if path.startswith("/z/health"):
            down = has_fault("down:" + ADDRESS)
            self.answer(503 if down else 200, {"status": "DOWN" if down else "UP"})
        else:
            self.answer(404)

    def get_bank(self, path):
        if path.startswith("/z/"):
            self.get_service(path)
        elif path == "/login":
            self.answer(200, "<title>Bank of Sirius</title><form><input name=\"username\"><input name=\"password\"></form>")
        elif path == "/home" and not self.is_logged_in():
            self.go("/login")
        elif path == "/home":
            shown = "$---" if has_fault("no-balance") else "${:,.2f}".format(BALANCE["cents"] / 100)
            self.answer(200, f"<p id=\"account-user-name\">Test</p><p id=\"current-balance\">{html.escape(shown)}</p>")
        else:
            self.answer(404)

    def post_bank(self, path, body):
        form = {name: value[0] for name, value in urllib.parse.parse_qs(body).items()}
        if path == "/login" and (form.get("password") == "password" or has_fault("any-password")):
            self.go("/home", ("Set-Cookie", f"token={token()}; Path=/"))
        elif path == "/login":
            self.go("/login?msg=Login+Failed")
        elif path == "/deposit" and self.is_logged_in():
            BALANCE["cents"] += 0 if has_fault("lost-deposit") else round(float(form["amount"]) * 100)
            self.go("/home?msg=Deposit+successful")
        elif path == "/logout":
            self.go("/login", ("Set-Cookie", "token=; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT"))
        else:
            self.answer(401)

    def get_kic(self, path):
        self.answer(200, "nginx_ingress_controller_nginx_last_reload_status{class=\"nginx\"} 1\n", "text/plain")

    def get_prometheus(self, path):
        if path == "/-/ready":
            self.answer(200, "ready")
        elif path == "/api/v1/targets":
            health = "down" if has_fault("target-down") else "up"
            targets = [{"labels": {"job": "bank"}, "health": health, "lastError": ""},
                       {"labels": {"job": "kube-proxy"}, "health": "down", "lastError": "connection refused"}]
            self.answer(200, {"status": "success", "data": {"activeTargets": targets}})
        else:
            self.answer(200, {"status": "success", "data": {"resultType": "vector", "result": [{"metric": {}, "value": [0, "1"]}]}})

    def get_grafana(self, path):
        if path == "/api/health":
            self.answer(200, {"database": "ok"})
        elif "grafana_session=" in (self.headers.get("Cookie") or ""):
            self.answer(200, [{"name": "Prometheus"}])
        else:
            self.answer(401, {})

    def post_grafana(self, path, body):
        with open(FAULTS + ".password", encoding="utf-8") as file:
            is_right = json.loads(body) == {"user": "admin", "password": file.read()}
        self.answer(200 if is_right else 401, {}, headers=[("Set-Cookie", "grafana_session=s; Path=/")] if is_right else [])

    def get_elastic(self, path):
        self.answer(200, {"status": "red" if has_fault("elastic-red") else "yellow", "timed_out": False, "number_of_nodes": 3})

    def post_elastic(self, path, body):
        assert "@timestamp" in json.loads(body)["query"]["range"]
        self.answer(200, {"count": 12})

    def get_kibana(self, path):
        self.answer(200, {"status": {"overall": {"level": "available"}}})

    def get_locust(self, path):
        self.answer(200, "Locust" if path == "/" else {"state": "ready"})

    def log_message(self, *unused):
        pass


http.server.ThreadingHTTPServer((ADDRESS, PORT), Handler).serve_forever()

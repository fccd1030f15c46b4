"""Answer Prometheus for databases, which cannot themselves: GET /metrics?database=NAME.

A database that does not answer makes its scrape fail, so that its target is down as any other would be.
Variable DATABASES: NAME=HOST for each, separated by spaces; passwords lie in /run/bank/NAME/password.
"""

import http.server
import os
import signal
import urllib.parse

import psycopg2

PORT = 9187
HOSTS = dict(pair.split("=", 1) for pair in os.environ.get("DATABASES", "").split())
QUERY = """
SELECT numbackends, xact_commit, xact_rollback, blks_read, blks_hit, tup_returned, tup_fetched,
       tup_inserted, tup_updated, tup_deleted, deadlocks, pg_database_size(datid)
FROM pg_stat_database WHERE datname = current_database()"""
NAMES = (
    ("numbackends", "gauge"),
    ("xact_commit", "counter"),
    ("xact_rollback", "counter"),
    ("blks_read", "counter"),
    ("blks_hit", "counter"),
    ("tup_returned", "counter"),
    ("tup_fetched", "counter"),
    ("tup_inserted", "counter"),
    ("tup_updated", "counter"),
    ("tup_deleted", "counter"),
    ("deadlocks", "counter"),
    ("size_bytes", "gauge"),
)


def read_database(name):
    with open(f"/run/bank/{name}/password", encoding="ascii") as file:
        password = file.read().strip()
    connection = psycopg2.connect(host=HOSTS[name], dbname=name, user=name, password=password, connect_timeout=2)
    try:
        with connection.cursor() as cursor:
            cursor.execute(QUERY)
            row = cursor.fetchone()
        version = connection.server_version
    finally:
        connection.close()
    return row, f"{version // 10000}.{version % 10000}"


def render(name, row, version):
    label = f'database="{name}"'
    lines = ["# TYPE pg_up gauge", f"pg_up{{{label}}} 1", "# TYPE pg_info gauge", f'pg_info{{{label},version="{version}"}} 1']
    for (metric, kind), value in zip(NAMES, row):
        lines += [f"# TYPE pg_{metric} {kind}", f"pg_{metric}{{{label}}} {value}"]
    return "\n".join(lines) + "\n"


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        parts = urllib.parse.urlsplit(self.path)
        name = urllib.parse.parse_qs(parts.query).get("database", [""])[0]
        if parts.path == "/healthz":
            self.answer(200, "ok\n")
        elif parts.path != "/metrics" or name not in HOSTS:
            self.answer(404, "try /metrics?database=" + "|".join(HOSTS) + "\n")
        else:
            try:
                self.answer(200, render(name, *read_database(name)))
            except (psycopg2.Error, OSError) as error:
                self.answer(503, f"{HOSTS[name]}: {error}\n")

    def answer(self, status, text):
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    http.server.ThreadingHTTPServer(("", PORT), Handler).serve_forever()

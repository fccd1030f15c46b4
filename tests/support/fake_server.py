#!/usr/bin/env python3
"""An envd that says what it is told to: for tests of envctl, and of nothing else.

    fake_server.py SOCKET SCRIPT [LOG]

SCRIPT is JSON: {"routes": [{"method", "path", "answers": [ANSWER...]}]}. `path` is compared with
the request's path without its query. Each request takes the next answer of its route; the last one
stays. An ANSWER is

    {"status": 200, "json": {...}, "headers": {...}, "delay_s": 0.5}
    {"status": 200, "text": "...", "type": "text/markdown"}
    {"drop": true}                           closes the connection without a word
    {"events": [[1, "state", {...}], ...],   Server-Sent Events behind Last-Event-ID, then
     "hold": true}                           stays open (or ends, without "hold")
    {"lines": [{...}, ...]}                  NDJSON

A server without a version of its own ("headers": {"Envd-Version": "2.0.0"}) is met like one that
does not say: the question for it, unless it is scripted, is answered 404 and not logged.

LOG gets one JSON object a request: method, path, query, headers, body.
Prints "ready" once it listens.
"""

import json
import os
import socket
import socketserver
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler


class Script:
    def __init__(self, path):
        with open(path, encoding="utf-8") as file:
            self.routes = json.load(file)["routes"]
        self.lock = threading.Lock()

    def has(self, path):
        return any(route["path"] == path for route in self.routes)

    def answer(self, method, path):
        with self.lock:
            for route in self.routes:
                if route["method"] == method and route["path"] == path:
                    answers = route["answers"]
                    return answers.pop(0) if len(answers) > 1 else answers[0]
        return {"status": 404, "json": {"code": "not_found", "detail": f"no route for {method} {path}"}}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *words):
        pass

    def address_string(self):
        return "unix"

    def remember(self, path, query, body):
        if not self.server.log or path == "/v1/version" and not self.server.script.has(path):
            return
        row = {"method": self.command, "path": path, "query": query, "body": body,
               "headers": {name.lower(): value for name, value in self.headers.items()},
               "at": time.time()}
        with self.server.script.lock, open(self.server.log, "a", encoding="utf-8") as file:
            file.write(json.dumps(row) + "\n")

    def send_whole(self, answer):
        body = answer["text"] if "text" in answer else json.dumps(answer.get("json", {}))
        status = answer.get("status", 200)
        kind = answer.get("type") or ("application/json" if status < 400 else "application/problem+json")
        data = body.encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.send_header("Connection", "close")
        for name, value in answer.get("headers", {}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

    def send_stream(self, answer):
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream" if "events" in answer else "application/x-ndjson")
        self.send_header("Connection", "close")
        self.end_headers()
        seen = int(self.headers.get("Last-Event-ID") or 0)
        for number, kind, data in answer.get("events", []):
            if number > seen:
                self.wfile.write(f"id: {number}\nevent: {kind}\ndata: {json.dumps(data)}\n\n".encode())
                self.wfile.flush()
        for line in answer.get("lines", []):
            self.wfile.write((json.dumps(line) + "\n").encode())
        while answer.get("hold"):
            self.wfile.write(b": heartbeat\n\n")
            self.wfile.flush()
            time.sleep(0.1)

    def handle_request(self):
        path, _, query = self.path.partition("?")
        length = int(self.headers.get("Content-Length") or 0)
        raw = self.rfile.read(length)
        self.remember(path, query, json.loads(raw) if raw else None)
        answer = self.server.script.answer(self.command, path)
        self.close_connection = True
        time.sleep(answer.get("delay_s", 0))
        if answer.get("drop"):
            return
        try:
            if "events" in answer or "lines" in answer:
                self.send_stream(answer)
            else:
                self.send_whole(answer)
        except (BrokenPipeError, ConnectionResetError):
            pass

    do_GET = do_POST = do_DELETE = do_PATCH = handle_request


class Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True
    request_queue_size = 64

    def get_request(self):
        connection, _ = self.socket.accept()
        return connection, ("unix", 0)


def main():
    path, script = sys.argv[1:3]
    if os.path.exists(path):
        os.unlink(path)
    server = Server(path, Handler)
    server.script = Script(script)
    server.log = sys.argv[3] if len(sys.argv) > 3 else None
    os.write(1, b"ready\n")
    os.close(1)
    server.serve_forever()


if __name__ == "__main__":
    main()

#!/usr/bin/python3 -SE
"""An OpenTelemetry collector for tests: takes OTLP/HTTP traces in JSON, looks at their shape, keeps them.

    fake_collector.py FOLDER [STATUS]

It speaks TLS when there is a FOLDER/collector.pem with its FOLDER/collector.key. FOLDER/port says where it listens, FOLDER/traces has one accepted document a line, FOLDER/wrong what was
wrong with the others. With STATUS everything is answered with that instead. Where the package
opentelemetry-proto is installed (run it as `python3 fake_collector.py`), the real protobuf mapping reads
every document too.
"""
import http.server
import json
import os
import re
import ssl
import sys

FOLDER = sys.argv[1]
STATUS = int(sys.argv[2]) if len(sys.argv) > 2 else 0
SPAN_KEYS = {"traceId", "spanId", "parentSpanId", "name", "kind", "startTimeUnixNano",
             "endTimeUnixNano", "attributes", "status"}

try:
    from google.protobuf import json_format
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
except ImportError:
    json_format = None


def need(condition, what):
    if not condition:
        raise ValueError(what)


def check_attributes(attributes):
    for attribute in attributes:
        need(set(attribute) == {"key", "value"}, "attribute %r" % attribute)
        need(list(attribute["value"]) == ["stringValue"], "value of %r" % attribute)


def check_span(span, ids):
    need(set(span) <= SPAN_KEYS, "unknown keys in %r" % span)
    need(re.fullmatch("[0-9a-f]{32}", span["traceId"]), "traceId of %r" % span)
    need(re.fullmatch("[0-9a-f]{16}", span["spanId"]), "spanId of %r" % span)
    need(span["spanId"] not in ids, "spanId twice: %r" % span)
    need(span["name"] and span["kind"] == 1, "name or kind of %r" % span)
    # 64-bit numbers are strings in protobuf's JSON.
    need(re.fullmatch("[1-9][0-9]{18}", span["startTimeUnixNano"]), "start of %r" % span)
    need(re.fullmatch("[1-9][0-9]{18}", span["endTimeUnixNano"]), "end of %r" % span)
    need(int(span["startTimeUnixNano"]) <= int(span["endTimeUnixNano"]), "ends first: %r" % span)
    need(span["status"]["code"] in (1, 2), "status of %r" % span)
    check_attributes(span["attributes"])


def check(document):
    need(list(document) == ["resourceSpans"], "keys %r" % list(document))
    for resource in document["resourceSpans"]:
        check_attributes(resource["resource"]["attributes"])
        for scope in resource["scopeSpans"]:
            ids = set()
            for span in scope["spans"]:
                check_span(span, ids)
                ids.add(span["spanId"])
            roots = [s for s in scope["spans"] if s.get("parentSpanId", "") not in ids]
            need(len(roots) == 1, "%d spans without a parent here" % len(roots))
            need(len({s["traceId"] for s in scope["spans"]}) == 1, "more than one trace")


class Handler(http.server.BaseHTTPRequestHandler):
    def log_message(self, *words):
        pass

    def answer(self, status):
        self.send_response(status)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        try:
            need(self.path == "/v1/traces", "path " + self.path)
            need(self.headers["Content-Type"] == "application/json", "content type")
            document = json.loads(body)
            check(document)
            if json_format:
                json_format.Parse(body, ExportTraceServiceRequest())
        except (ValueError, KeyError, TypeError) as wrong:
            with open(os.path.join(FOLDER, "wrong"), "a") as file:
                file.write("%s\n" % wrong)
            self.answer(400)
            return
        with open(os.path.join(FOLDER, "traces"), "a") as file:
            file.write(json.dumps(document) + "\n")
        self.answer(STATUS or 200)


server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
if os.path.exists(os.path.join(FOLDER, "collector.pem")):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(os.path.join(FOLDER, "collector.pem"), os.path.join(FOLDER, "collector.key"))
    server.socket = context.wrap_socket(server.socket, server_side=True)
with open(os.path.join(FOLDER, "port.new"), "w") as port_file:
    port_file.write(str(server.server_port))
os.rename(os.path.join(FOLDER, "port.new"), os.path.join(FOLDER, "port"))
server.serve_forever()

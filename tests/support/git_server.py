#!/usr/bin/env python3
"""A real git server on loopback, over https (own CA, git http-backend) and ssh (sshd), for tests.

Usage: git_server.py FOLDER

Serves FOLDER/repositories. Makes FOLDER/ca.pem, a key pair FOLDER/user_key that ssh accepts, the
public host key FOLDER/host_key.pub, and last FOLDER/ports.json: {"https": N, "ssh": N}. Both ports
are the system's choice. What a test writes into FOLDER is true for the next request:

  token      https asks for this password
  cut        the pack of the next answer ends after so many bytes, and the connection with it
  stall      the same, but the connection stays open and says no more
  redirect   https answers everything with a redirect to this
"""
import json
import os
import pathlib
import shutil
import socket
import ssl
import subprocess
import sys
import threading
import base64
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

folder = pathlib.Path(sys.argv[1])
repositories = folder / "repositories"


def run(*argv):
    subprocess.run(argv, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def switch(name):
    path = folder / name
    return path.read_text().strip() if path.exists() else None


def make_keys():
    ca, key = folder / "ca.pem", folder / "ca.key"
    run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", "/CN=test ca",
        "-keyout", str(key), "-out", str(ca))
    run("openssl", "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=localhost",
        "-keyout", str(folder / "https.key"), "-out", str(folder / "https.csr"))
    (folder / "names").write_text("subjectAltName=DNS:localhost\n")
    run("openssl", "x509", "-req", "-days", "2", "-CA", str(ca), "-CAkey", str(key), "-CAcreateserial",
        "-in", str(folder / "https.csr"), "-extfile", str(folder / "names"), "-out", str(folder / "https.pem"))
    for name in ("host_key", "user_key"):
        run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", str(folder / name))
    shutil.copy(folder / "user_key.pub", folder / "authorized_keys")


class Git(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *arguments):
        with open(folder / "requests", "a", encoding="utf-8") as log:
            log.write(self.requestline + ("" if "Authorization" in self.headers else " (anonymous)") + "\n")

    def body(self):
        if self.headers.get("Transfer-Encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        parts = []
        while size := int(self.rfile.readline().split(b";")[0], 16):
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(parts)

    def is_allowed(self):
        token = switch("token")
        given = self.headers.get("Authorization", "")
        if not token:
            return True
        return given.startswith("Basic ") and base64.b64decode(given[6:]).split(b":", 1)[1] == token.encode()

    def refuse(self, status, name, value):
        self.send_response(status)
        self.send_header(name, value)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def answer(self):
        body = self.body()
        if target := switch("redirect"):
            return self.refuse(302, "Location", target + self.path)
        if not self.is_allowed():
            return self.refuse(401, "WWW-Authenticate", 'Basic realm="git"')
        path, _, query = self.path.partition("?")
        variables = {
            "PATH": os.environ["PATH"], "GIT_PROJECT_ROOT": str(repositories), "GIT_HTTP_EXPORT_ALL": "1",
            "GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "safe.directory", "GIT_CONFIG_VALUE_0": "*",
            "PATH_INFO": path, "QUERY_STRING": query, "REQUEST_METHOD": self.command,
            "CONTENT_TYPE": self.headers.get("Content-Type", ""), "REMOTE_ADDR": "127.0.0.1",
            "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
        }
        answer = subprocess.run(["git", "http-backend"], input=body, env=variables, capture_output=True,
                                check=False).stdout
        head, _, content = answer.partition(b"\r\n\r\n")
        headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n") if ": " in line)
        self.send_response(int(headers.pop("Status", "200").split()[0]))
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command == "POST" and (cut := switch("cut") or switch("stall")):
            self.wfile.write(content[:int(cut)])
            self.wfile.flush()
            if switch("stall"):
                threading.Event().wait()
            self.connection.shutdown(socket.SHUT_RDWR)
            self.close_connection = True
            return None
        self.wfile.write(content)
        return None

    do_GET = do_POST = answer


def serve_https():
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "https.pem", folder / "https.key")
    server = ThreadingHTTPServer(("127.0.0.1", 0), Git)
    server.daemon_threads = True
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server.server_address[1]


def serve_ssh():
    os.makedirs("/run/sshd", exist_ok=True)
    config = folder / "sshd_config"
    config.write_text(f"HostKey {folder}/host_key\nAuthorizedKeysFile {folder}/authorized_keys\n"
                      "PasswordAuthentication no\nKbdInteractiveAuthentication no\nPermitRootLogin yes\n"
                      "UsePAM no\nStrictModes no\nLogLevel DEBUG\n")
    listener = socket.create_server(("127.0.0.1", 0))

    def accept():
        while True:
            connection, _ = listener.accept()
            with connection, open(folder / "sshd.log", "ab") as log:
                subprocess.Popen(["/usr/sbin/sshd", "-i", "-e", "-f", str(config)], stdin=connection,
                                 stdout=connection, stderr=log)

    threading.Thread(target=accept, daemon=True).start()
    return listener.getsockname()[1]


os.umask(0o077)
repositories.mkdir(parents=True, exist_ok=True)
make_keys()
ports = {"https": serve_https(), "ssh": serve_ssh()}
(folder / "ports.tmp").write_text(json.dumps(ports))
(folder / "ports.tmp").rename(folder / "ports.json")
threading.Event().wait()

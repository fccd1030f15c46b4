"""HTTP over a unix socket, for tests and benchmarks in Python."""
import http.client
import socket


class Connection(http.client.HTTPConnection):
    def __init__(self, path, timeout_s):
        super().__init__("test", timeout=timeout_s)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)

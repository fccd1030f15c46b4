#!/usr/bin/env python3
"""A line to a registry that is as bad as it is told to be: bytes pass as they are, TLS too.

    fake_slow_registry.py PORT [--rate BYTES_A_SECOND] [--cut-after BYTES] [--cuts N] [--hold-after BYTES]

Listens on a port of 127.0.0.1 that the system chooses, prints it, and passes every connection on
to 127.0.0.1:PORT. What comes back from there is slowed down (--rate); a connection over which more
than --cut-after bytes came is closed, N times in all (for ever without --cuts); or nothing more
comes (--hold-after) and nothing ends.
"""

import argparse
import socket
import threading
import time


class Line:
    def __init__(self, options):
        self.options = options
        self.cuts_left = options.cuts
        self.lock = threading.Lock()

    def may_cut(self):
        with self.lock:
            if self.cuts_left == 0:
                return False
            self.cuts_left -= 1
            return True

    def back(self, server, client):
        passed = 0
        while True:
            block = server.recv(16384)
            if not block:
                break
            passed += len(block)
            if self.options.hold_after and passed > self.options.hold_after:
                threading.Event().wait()
            if self.options.cut_after and passed > self.options.cut_after and self.may_cut():
                client.sendall(block[: len(block) // 2])
                client.shutdown(socket.SHUT_RDWR)
                server.shutdown(socket.SHUT_RDWR)
                return
            client.sendall(block)
            if self.options.rate:
                time.sleep(len(block) / self.options.rate)
        client.shutdown(socket.SHUT_WR)

    def forth(self, client, server):
        while block := client.recv(16384):
            server.sendall(block)
        server.shutdown(socket.SHUT_WR)


def quietly(function, *arguments):
    try:
        function(*arguments)
    except OSError:
        pass


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("port", type=int)
    parser.add_argument("--rate", type=int, default=0)
    parser.add_argument("--cut-after", type=int, default=0)
    parser.add_argument("--cuts", type=int, default=-1)
    parser.add_argument("--hold-after", type=int, default=0)
    options = parser.parse_args()
    line = Line(options)
    listener = socket.create_server(("127.0.0.1", 0))
    print(listener.getsockname()[1], flush=True)
    while True:
        client, _ = listener.accept()
        try:
            server = socket.create_connection(("127.0.0.1", options.port))
        except OSError:
            client.close()
            continue
        threading.Thread(target=quietly, args=(line.back, server, client), daemon=True).start()
        threading.Thread(target=quietly, args=(line.forth, client, server), daemon=True).start()


main()

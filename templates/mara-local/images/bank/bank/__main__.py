"""python3 -m bank SERVICE: run one service of the bank on port 8080."""

import importlib
import os
import signal
import sys

import waitress

SERVICES = ("frontend", "userservice", "contacts", "ledger-writer", "balance-reader", "transaction-history")


def main():
    if len(sys.argv) != 2 or sys.argv[1] not in SERVICES:
        sys.exit("usage: python3 -m bank " + "|".join(SERVICES))
    # As process 1 of a container we get no default action for signals.
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    signal.signal(signal.SIGINT, lambda *_: os._exit(0))
    module = importlib.import_module("bank." + sys.argv[1].replace("-", "_"))
    waitress.serve(module.make_app(), host="0.0.0.0", port=8080, threads=32, ident=None, _quiet=True)


main()

"""The only service that writes to the ledger. It trusts no reader: whether an account covers a payment is asked of the ledger."""

import datetime

import psycopg2.errors
from flask import jsonify, request

from bank import rules, seed, settings, tokens
from bank.database import Database
from bank.errors import Refused
from bank.service import make_service

TABLE = """
CREATE TABLE IF NOT EXISTS transactions (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    uuid text UNIQUE NOT NULL,
    from_account char(10) NOT NULL,
    from_routing char(9) NOT NULL,
    to_account char(10) NOT NULL,
    to_routing char(9) NOT NULL,
    cents bigint NOT NULL CHECK (cents > 0),
    at timestamptz NOT NULL
)"""
INSERT = "INSERT INTO transactions (uuid, from_account, from_routing, to_account, to_routing, cents, at) VALUES (%s, %s, %s, %s, %s, %s, %s)"
BALANCE = """
SELECT coalesce(sum(CASE WHEN to_account = %(account)s AND to_routing = %(routing)s THEN cents ELSE 0 END
                  - CASE WHEN from_account = %(account)s AND from_routing = %(routing)s THEN cents ELSE 0 END), 0)
FROM transactions WHERE from_account = %(account)s OR to_account = %(account)s"""


def prepare(cursor):
    cursor.execute(TABLE)
    cursor.execute("CREATE INDEX IF NOT EXISTS transactions_from ON transactions (from_account)")
    cursor.execute("CREATE INDEX IF NOT EXISTS transactions_to ON transactions (to_account)")
    cursor.execute("SELECT EXISTS (SELECT 1 FROM transactions)")
    if not cursor.fetchone()[0]:
        cursor.executemany(INSERT, seed.ledger(settings.SEED_USERS, datetime.datetime.now(datetime.timezone.utc)))


def make_app():
    database = Database("transactions", prepare)
    app = make_service("ledger-writer", lambda: {"database": database.why_not_ready(), "keys": tokens.why_not_ready()})

    @app.post("/transactions")
    def add_transaction():
        row = rules.read_transaction(request.get_json(), tokens.of_caller()["acct"])
        _, account, routing, _, _, cents = row
        try:
            with database.transaction() as cursor:
                if routing == settings.LOCAL_ROUTING:
                    # Two payments at once must not both see the same money.
                    cursor.execute("SELECT pg_advisory_xact_lock(%s)", (int(account),))
                    cursor.execute(BALANCE, {"account": account, "routing": routing})
                    if cursor.fetchone()[0] < cents:
                        raise Refused(400, "insufficient balance")
                cursor.execute(INSERT, (*row, datetime.datetime.now(datetime.timezone.utc)))
        except psycopg2.errors.UniqueViolation:
            raise Refused(400, "duplicate transaction uuid") from None
        return jsonify("ok"), 201

    return app

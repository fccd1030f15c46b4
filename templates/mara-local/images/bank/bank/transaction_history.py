"""What came to an account and what left it, newest first."""

from flask import jsonify

from bank import tokens
from bank.database import Database
from bank.errors import Refused
from bank.service import make_service

SHOWN_MAX = 100
NEWEST = """
SELECT id, from_account, from_routing, to_account, to_routing, cents, at FROM transactions
WHERE from_account = %(account)s OR to_account = %(account)s ORDER BY at DESC, id DESC LIMIT %(limit)s"""


def make_app():
    database = Database("transactions")
    app = make_service("transaction-history", lambda: {"database": database.why_not_ready(), "keys": tokens.why_not_ready()})

    @app.get("/transactions/<account>")
    def get_transactions(account):
        if tokens.of_caller()["acct"] != account:
            raise Refused(403, "this is somebody else's account")
        with database.transaction() as cursor:
            cursor.execute(NEWEST, {"account": account, "limit": SHOWN_MAX})
            rows = cursor.fetchall()
        names = ("transactionId", "fromAccountNum", "fromRoutingNum", "toAccountNum", "toRoutingNum", "amount")
        return jsonify([{**dict(zip(names, row)), "timestamp": row[6].isoformat()} for row in rows])

    return app

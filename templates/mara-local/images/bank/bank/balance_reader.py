"""How much money an account has."""

from flask import jsonify

from bank import settings, tokens
from bank.database import Database
from bank.ledger_writer import BALANCE
from bank.errors import Refused
from bank.service import make_service


def make_app():
    database = Database("transactions")
    app = make_service("balance-reader", lambda: {"database": database.why_not_ready(), "keys": tokens.why_not_ready()})

    @app.get("/balances/<account>")
    def get_balance(account):
        if tokens.of_caller()["acct"] != account:
            raise Refused(403, "this is somebody else's account")
        with database.transaction() as cursor:
            cursor.execute(BALANCE, {"account": account, "routing": settings.LOCAL_ROUTING})
            return jsonify({"balance": int(cursor.fetchone()[0])})

    return app

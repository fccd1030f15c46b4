"""Whom a user has paid before, and the accounts at other banks that deposits come from."""

import psycopg2.errors
from flask import jsonify, request

from bank import rules, seed, settings, tokens
from bank.database import Database
from bank.errors import Refused
from bank.service import make_service

TABLE = """
CREATE TABLE IF NOT EXISTS contacts (
    username text NOT NULL,
    label text NOT NULL,
    account char(10) NOT NULL,
    routing char(9) NOT NULL,
    is_external boolean NOT NULL,
    PRIMARY KEY (username, account, routing)
)"""
INSERT = "INSERT INTO contacts (username, label, account, routing, is_external) VALUES (%s, %s, %s, %s, %s)"


def prepare(cursor):
    cursor.execute(TABLE)
    cursor.execute("SELECT EXISTS (SELECT 1 FROM contacts)")
    if not cursor.fetchone()[0]:
        cursor.executemany(INSERT, seed.contacts(settings.SEED_USERS))


def make_app():
    database = Database("contacts", prepare)
    app = make_service("contacts", lambda: {"database": database.why_not_ready(), "keys": tokens.why_not_ready()})

    def only_for(username):
        if tokens.of_caller()["user"] != username:
            raise Refused(403, "these are somebody else's contacts")

    @app.get("/contacts/<username>")
    def get_contacts(username):
        only_for(username)
        with database.transaction() as cursor:
            cursor.execute("SELECT label, account, routing, is_external FROM contacts WHERE username = %s ORDER BY label", (username,))
            rows = cursor.fetchall()
        return jsonify([{"label": r[0], "account_num": r[1], "routing_num": r[2], "is_external": r[3]} for r in rows])

    @app.post("/contacts/<username>")
    def add_contact(username):
        only_for(username)
        contact = rules.read_contact(request.get_json())
        try:
            with database.transaction() as cursor:
                cursor.execute(INSERT, (username, *contact))
        except psycopg2.errors.UniqueViolation:
            raise Refused(409, "this account is among the contacts already") from None
        return jsonify({}), 201

    return app

"""Who may log in: the only service that sees passwords and holds the key that signs sessions."""

import psycopg2.errors
from flask import jsonify, request

from bank import passwords, rules, seed, settings, tokens
from bank.database import Database
from bank.errors import Refused
from bank.service import make_service

TABLE = """
CREATE TABLE IF NOT EXISTS users (
    username text PRIMARY KEY,
    account char(10) UNIQUE NOT NULL,
    password text NOT NULL,
    first_name text NOT NULL,
    last_name text NOT NULL,
    details jsonb NOT NULL DEFAULT '{}'
)"""
INSERT = "INSERT INTO users (username, account, password, first_name, last_name) VALUES (%s, %s, %s, %s, %s)"


def prepare(cursor):
    cursor.execute(TABLE)
    cursor.execute("CREATE SEQUENCE IF NOT EXISTS new_accounts START 2000000001")
    cursor.execute("SELECT EXISTS (SELECT 1 FROM users)")
    if not cursor.fetchone()[0]:
        rows = [(u.username, u.account, passwords.protect(seed.PASSWORD), u.first_name, u.last_name) for u in seed.users(settings.SEED_USERS)]
        cursor.executemany(INSERT, rows)


def make_app():
    database = Database("users", prepare)
    app = make_service("userservice", lambda: {"database": database.why_not_ready(), "keys": tokens.why_not_ready()})

    @app.post("/login")
    def login():
        with database.transaction() as cursor:
            cursor.execute("SELECT account, password, first_name, last_name FROM users WHERE username = %s", (request.form.get("username", ""),))
            row = cursor.fetchone()
        # One answer for both mistakes: it should not tell which usernames exist.
        if not row or not passwords.matches(request.form.get("password", ""), row[1]):
            raise Refused(401, "wrong username or password")
        return jsonify({"token": tokens.issue(request.form["username"], row[0], f"{row[2]} {row[3]}")})

    @app.post("/users")
    def create_user():
        form = request.form
        reason = rules.why_no_user(form)
        if reason:
            raise Refused(400, reason)
        try:
            with database.transaction() as cursor:
                cursor.execute("SELECT nextval('new_accounts')")
                account = str(cursor.fetchone()[0])
                cursor.execute(INSERT, (form["username"], account, passwords.protect(form["password"]), form["firstname"], form["lastname"]))
        except psycopg2.errors.UniqueViolation:
            raise Refused(409, f"the username {form['username']} is taken") from None
        return jsonify({"username": form["username"], "account": account}), 201

    return app

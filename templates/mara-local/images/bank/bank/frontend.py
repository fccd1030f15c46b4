"""The pages. Keeps nothing itself: everything on them comes from the five services behind."""

import concurrent.futures
import json
import logging
import time
import urllib.parse
import uuid

from flask import redirect, render_template, request

from bank import faults, money, settings, tokens
from bank.backend import BackendError, call, why_not_ready
from bank.service import make_service

log = logging.getLogger("bank")

# The names by which the health endpoint speaks of the services behind.
COMPONENTS = {
    "transactions_api": "ledger-writer",
    "balance_api": "balance-reader",
    "history_api": "transaction-history",
    "user_service_api": "userservice",
    "contacts_api": "contacts",
}

# What one page or one health answer needs is asked for at the same time.
together = concurrent.futures.ThreadPoolExecutor(max_workers=24)


def probe_backends():
    return dict(zip(COMPONENTS, together.map(why_not_ready, COMPONENTS.values())))


def answer_or_none(service, path, token):
    """A page with a gap is better than no page: what cannot be had is None."""
    try:
        return call(service, "GET", path, token)
    except BackendError as error:
        log.warning("GET %s failed: %s", path, error)
        return None


def balance_of(answer):
    field = "amount" if faults.planted("balance_unread") else "balance"
    return None if answer is None else answer.get(field)


def go(page, message=None):
    """Redirect to a page of ours, by an address that works behind the ingress."""
    query = "?" + urllib.parse.urlencode({"msg": message}) if message else ""
    return redirect(f"{settings.SCHEME}://{request.host}/{page}{query}", code=302)


def session():
    """(token, claims) of the caller, or (None, None)."""
    token = request.cookies.get("token", "")
    claims = tokens.read(token) if token else None
    return (token, claims) if claims else (None, None)


def with_session(response, token):
    response.set_cookie("token", token, max_age=settings.SESSION_S, secure=settings.SCHEME == "https", httponly=True, samesite="Lax")
    return response


def page(template, **values):
    return render_template(
        template + ".html", message=request.args.get("msg"), version=settings.VERSION, environment=settings.ENVIRONMENT, show_money=money.show, **values
    )


def add_contact(claims, token, label, account, routing, is_external):
    contact = {"label": label, "account_num": account, "routing_num": routing, "is_external": is_external}
    call("contacts", "POST", "/contacts/" + claims["user"], token, document=contact)


def deposit_source(form):
    """(account, routing, label of a new contact or None) that a deposit comes from."""
    if form.get("account") == "add":
        return form.get("external_account_num", ""), form.get("external_routing_num", ""), form.get("external_label") or None
    chosen = json.loads(form.get("account", ""))
    return chosen["account_num"], chosen["routing_num"], None


def payment_target(form):
    """(account, label of a new contact or None) that a payment goes to."""
    if form.get("account_num") == "add":
        return form.get("contact_account_num", ""), form.get("contact_label") or None
    return form.get("account_num", ""), None


def write_transaction(token, source, target, form):
    cents = money.read_cents(form.get("amount", ""))
    if cents is None:
        raise BackendError("frontend", 400, "invalid amount")
    document = {
        "fromAccountNum": source[0],
        "fromRoutingNum": source[1],
        "toAccountNum": target[0],
        "toRoutingNum": target[1],
        "amount": cents,
        "uuid": form.get("uuid", ""),
    }
    call("ledger-writer", "POST", "/transactions", token, document=document)


def make_app():
    app = make_service("frontend", probe_backends)
    _add_pages(app)
    _add_accounts(app)
    _add_money(app)
    return app


def _add_pages(app):
    @app.before_request
    def be_slow():
        if faults.planted("slow_pages") and not request.path.startswith(("/z/", "/metrics")):
            time.sleep(faults.SLOW_PAGE_S)

    @app.get("/")
    def root():
        return go("home" if session()[1] else "login")

    @app.get("/home")
    def home():
        token, claims = session()
        if not claims:
            return go("login")
        wanted = {
            "balance-reader": "/balances/" + claims["acct"],
            "transaction-history": "/transactions/" + claims["acct"],
            "contacts": "/contacts/" + claims["user"],
        }
        answers = together.map(lambda item: answer_or_none(*item, token), wanted.items())
        balance, history, contacts = answers
        return page(
            "home",
            name=claims.get("name", claims["user"]),
            account=claims["acct"],
            balance=money.show(balance_of(balance)),
            history=history,
            contacts=contacts,
            deposit_uuid=uuid.uuid4(),
            payment_uuid=uuid.uuid4(),
        )


def _add_accounts(app):
    @app.get("/login")
    def login_page():
        return go("home") if session()[1] else page("login")

    @app.post("/login")
    def login():
        form = {"username": request.form.get("username", ""), "password": request.form.get("password", "")}
        try:
            answer = call("userservice", "POST", "/login", form=form)
        except BackendError as error:
            log.warning("login failed: %s", error)
            return go("login", "Login Failed")
        return with_session(go("home"), answer["token"])

    @app.get("/signup")
    def signup_page():
        return go("home") if session()[1] else page("signup")

    @app.post("/signup")
    def signup():
        form = request.form.to_dict()
        try:
            call("userservice", "POST", "/users", form=form)
            answer = call("userservice", "POST", "/login", form={"username": form["username"], "password": form["password"]})
        except BackendError as error:
            log.warning("signup failed: %s", error)
            return go("login", f"Account creation failed: {error.sentence}")
        return with_session(go("home"), answer["token"])

    @app.post("/logout")
    def logout():
        response = go("login")
        response.delete_cookie("token", secure=settings.SCHEME == "https", httponly=True, samesite="Lax")
        return response


def _add_money(app):
    @app.post("/deposit")
    def deposit():
        token, claims = session()
        if not claims:
            return go("login")
        try:
            account, routing, label = deposit_source(request.form)
            if routing == settings.LOCAL_ROUTING:
                return go("home", "Deposit failed: the account must be at another bank")
            if label:
                add_contact(claims, token, label, account, routing, True)
            write_transaction(token, (account, routing), (claims["acct"], settings.LOCAL_ROUTING), request.form)
        except BackendError as error:
            log.warning("deposit failed: %s", error)
            return go("home", f"Deposit failed: {error.sentence}")
        except (ValueError, KeyError, TypeError):
            return go("home", "Deposit failed: no such account")
        return go("home", "Deposit successful")

    @app.post("/payment")
    def payment():
        token, claims = session()
        if not claims:
            return go("login")
        try:
            account, label = payment_target(request.form)
            if label:
                add_contact(claims, token, label, account, settings.LOCAL_ROUTING, False)
            write_transaction(token, (claims["acct"], settings.LOCAL_ROUTING), (account, settings.LOCAL_ROUTING), request.form)
        except BackendError as error:
            log.warning("payment failed: %s", error)
            return go("home", f"Payment failed: {error.sentence}")
        return go("home", "Payment successful")

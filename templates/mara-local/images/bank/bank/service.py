"""What all six services share: health, version and metrics endpoints, and errors as JSON."""

import logging
import sys
import threading
import time

from flask import Flask, Response, g, jsonify, request
from werkzeug.exceptions import HTTPException

from bank import faults, settings
from bank.errors import Refused, Unavailable
from bank.metrics import Metrics

log = logging.getLogger("bank")


def make_service(name, probe_components):
    """A Flask application with the shared endpoints.

    `probe_components()` returns {component: None if it is well, else a sentence}.
    """
    logging.basicConfig(stream=sys.stdout, level=logging.INFO, format="%(asctime)s %(levelname)s " + name + " %(message)s")
    app = Flask(__name__)
    metrics = Metrics(name, settings.VERSION)
    if faults.planted("never_ready"):
        threading.Thread(target=_complain, daemon=True).start()
    _add_health(app, probe_components)
    _add_metrics(app, metrics)
    _add_errors(app)
    log.info("version %s starts", settings.VERSION)
    return app


def _complain():
    while True:
        log.error("not ready: still waiting for its settings from the configuration service")
        time.sleep(2)


def _components(probe_components):
    found = dict(probe_components())
    if faults.planted("never_ready"):
        found["settings"] = "still waiting for the configuration service"
    return found


def _add_health(app, probe_components):
    last_said = {}

    def state(detailed):
        found = _components(probe_components)
        broken = {component: why for component, why in found.items() if why}
        if broken != last_said.get("broken"):
            last_said["broken"] = broken
            log.warning("not ready: %s", broken) if broken else log.info("ready")
        answer = {"status": "DOWN" if broken else "UP"}
        if detailed:
            answer["components"] = {
                component: {"status": "DOWN", "reason": why} if why else {"status": "UP"} for component, why in found.items()
            }
        elif broken:
            answer["broken"] = broken
        return jsonify(answer), 503 if broken else 200

    @app.get("/z/health")
    def health():
        return state(detailed=True)

    @app.get("/z/health/readiness")
    def readiness():
        return state(detailed=False)

    @app.get("/z/health/liveness")
    def liveness():
        return jsonify({"status": "UP"})

    @app.get("/z/version")
    @app.get("/version")
    def version():
        return Response(settings.VERSION + "\n", content_type="text/plain; charset=utf-8")

    @app.get("/z/info")
    def info():
        return jsonify({"version": settings.VERSION, "environment": settings.ENVIRONMENT})


def _add_metrics(app, metrics):
    @app.get("/metrics")
    @app.get("/z/prometheus")
    def show_metrics():
        return Response(metrics.render(), content_type="text/plain; version=0.0.4; charset=utf-8")

    @app.before_request
    def note_start():
        g.started = time.perf_counter()

    @app.after_request
    def note_end(response):
        route = request.url_rule.rule if request.url_rule else "unknown"
        metrics.count(request.method, route, response.status_code, time.perf_counter() - g.started)
        return response


def _add_errors(app):
    @app.errorhandler(Refused)
    def refused(error):
        return jsonify({"error": str(error)}), error.status

    @app.errorhandler(HTTPException)
    def http_error(error):
        return jsonify({"error": error.description}), error.code

    @app.errorhandler(Unavailable)
    def unavailable(error):
        log.error("%s %s failed: %s", request.method, request.path, error)
        return jsonify({"error": str(error)}), 503

    @app.errorhandler(Exception)
    def failed(_):
        log.exception("%s %s failed", request.method, request.path)
        return jsonify({"error": "this service made a mistake; its log has it"}), 500

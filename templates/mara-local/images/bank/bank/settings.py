"""What a service is told by its process environment; files are read when they are needed."""

import os

VERSION = os.environ.get("BANK_VERSION", "development")
ENVIRONMENT = os.environ.get("BANK_ENVIRONMENT", "local")
SCHEME = os.environ.get("SCHEME", "https")
LOCAL_ROUTING = os.environ.get("LOCAL_ROUTING_NUM", "883745000")
SEED_USERS = int(os.environ.get("SEED_USERS", "10"))
BACKEND_TIMEOUT_S = float(os.environ.get("BACKEND_TIMEOUT", "4"))
SESSION_S = 3600

DATABASE_HOST = os.environ.get("DATABASE_HOST", "")
DATABASE_NAME = os.environ.get("DATABASE_NAME", "")
DATABASE_PASSWORD_FILE = os.environ.get("DATABASE_PASSWORD_FILE", "")
PRIVATE_KEY_FILE = os.environ.get("PRIVATE_KEY_FILE", "/run/bank/private/jwt.pem")
PUBLIC_KEY_FILE = os.environ.get("PUBLIC_KEY_FILE", "/run/bank/public/jwt.pem")


def address(service):
    """host:port of another service, by its name in the environment."""
    variable = service.upper().replace("-", "_") + "_ADDRESS"
    return os.environ.get(variable, service + ":8080")

"""Connections to a service's own database, kept and used again."""

import contextlib
import logging
import queue
import threading
import time

import psycopg2

from bank import settings
from bank.errors import Unavailable

log = logging.getLogger("bank")


def _first_line(error):
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


class Database:
    """`prepare(cursor)`, if given, makes tables and first rows; until it has succeeded the service is not ready."""

    def __init__(self, table, prepare=None):
        self._table = table
        self._prepare = prepare
        self._idle = queue.LifoQueue()
        self._prepared = prepare is None
        if prepare:
            threading.Thread(target=self._prepare_until_done, daemon=True).start()

    @contextlib.contextmanager
    def transaction(self):
        """A cursor; committed at the end, rolled back on an exception. Unavailable if the database cannot do it."""
        try:
            connection = self._take()
            with connection, connection.cursor() as cursor:
                yield cursor
        except (psycopg2.OperationalError, psycopg2.InterfaceError, OSError) as error:
            # Nothing is known of this connection any more: it is dropped with the last reference to it.
            raise Unavailable(f"{settings.DATABASE_HOST}: {_first_line(error)}") from error
        except Exception:
            self._idle.put(connection)
            raise
        self._idle.put(connection)

    def why_not_ready(self):
        """None, or a sentence: for the health endpoints."""
        try:
            if not self._prepared:
                return f"{settings.DATABASE_HOST} has not been prepared"
            with self.transaction() as cursor:
                cursor.execute("SELECT to_regclass(%s) IS NOT NULL", (self._table,))
                return None if cursor.fetchone()[0] else f"{settings.DATABASE_HOST} has no table {self._table} yet"
        except Unavailable as error:
            return str(error)
        except psycopg2.Error as error:
            return f"{settings.DATABASE_HOST}: {_first_line(error)}"

    def _take(self):
        # After a restart of the database every kept connection is dead: drop them until one answers.
        while True:
            try:
                connection = self._idle.get_nowait()
            except queue.Empty:
                return self._connect()
            try:
                with connection, connection.cursor() as cursor:
                    cursor.execute("SELECT 1")
                return connection
            except psycopg2.Error:
                connection.close()

    def _connect(self):
        with open(settings.DATABASE_PASSWORD_FILE, encoding="ascii") as file:
            password = file.read().strip()
        return psycopg2.connect(
            host=settings.DATABASE_HOST,
            dbname=settings.DATABASE_NAME,
            user=settings.DATABASE_NAME,
            password=password,
            connect_timeout=3,
            options="-c statement_timeout=3000",
        )

    def _prepare_until_done(self):
        pause_s = 0.05
        while True:
            try:
                with self.transaction() as cursor:
                    # One at a time, should somebody run two of us.
                    cursor.execute("SELECT pg_advisory_xact_lock(7001)")
                    self._prepare(cursor)
                self._prepared = True
                return
            except (Unavailable, psycopg2.Error) as error:
                log.info("waiting: %s", error)
                time.sleep(pause_s)
                pause_s = min(pause_s * 2, 1.0)

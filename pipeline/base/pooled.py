"""Sessions that a pooler lends for a transaction: each brings its settings itself."""

from __future__ import annotations

from typing import Any

from psycopg2.extensions import TRANSACTION_STATUS_IDLE
from psycopg2.extensions import connection as Connection
from psycopg2.extensions import cursor as Cursor


class PooledConnection(Connection):
    """A connection that begins each transaction with `begins_with`, where that is not empty.

    A pooler (PgBouncer with pool_mode = transaction) may run each on another session of the
    server: what ours has set is not set there, and what is set there is somebody else's.
    In autocommit a statement runs as that session is.
    """

    begins_with = ""

    def cursor(self, *arguments: Any, **options: Any) -> Any:
        """As psycopg2's own, of any class."""
        if self.begins_with:
            wanted = options.get("cursor_factory") or Cursor
            options["cursor_factory"] = type("PooledCursor", (_Beginning, wanted), {})
        return super().cursor(*arguments, **options)


class _Beginning(Cursor):
    def execute(self, query: Any, vars: Any = None) -> None:
        self._begin()
        super().execute(query, vars)

    def copy_expert(self, sql: Any, file: Any, size: int = 8192) -> None:
        self._begin()
        super().copy_expert(sql, file, size)

    def _begin(self) -> None:
        connection = self.connection
        if connection.autocommit or connection.info.transaction_status != TRANSACTION_STATUS_IDLE:
            return
        assert isinstance(connection, PooledConnection)
        with Connection.cursor(connection) as cursor:
            # SET takes no snapshot: the statement that follows still opens the one it is read in.
            cursor.execute(connection.begins_with)

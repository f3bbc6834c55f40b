"""The demonstration: a throw-away PostgreSQL, and a generated shop that trades on it."""

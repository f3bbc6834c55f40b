"""dlt carrying the same rows: python -m bench.with_dlt OLTP-URL OLAP-URL, as a process of its own.

It merges the view bench.movimientos into one table by its primary key, and values nothing.
"""

from __future__ import annotations

import os
import sys
import tempfile


def carry(oltp: str, olap: str) -> None:
    """Extract with pyarrow, normalize, and merge into the dataset dlt_bench. Both are URLs."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ |= {
            # Its state and its settings, so that no other run of dlt has a say.
            "DLT_DATA_DIR": folder,
            "RUNTIME__DLTHUB_TELEMETRY": "false",
            "RUNTIME__LOG_LEVEL": "ERROR",
        }
        import dlt
        from dlt.sources.sql_database import sql_table

        movements = sql_table(
            credentials=oltp,
            table="movimientos",
            schema="bench",
            backend="pyarrow",
            primary_key="id_movimiento",
            write_disposition="merge",
        )
        carrier = dlt.pipeline(
            "bench",
            destination=dlt.destinations.postgres(credentials=olap),
            dataset_name="dlt_bench",
            pipelines_dir=folder,
        )
        carrier.run(movements).raise_on_failed_jobs()


if __name__ == "__main__":
    carry(*sys.argv[1:])

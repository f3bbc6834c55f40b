from pathlib import Path


def read_bench_sql(n):
    return (Path(__file__).parent / "sql" / n).read_text()

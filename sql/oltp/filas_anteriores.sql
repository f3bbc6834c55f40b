-- Whether a partition that is new to us holds row versions of before the last horizon: it was
-- attached with them. Read by itself, or through its root where that alone may be read.
SELECT EXISTS (
    SELECT FROM {table} AS t
    WHERE t.tableoid = {oid}::oid
        AND NOT coalesce(age(t.xmin) BETWEEN 0 AND age({horizon}::xid8::xid), false)
)

"""Superset: the dashboards of superset/ are packed, imported and read back; caches are renewed."""

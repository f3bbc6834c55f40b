"""Reading the shop: one snapshot, its queries, and how PostgreSQL would read them."""

"""The tables of the systems that recipes are shipped for, as far as the recipes name them."""

from __future__ import annotations

TRYTON = """
ir_configuration: series varchar
ir_translation: id int4, type varchar, name varchar, res_id int4, lang varchar, value text,
    fuzzy bool
company_company: id int4, currency int4
currency_currency_rate: id int4, currency int4, date date, rate numeric
product_product: id int4, code varchar, template int4, active bool
product_template: id int4, name varchar, type varchar, active bool, default_uom int4
product_category: id int4, name varchar, accounting bool
product_template-product_category: id int4, template int4, category int4
product_uom: id int4, factor float8
stock_location: id int4, name varchar, type varchar, left int4, right int4
stock_move: id int4, company int4, product int4, from_location int4, to_location int4,
    quantity float8, internal_quantity float8, unit int4, unit_price numeric, currency int4,
    effective_date date, state varchar, origin varchar, shipment varchar
stock_shipment_in: id int4, number varchar
stock_shipment_in_return: id int4, number varchar
stock_shipment_out: id int4, number varchar
stock_shipment_out_return: id int4, number varchar
stock_shipment_internal: id int4, number varchar
stock_inventory: id int4, number varchar
stock_inventory_line: id int4, inventory int4
sale_sale: id int4, origin varchar
sale_line: id int4, sale int4, product int4
purchase_purchase: id int4, origin varchar
purchase_line: id int4, purchase int4, product int4
"""
OSCAR = """
django_migrations: id int8, app varchar, name varchar
order_order: id int4, number varchar, date_placed timestamptz, status varchar
order_line: id int4, order_id int4, partner_sku varchar, upc varchar, title varchar, quantity int4,
    unit_price_excl_tax numeric, line_price_excl_tax numeric, status varchar
partner_stockrecord: id int4, partner_sku varchar, product_id int4, num_in_stock int4,
    num_allocated int4
catalogue_product: id int4, upc varchar, title varchar, parent_id int4, product_class_id int4
catalogue_productclass: id int4, track_stock bool
catalogue_productcategory: id int4, product_id int4, category_id int4
catalogue_category: id int4, name varchar
"""
OSCAR_4_2 = """
INSERT INTO {schema}.django_migrations (app, name) VALUES
    ('catalogue', '0032_category_exclude_from_menu_category_long_description'),
    ('order', '0021_billingaddress_code_shippingaddress_code'),
    ('partner', '0007_partneraddress_code')
"""
CELERP = """
instance_meta: key varchar, value text
companies: id uuid, settings json, created_at timestamptz
locations: id uuid, company_id uuid, name text
ledger: id int4, company_id uuid, entity_id text, event_type varchar, data json, source varchar,
    metadata json, ts timestamptz
projections: entity_id text, company_id uuid, entity_type varchar, state json
"""
MEDUSA = """
fulfillment: id text, location_id text, canceled_at timestamptz, created_at timestamptz,
    deleted_at timestamptz
fulfillment_item: id text, quantity numeric, line_item_id text, inventory_item_id text,
    fulfillment_id text, deleted_at timestamptz
inventory_item: id text, deleted_at timestamptz, sku text, title text, metadata jsonb
inventory_level: id text, deleted_at timestamptz, inventory_item_id text, location_id text,
    stocked_quantity numeric
mikro_orm_migrations: name varchar
order: id text, display_id int4, version int4, currency_code text, custom_display_id text
order_change: id text, order_id text, status text, confirmed_at timestamptz,
    deleted_at timestamptz, return_id text
order_change_action: id text, order_id text, ordering int8, order_change_id text,
    reference_id text, action text, details jsonb, deleted_at timestamptz, return_id text
order_fulfillment: order_id varchar, fulfillment_id varchar, deleted_at timestamptz
order_item: version int4, item_id text, quantity numeric, deleted_at timestamptz,
    unit_price numeric
order_line_item: id text, variant_id text, is_tax_inclusive bool, unit_price numeric
order_line_item_adjustment: amount numeric, item_id text, deleted_at timestamptz,
    is_tax_inclusive bool, version int4
order_line_item_tax_line: rate numeric, item_id text, deleted_at timestamptz
product: id text, title text, deleted_at timestamptz
product_category: id text, name text
product_category_product: product_id text, product_category_id text
product_variant: id text, title text, sku text, manage_inventory bool, product_id text,
    deleted_at timestamptz
product_variant_inventory_item: variant_id varchar, inventory_item_id varchar, id varchar,
    required_quantity numeric, created_at timestamptz, deleted_at timestamptz
return: id text, location_id text
stock_location: id text, name text
store: id text
store_currency: id text, currency_code text, is_default bool, deleted_at timestamptz
"""


def tables_of(system: str, schema: str = "public") -> str:
    """The statements that make the tables of such a list in a schema."""
    made = [f"CREATE SCHEMA IF NOT EXISTS {schema}"]
    for line in system.replace("\n   ", "").strip().splitlines():
        name, _, columns = line.partition(": ")
        told = ", ".join(
            '"{}" {}'.format(*column.strip().split(" ", 1)) for column in columns.split(",")
        )
        made.append(f'CREATE TABLE {schema}."{name}" ({told})')
    return "; ".join(made)

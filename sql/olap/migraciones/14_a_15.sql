-- What a shop that uses none of it pays for closings and adjustments, and what these lacked.
-- Functions whose signature changed are made anew by init.
ALTER TABLE dw.producto ADD COLUMN IF NOT EXISTS proveedor text;
ALTER TABLE etl.etapa_producto ADD COLUMN IF NOT EXISTS proveedor text;

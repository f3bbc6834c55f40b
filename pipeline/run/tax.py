"""What is said where nobody has said which tax rate the shop's prices have within."""

from __future__ import annotations

from pipeline.translation import mark as N_

UNSAID = N_("nobody has said which tax rate the prices have within: net sales and margin count 0")
SAY_IT = N_(
    "say it in the OLAP, as its administrator, 0 if there is none: UPDATE dw.politica_precio "
    "SET impuesto = 0.18 WHERE id_producto IS NULL AND categoria IS NULL AND desde IS NULL"
)

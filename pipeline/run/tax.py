"""What is said where nobody has said which tax rate the shop's prices have within."""

from __future__ import annotations

from pipeline.translation import mark as N_

UNSAID = N_("nobody has said the tax rate of the prices: net sales and margin count 0")
# Of all rows: none has a rate.
SAY_IT = N_("say it in the OLAP, 0 if there is none: UPDATE dw.politica_precio SET impuesto = 0.18")

-- verify: of which document a movement is a line, as etl.huella_de_documento() has it.
record_send(ROW(
    c.id_movimiento, c.id_documento, {documento}, {clave}, {clave_documento}
))

-- Nothing here is for everybody: what a role may call was granted where it is defined.

REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA etl, dw FROM PUBLIC;

-- verify: the fingerprint of a content, as etl.huella() makes it; but for the sign.
CASE
    WHEN {hashed} THEN hash_record_extended(ROW({content}), 0) & 9223372036854775807
    ELSE ('x' || left(md5({content}), 15))::bit(60)::bigint
END

-- verify: how many products there are, and the sum of their fingerprints.
SELECT count(*) || '-' || coalesce(sum(h.huella), 0)
FROM (
{fingerprints}
) AS h

-- What init made of version 17 becomes what it makes today.
SELECT 1;

-- What init made of version 16 becomes what it makes today.
SELECT 1;

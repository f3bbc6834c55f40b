-- What init made of version 15 becomes what it makes today.
SELECT 1;

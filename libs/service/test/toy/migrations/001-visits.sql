CREATE TABLE visits (id text PRIMARY KEY);

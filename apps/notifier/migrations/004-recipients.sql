-- Of a mail: which recipients have got it and which were refused for good, so that the next attempt is for the others.
ALTER TABLE notifications ADD COLUMN recipients json;

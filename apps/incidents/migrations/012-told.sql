-- Whom the messages of an incident go to: its monitor's channels when it opened, and those that were added while it was
-- open. An array of their identifiers. Null: opened by a version that did not note it, so the monitor's channels count.
ALTER TABLE incidents ADD COLUMN told json;

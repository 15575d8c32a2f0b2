-- Which channels are reminded of an incident whose monitor's channels changed while it was open, by the newest revision of
-- the monitor that was heard of. No row: all that heard the opening.
CREATE TABLE reminded (
  incident_id uuid PRIMARY KEY,
  revision integer NOT NULL,
  channels uuid[] NOT NULL
);

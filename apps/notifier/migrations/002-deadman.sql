-- The dead man's switch: one row that whoever holds its lease writes, so that the next holder knows when the last call
-- was, every instance can show it, and each look proves that the record takes writes.
CREATE TABLE deadman (
  one boolean PRIMARY KEY DEFAULT true CHECK (one),
  looked_at timestamptz(3) NOT NULL,
  called_at timestamptz(3),
  -- Why no call was made at the last look: an array of texts.
  missing json NOT NULL
);

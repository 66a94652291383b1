-- detection: what the detectors and the tables of known devices found in the pixels ------------------------------
-- All of it can be remade from the sources. A row is written with its regions, in one transaction.
CREATE TABLE image_checks (
  instance_id INTEGER PRIMARY KEY REFERENCES instances (id) ON DELETE CASCADE,
  checked_with TEXT NOT NULL,                 -- digest of the file's identity, the detectors and their settings
  failure TEXT,                               -- errors.Reason, where the pixels could not be looked at
  risk TEXT NOT NULL,                         -- detection.risk.Risk
  original_device TEXT NOT NULL,              -- whom a mask for a whole device is meant for
  height INTEGER NOT NULL, width INTEGER NOT NULL, frames INTEGER NOT NULL,
  regions_digest TEXT NOT NULL                -- of the regions: what a person's decision was about
) WITHOUT ROWID;

CREATE TABLE text_regions (
  instance_id INTEGER NOT NULL REFERENCES image_checks (instance_id) ON DELETE CASCADE,
  number INTEGER NOT NULL,
  top INTEGER NOT NULL, "left" INTEGER NOT NULL, bottom INTEGER NOT NULL, "right" INTEGER NOT NULL,
  frame INTEGER,                              -- counts from 0; NULL: every frame
  engine TEXT NOT NULL,                       -- a detector's label, or 'device', 'ultrasound-regions'
  confidence REAL NOT NULL,
  is_strong INTEGER NOT NULL,                 -- 0: for a reviewer's eyes only
  original_text TEXT NOT NULL,
  PRIMARY KEY (instance_id, number)
) WITHOUT ROWID;

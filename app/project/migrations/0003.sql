-- geometry, for the checks of a series; written by the scan -----------------------------------------------------
ALTER TABLE instances ADD COLUMN volume_key TEXT;          -- what tells the volumes of a series apart; '' where nothing does
ALTER TABLE instances ADD COLUMN acquired_s REAL;          -- time of the acquisition, seconds of the day
ALTER TABLE instances ADD COLUMN frame_positions_mm TEXT;  -- JSON list, of a multi-frame object whose frames have positions
ALTER TABLE instances ADD COLUMN pixel_fault TEXT;         -- errors.Reason, where the length of the pixels is wrong

-- Files that can't be used though it is known to which series they belong.
CREATE TABLE damaged_instances (
  file_id INTEGER PRIMARY KEY REFERENCES files (id) ON DELETE CASCADE,
  original_study_uid TEXT NOT NULL, original_series_uid TEXT NOT NULL
);
CREATE INDEX damaged_instances_by_series ON damaged_instances (original_series_uid);

-- checks ----------------------------------------------------------------------------------------------------------
CREATE TABLE series_checks (                  -- a series that was checked since it last changed
  series_id INTEGER PRIMARY KEY REFERENCES series (id) ON DELETE CASCADE,
  checked_with TEXT NOT NULL,                 -- digest of the protocol's checks and of the checks' own version
  body_part TEXT, body_part_confidence REAL,  -- checks.body_parts; NULL where nothing speaks for one
  phase TEXT, phase_confidence REAL           -- protocol.checks.Phase
);

CREATE TABLE series_findings (
  series_id INTEGER NOT NULL REFERENCES series_checks (series_id) ON DELETE CASCADE,
  code TEXT NOT NULL,                         -- of a sentence in app.text.check_words
  check_name TEXT NOT NULL,                   -- protocol.checks.CheckName
  severity TEXT NOT NULL,                     -- 'exclude' or 'warn'
  original_fields TEXT NOT NULL,              -- JSON object: what the sentence names
  PRIMARY KEY (series_id, code)
) WITHOUT ROWID;

-- cohorts: made anew by every selection ------------------------------------------------------------------------------
CREATE TABLE study_groups (                   -- a study is in the first group that it fits
  patient_id INTEGER NOT NULL REFERENCES patients (id) ON DELETE CASCADE,
  original_study_uid TEXT NOT NULL,
  group_name TEXT NOT NULL,                   -- of the protocol
  is_drawn INTEGER NOT NULL,                  -- 0: it fits, and others were drawn
  PRIMARY KEY (patient_id, original_study_uid)
) WITHOUT ROWID;

CREATE TABLE study_labels (
  patient_id INTEGER NOT NULL REFERENCES patients (id) ON DELETE CASCADE,
  original_study_uid TEXT NOT NULL,
  name TEXT NOT NULL,                         -- of the protocol's label schema
  value TEXT NOT NULL,                        -- one of its categories, or a number in its range
  PRIMARY KEY (patient_id, original_study_uid, name)
) WITHOUT ROWID;

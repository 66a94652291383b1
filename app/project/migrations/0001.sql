-- Facts that the steps leave for each other. All of it can be remade from the sources, the crosswalk apart.
-- A column whose name starts with original_ may hold PHI.

CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;

CREATE TABLE runs (
  id INTEGER PRIMARY KEY, step TEXT NOT NULL, started TEXT NOT NULL, finished TEXT, counts TEXT
);

-- catalog ------------------------------------------------------------------------------------------------------
CREATE TABLE sources (id INTEGER PRIMARY KEY, kind TEXT NOT NULL, original_path TEXT NOT NULL UNIQUE);

CREATE TABLE files (
  id INTEGER PRIMARY KEY,
  source_id INTEGER NOT NULL REFERENCES sources (id),
  original_locator TEXT NOT NULL UNIQUE,      -- files.locator: JSON list, path then archive members
  size INTEGER NOT NULL,                      -- bytes; of the member, for an archive member
  mtime_ns INTEGER NOT NULL,                  -- of the outermost file
  verdict TEXT NOT NULL,                      -- 'instance', 'skipped' (not imaging data, with reason), 'unreadable'
  reason TEXT,                                -- errors.Reason, when not an instance
  seen_run INTEGER NOT NULL REFERENCES runs (id)
);
CREATE INDEX files_by_source ON files (source_id, seen_run);

CREATE TABLE patients (
  id INTEGER PRIMARY KEY,
  original_key TEXT NOT NULL UNIQUE           -- patient ID and issuer; for a blank ID, the study's or the file's own key
);

-- Whatever identifies a patient, as found in the headers: looked for in all that is kept.
CREATE TABLE identities (
  patient_id INTEGER NOT NULL REFERENCES patients (id),
  kind TEXT NOT NULL,                         -- dicom.identity.IdentityKind
  original_value TEXT NOT NULL,
  PRIMARY KEY (patient_id, kind, original_value)
) WITHOUT ROWID;

-- The queryable attributes of an instance; the instances of a series mostly share one row.
CREATE TABLE attribute_sets (
  id INTEGER PRIMARY KEY, digest TEXT NOT NULL UNIQUE,
  original_attributes TEXT NOT NULL           -- JSON object keyword -> number, text or list; absent where not in the file
);

CREATE TABLE series (
  id INTEGER PRIMARY KEY,
  patient_id INTEGER NOT NULL REFERENCES patients (id),
  original_study_uid TEXT NOT NULL,
  original_series_uid TEXT NOT NULL,
  facts TEXT,                                 -- JSON object: derived facts (selection.facts), NULL until derived
  UNIQUE (patient_id, original_study_uid, original_series_uid)
);

CREATE TABLE instances (
  id INTEGER PRIMARY KEY,
  file_id INTEGER NOT NULL UNIQUE REFERENCES files (id) ON DELETE CASCADE,
  series_id INTEGER NOT NULL REFERENCES series (id),
  attribute_set_id INTEGER NOT NULL REFERENCES attribute_sets (id),
  original_sop_instance_uid TEXT NOT NULL,
  sop_class_uid TEXT NOT NULL,
  transfer_syntax_uid TEXT NOT NULL,
  instance_number INTEGER,
  slice_position_mm REAL,                     -- projection of Image Position (Patient) on the slice normal
  reason TEXT,                                -- 'duplicate' or 'conflict' (errors.Reason); NULL when the instance counts
  -- selection
  selected INTEGER,                           -- NULL until select has run, then 0 or 1
  -- deid (prepare)
  state TEXT,                                 -- NULL until prepared, then 'prepared' or 'held-back'
  state_reason TEXT,                          -- errors.Reason, when held back
  prepared_with TEXT,                         -- digest of the recipe that prepared it
  released_size INTEGER                       -- upper bound of the released file's size, bytes
);
CREATE INDEX instances_by_series ON instances (series_id);
CREATE INDEX instances_by_attribute_set ON instances (attribute_set_id);
CREATE INDEX instances_by_sop ON instances (original_sop_instance_uid);

-- selection ----------------------------------------------------------------------------------------------------
CREATE TABLE exclusions (                     -- why instances of a series are not selected
  series_id INTEGER NOT NULL REFERENCES series (id) ON DELETE CASCADE,
  original_explanation TEXT NOT NULL,         -- "SliceThickness 5.0 > 1.0"
  instances INTEGER NOT NULL,
  PRIMARY KEY (series_id, original_explanation)
) WITHOUT ROWID;

-- deid ---------------------------------------------------------------------------------------------------------
-- One row for each thing that would leave, for each batch of instances of one patient.
CREATE TABLE released_values (
  batch TEXT NOT NULL,                        -- "series_id:chunk"; a batch is replaced as a whole
  patient_id INTEGER NOT NULL,
  path TEXT NOT NULL,                         -- dicom.tagpath text form
  vr TEXT NOT NULL,
  fold TEXT NOT NULL,                         -- '' for text, or 'number', 'uid', 'date', 'time', 'binary', 'code': one row a path
  value TEXT NOT NULL,                        -- the released value; '' when folded
  low TEXT, high TEXT,                        -- range of a folded number, date or time
  count INTEGER NOT NULL,
  example_instance_id INTEGER NOT NULL,
  identity_hit INTEGER NOT NULL DEFAULT 0,    -- 1: part of this patient's known identity
  PRIMARY KEY (batch, path, fold, value)
) WITHOUT ROWID;

CREATE TABLE dropped_words (
  batch TEXT NOT NULL, patient_id INTEGER NOT NULL, original_word TEXT NOT NULL, count INTEGER NOT NULL,
  PRIMARY KEY (batch, original_word)
) WITHOUT ROWID;

-- What became of each attribute: the report's table, and what (0012,0064) is derived from.
CREATE TABLE applied_actions (
  batch TEXT NOT NULL, path TEXT NOT NULL, action TEXT NOT NULL, reason TEXT NOT NULL, count INTEGER NOT NULL,
  PRIMARY KEY (batch, path, action, reason)
) WITHOUT ROWID;

-- The way back. original_encrypted is Fernet under a key derived from secret.key; lookup is a keyed hash.
CREATE TABLE crosswalk (
  kind TEXT NOT NULL,                         -- 'patient', 'accession', 'uid', 'shift'
  lookup BLOB NOT NULL,
  original_encrypted BLOB NOT NULL,
  released TEXT NOT NULL,
  PRIMARY KEY (kind, lookup)
) WITHOUT ROWID;

-- bundle -------------------------------------------------------------------------------------------------------
CREATE TABLE parts (
  number INTEGER PRIMARY KEY,
  plan_digest TEXT NOT NULL,                  -- of everything that the part's bytes depend on
  file_name TEXT NOT NULL,
  size INTEGER NOT NULL,
  sha256 TEXT NOT NULL,
  instances INTEGER NOT NULL
);

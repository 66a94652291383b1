-- dataset: what was found about what would leave as a whole; made anew by every check ------------------------------
CREATE TABLE dataset_findings (
  kind TEXT NOT NULL,                         -- project.dataset.FindingKind
  key TEXT NOT NULL,                          -- what it is about: an attribute's path, a patient's keyed digest, a series UID
  seen TEXT NOT NULL,                         -- digest of what a person is shown; a decision carries it
  blocks INTEGER NOT NULL,                    -- 1: the sign-off waits for a decision
  details TEXT NOT NULL,                      -- JSON object: the figures that its sentence names
  original_members TEXT NOT NULL,             -- JSON list: study or series UIDs that it is about
  PRIMARY KEY (kind, key)
) WITHOUT ROWID;

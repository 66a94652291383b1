-- defacing: series whose face was taken out, and the pixels that changed; made anew whenever a file of the series did --
CREATE TABLE defacings (
  series_id INTEGER PRIMARY KEY REFERENCES series (id) ON DELETE CASCADE,
  made_with TEXT NOT NULL,                    -- project.defacings.series_digest
  failure TEXT,                               -- why it was refused; NULL where it was done
  surface_changed REAL,                       -- share of the face's skin that moved by more than a millimetre
  height INTEGER, width INTEGER,              -- of the two pictures
  original_before BLOB, after BLOB            -- the face as a grey relief, a byte a pixel
);

CREATE TABLE pixel_edits (                    -- one for every image of a defaced series, also where nothing changed
  instance_id INTEGER PRIMARY KEY REFERENCES instances (id) ON DELETE CASCADE,
  edit BLOB NOT NULL                          -- pixels.edits
);

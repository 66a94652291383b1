-- detection: the pixels that were looked through, so that an export needs no pass of its own to know them again ---------
CREATE TABLE pixel_digests (                    -- none where they could not be read to their end
  instance_id INTEGER PRIMARY KEY REFERENCES image_checks (instance_id) ON DELETE CASCADE,
  sha256 TEXT NOT NULL,                         -- of the pixel element's value as it leaves where nothing is masked
  crc32 INTEGER NOT NULL
) WITHOUT ROWID;

/**
 * The SQLite schema, step by step. A step that was ever released is never changed:
 * the database's user_version counts the steps it has taken.
 *
 * Key ids, keys and hashes are raw bytes; times are Unix seconds. References are
 * checked after the last step.
 */
export const MIGRATIONS = [
  `
  CREATE TABLE device (
    kid           BLOB PRIMARY KEY CHECK (length(kid) = 8),
    public_key    BLOB NOT NULL UNIQUE CHECK (length(public_key) = 65),
    thumbprint    BLOB NOT NULL CHECK (length(thumbprint) = 32),
    name          TEXT,
    registered_at INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;

  -- One row per accepted session message. It outlives its readings: it says which
  -- counters are spent, and by which message.
  CREATE TABLE session (
    device       BLOB NOT NULL REFERENCES device (kid),
    counter      INTEGER NOT NULL CHECK (counter >= 1),
    sealed_key   BLOB NOT NULL,
    base_iv      BLOB NOT NULL CHECK (length(base_iv) = 12),
    hash         BLOB NOT NULL CHECK (length(hash) = 32),
    receipts     INTEGER NOT NULL DEFAULT 0,
    committed_at INTEGER NOT NULL,
    PRIMARY KEY (device, counter),
    UNIQUE (device, hash)
  ) STRICT, WITHOUT ROWID;

  -- The replay state and the reading are one row: stored together or not at all.
  CREATE TABLE reading (
    device      BLOB NOT NULL,
    session     INTEGER NOT NULL,
    sequence    INTEGER NOT NULL CHECK (sequence >= 1),
    received_at INTEGER NOT NULL,
    PRIMARY KEY (device, session, sequence),
    FOREIGN KEY (device, session) REFERENCES session (device, counter)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE record (
    device   BLOB NOT NULL,
    session  INTEGER NOT NULL,
    sequence INTEGER NOT NULL,
    position INTEGER NOT NULL,
    name     TEXT NOT NULL,
    unit     TEXT,
    value    REAL,
    truth    INTEGER CHECK (truth IN (0, 1)),
    time     INTEGER,
    CHECK ((value IS NULL) <> (truth IS NULL)),
    PRIMARY KEY (device, session, sequence, position),
    FOREIGN KEY (device, session, sequence) REFERENCES reading (device, session, sequence)
  ) STRICT, WITHOUT ROWID;

  -- A random key, sealed as session keys are: tells at the start whether the
  -- key-encryption key at hand is the one that this database needs.
  CREATE TABLE key_check (
    only_row   INTEGER PRIMARY KEY CHECK (only_row = 1),
    sealed_key BLOB NOT NULL
  ) STRICT;

  CREATE TABLE refusal (
    reason   TEXT PRIMARY KEY,
    count    INTEGER NOT NULL,
    last_class TEXT,
    last_kid BLOB,
    last_at  INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  `,
  `
  -- One row per signed message, whatever its class: which counters of a device are spent,
  -- and by which message. It outlives what the message held.
  CREATE TABLE signed_message (
    device  BLOB NOT NULL REFERENCES device (kid),
    counter INTEGER NOT NULL CHECK (counter BETWEEN 1 AND 4294967295),
    hash    BLOB NOT NULL CHECK (length(hash) = 32),
    PRIMARY KEY (device, counter),
    UNIQUE (device, hash)
  ) STRICT, WITHOUT ROWID;
  INSERT INTO signed_message (device, counter, hash) SELECT device, counter, hash FROM session;

  -- The session without its hash, which is in signed_message now.
  CREATE TABLE new_session (
    device       BLOB NOT NULL,
    counter      INTEGER NOT NULL,
    sealed_key   BLOB NOT NULL,
    base_iv      BLOB NOT NULL CHECK (length(base_iv) = 12),
    receipts     INTEGER NOT NULL DEFAULT 0,
    committed_at INTEGER NOT NULL,
    PRIMARY KEY (device, counter),
    FOREIGN KEY (device, counter) REFERENCES signed_message (device, counter)
  ) STRICT, WITHOUT ROWID;
  INSERT INTO new_session (device, counter, sealed_key, base_iv, receipts, committed_at)
    SELECT device, counter, sealed_key, base_iv, receipts, committed_at FROM session;
  DROP TABLE session;
  ALTER TABLE new_session RENAME TO session;

  CREATE TABLE event (
    device      BLOB NOT NULL,
    counter     INTEGER NOT NULL,
    received_at INTEGER NOT NULL,
    -- The SenML pack.
    payload     BLOB NOT NULL,
    PRIMARY KEY (device, counter),
    FOREIGN KEY (device, counter) REFERENCES signed_message (device, counter)
  ) STRICT, WITHOUT ROWID;
  `,
];

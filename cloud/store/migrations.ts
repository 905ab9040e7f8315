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
  `
  -- Seconds since boot, of a reading that carries no time.
  ALTER TABLE reading ADD COLUMN uptime INTEGER CHECK (uptime >= 0);
  UPDATE reading SET uptime =
    (SELECT value FROM record WHERE record.device = reading.device
       AND record.session = reading.session AND record.sequence = reading.sequence
       AND name = 'uptime' AND time IS NULL AND value BETWEEN 0 AND 9007199254740991
       AND value = CAST(value AS INTEGER)
     ORDER BY position LIMIT 1);

  -- What the event of this counter says of its boot: all readings of its sessions without a
  -- time, up to the last sequence number of the last session, are of that boot.
  CREATE TABLE boot_report (
    device        BLOB NOT NULL,
    counter       INTEGER NOT NULL,
    first_session INTEGER NOT NULL,
    last_session  INTEGER NOT NULL,
    last_sequence INTEGER NOT NULL,
    uptime        INTEGER NOT NULL,
    time          INTEGER NOT NULL,
    PRIMARY KEY (device, counter),
    FOREIGN KEY (device, counter) REFERENCES event (device, counter)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX boot_report_end ON boot_report (device, last_session, last_sequence);

  -- Every record with the best time that is known by now. Of several reports that cover a
  -- reading the one that ends first is the nearest.
  CREATE VIEW measurement AS
    SELECT record.device, record.session, record.sequence, record.position,
      record.name, record.unit, record.value, record.truth,
      coalesce(record.time, report.time - (report.uptime - reading.uptime), reading.received_at)
        AS time,
      CASE WHEN record.time IS NOT NULL THEN 'device'
           WHEN report.counter IS NOT NULL THEN 'boot-report'
           ELSE 'arrival' END AS time_from,
      report.counter AS report
    FROM record
    JOIN reading USING (device, session, sequence)
    LEFT JOIN boot_report AS report ON report.device = reading.device AND report.counter =
      (SELECT counter FROM boot_report AS next
       WHERE reading.uptime IS NOT NULL AND next.device = reading.device
         AND reading.session BETWEEN next.first_session AND next.last_session
         AND (reading.session < next.last_session OR reading.sequence <= next.last_sequence)
         AND reading.uptime <= next.uptime
       ORDER BY next.last_session, next.last_sequence, next.counter LIMIT 1);
  `,
  `
  -- Whose audit log and journal these are, and how much of the journal is in here.
  CREATE TABLE journal (
    only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
    id       BLOB NOT NULL CHECK (length(id) = 16),
    size     INTEGER NOT NULL DEFAULT 0,
    "check"  TEXT NOT NULL DEFAULT '',
    head     INTEGER NOT NULL DEFAULT 0
  ) STRICT;
  INSERT INTO journal (only_row, id) VALUES (1, randomblob(16));

  -- Unix milliseconds. A row is put at the end, and stays as it is.
  CREATE TABLE audit (
    sequence INTEGER PRIMARY KEY CHECK (sequence >= 1),
    at       INTEGER NOT NULL,
    kind     TEXT NOT NULL CHECK (kind IN ('accept', 'refuse', 'act')),
    class    TEXT CHECK (class <> ''),
    reason   TEXT CHECK (reason <> ''),
    kid      BLOB CHECK (length(kid) = 8),
    details  TEXT NOT NULL,
    previous BLOB NOT NULL CHECK (length(previous) = 32),
    hash     BLOB NOT NULL CHECK (length(hash) = 32)
  ) STRICT;
  CREATE TRIGGER audit_append BEFORE INSERT ON audit
    WHEN NEW.sequence <> (SELECT coalesce(max(sequence), 0) + 1 FROM audit)
    BEGIN SELECT RAISE(ABORT, 'audit log, expected the next number, got another'); END;
  CREATE TRIGGER audit_update BEFORE UPDATE ON audit
    BEGIN SELECT RAISE(ABORT, 'audit log, expected rows to stay, got an update'); END;
  CREATE TRIGGER audit_delete BEFORE DELETE ON audit
    BEGIN SELECT RAISE(ABORT, 'audit log, expected rows to stay, got a delete'); END;

  -- The row of a deleted or revoked device is its tombstone, for ever.
  ALTER TABLE device ADD COLUMN state TEXT NOT NULL DEFAULT 'registered'
    CHECK (state IN ('registered', 'enrolled', 'deleting', 'deleted', 'revoked'));
  ALTER TABLE device ADD COLUMN device_id TEXT CHECK (device_id <> '');
  ALTER TABLE device ADD COLUMN user_id TEXT CHECK (user_id <> '');
  ALTER TABLE device ADD COLUMN certificate BLOB;
  CREATE UNIQUE INDEX device_id_in_use ON device (device_id)
    WHERE device_id IS NOT NULL AND state NOT IN ('deleted', 'revoked');

  -- One-time claims. used_by is no reference: the journal may know a device that a
  -- restored database does not.
  CREATE TABLE claim (
    hash       BLOB PRIMARY KEY CHECK (length(hash) = 32),
    user_id    TEXT NOT NULL CHECK (user_id <> ''),
    device_id  TEXT CHECK (device_id <> ''),
    made_at    INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    used_at    INTEGER,
    used_by    BLOB CHECK (length(used_by) = 8),
    CHECK ((used_at IS NULL) = (used_by IS NULL))
  ) STRICT, WITHOUT ROWID;

  -- The reply to each enrol message, for the device that asks again.
  CREATE TABLE enrolment (
    device      BLOB NOT NULL,
    counter     INTEGER NOT NULL,
    reply       BLOB NOT NULL,
    enrolled_at INTEGER NOT NULL,
    PRIMARY KEY (device, counter),
    FOREIGN KEY (device, counter) REFERENCES signed_message (device, counter)
  ) STRICT, WITHOUT ROWID;

  -- The last command counter of a device, known to the cloud or not.
  CREATE TABLE command_counter (
    device BLOB PRIMARY KEY CHECK (length(device) = 8),
    last   INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE command (
    device     BLOB NOT NULL REFERENCES device (kid),
    counter    INTEGER NOT NULL,
    hash       BLOB NOT NULL CHECK (length(hash) = 32),
    action     TEXT NOT NULL CHECK (action IN ('request', 'update', 'delete')),
    form       TEXT NOT NULL CHECK (form IN ('sealed', 'signed', 'plain')),
    user_id    TEXT,
    message    BLOB NOT NULL,
    issued_at  INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    state      TEXT NOT NULL DEFAULT 'issued'
      CHECK (state IN ('issued', 'sent', 'replied', 'expired', 'unconfirmed')),
    -- The opened reply, the device counter of its message, and when it came.
    reply         BLOB,
    reply_counter INTEGER,
    replied_at    INTEGER,
    CHECK ((state = 'replied') = (reply IS NOT NULL)),
    PRIMARY KEY (device, counter),
    UNIQUE (device, hash)
  ) STRICT, WITHOUT ROWID;
  `,
  `
  -- Keys that replace others: "rolling" until its first session, the other "rolled" from then on.
  CREATE TABLE new_device (
    kid           BLOB PRIMARY KEY CHECK (length(kid) = 8),
    public_key    BLOB NOT NULL UNIQUE CHECK (length(public_key) = 65),
    thumbprint    BLOB NOT NULL CHECK (length(thumbprint) = 32),
    name          TEXT,
    registered_at INTEGER NOT NULL,
    state         TEXT NOT NULL DEFAULT 'registered' CHECK (state IN
      ('registered', 'enrolled', 'rolling', 'rolled', 'deleting', 'deleted', 'revoked')),
    device_id     TEXT CHECK (device_id <> ''),
    user_id       TEXT CHECK (user_id <> ''),
    certificate   BLOB,
    -- The key that this one replaces, and when this one was replaced.
    predecessor   BLOB REFERENCES device (kid),
    rolled_at     INTEGER
  ) STRICT, WITHOUT ROWID;
  INSERT INTO new_device
    SELECT kid, public_key, thumbprint, name, registered_at, state, device_id, user_id,
      certificate, NULL, NULL FROM device;
  DROP TABLE device;
  ALTER TABLE new_device RENAME TO device;
  CREATE UNIQUE INDEX device_id_in_use ON device (device_id)
    WHERE device_id IS NOT NULL AND state NOT IN ('rolled', 'deleted', 'revoked');

  -- To whom the reply goes, where that is another key than the one that asked.
  ALTER TABLE enrolment ADD COLUMN addressee BLOB CHECK (length(addressee) = 8);

  -- Who was refused a certificate, without a walk through the whole log.
  CREATE INDEX audit_refused_enrol ON audit (sequence) WHERE kind = 'refuse' AND class = 'enrol';
  `,
];

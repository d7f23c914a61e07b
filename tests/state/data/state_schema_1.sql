-- A state file of schema 1, with a row of most kinds.
CREATE TABLE meta(
  one INTEGER PRIMARY KEY CHECK (one = 1),
  owner TEXT NOT NULL,
  stream TEXT,
  epoch INTEGER NOT NULL,
  position INTEGER NOT NULL) STRICT;

CREATE TABLE trigger(
  number INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  run INTEGER NOT NULL,
  live INTEGER NOT NULL) STRICT;

CREATE TABLE version(
  id TEXT PRIMARY KEY,
  trigger TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE source(
  number INTEGER PRIMARY KEY,
  hash INTEGER NOT NULL,
  text TEXT NOT NULL) STRICT;
CREATE INDEX source_hash ON source(hash);
CREATE TABLE version_file(
  version TEXT NOT NULL,
  place INTEGER NOT NULL,
  path TEXT NOT NULL,
  source INTEGER NOT NULL,
  PRIMARY KEY (version, place)) STRICT, WITHOUT ROWID;
CREATE INDEX version_file_source ON version_file(source);

CREATE TABLE run(
  trigger INTEGER NOT NULL,
  run INTEGER NOT NULL,
  epoch INTEGER NOT NULL,
  version TEXT NOT NULL,
  limits TEXT NOT NULL,
  runtime TEXT NOT NULL,
  why TEXT NOT NULL,
  after INTEGER NOT NULL,
  started_at INTEGER NOT NULL,
  ended INTEGER,
  PRIMARY KEY (trigger, run)) STRICT, WITHOUT ROWID;
CREATE INDEX run_version ON run(version);

CREATE TABLE checkpoint(
  trigger INTEGER PRIMARY KEY,
  run INTEGER NOT NULL,
  epoch INTEGER NOT NULL,
  state_sequence INTEGER NOT NULL,
  state_time INTEGER NOT NULL,
  effects_sequence INTEGER NOT NULL,
  effects_hash INTEGER NOT NULL) STRICT;
CREATE TABLE memory(
  trigger INTEGER PRIMARY KEY,
  state TEXT NOT NULL,
  runtime TEXT NOT NULL) STRICT;

CREATE TABLE outbox(
  id INTEGER PRIMARY KEY,
  trigger INTEGER NOT NULL,
  run INTEGER NOT NULL,
  sequence INTEGER NOT NULL,
  ordinal INTEGER NOT NULL,
  depth INTEGER NOT NULL,
  payload TEXT NOT NULL) STRICT;

CREATE TABLE notification(
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  trigger INTEGER NOT NULL,
  run INTEGER NOT NULL,
  sequence INTEGER NOT NULL,
  ordinal INTEGER NOT NULL,
  time INTEGER NOT NULL,
  status TEXT NOT NULL,
  reason TEXT NOT NULL,
  payload TEXT NOT NULL) STRICT;
CREATE INDEX notification_trigger ON notification(trigger);
CREATE INDEX notification_time ON notification(time);
CREATE INDEX notification_open ON notification(status) WHERE status IN ('waiting', 'pending');

CREATE TABLE log(
  trigger INTEGER NOT NULL,
  number INTEGER NOT NULL,
  sequence INTEGER NOT NULL,
  time INTEGER NOT NULL,
  kind TEXT NOT NULL,
  text TEXT NOT NULL,
  script TEXT NOT NULL,
  line INTEGER NOT NULL,
  PRIMARY KEY (trigger, number)) STRICT, WITHOUT ROWID;

CREATE TABLE journal(
  number INTEGER PRIMARY KEY,
  trigger INTEGER NOT NULL,
  run INTEGER NOT NULL,
  sequence INTEGER NOT NULL,
  decision TEXT NOT NULL,
  detail TEXT NOT NULL,
  decided_at INTEGER NOT NULL) STRICT;
CREATE INDEX journal_sequence ON journal(trigger, run, sequence);
CREATE INDEX journal_pause ON journal(trigger, run) WHERE decision IN ('pause', 'resume');

INSERT INTO meta VALUES (1, '000102030405060708090a0b0c0d0e0f', NULL, 3, 40);
INSERT INTO trigger VALUES (1, 'a', 1, 1);
INSERT INTO version VALUES ('v-a-1', 'a');
INSERT INTO source VALUES (1, 0, '-- a 1');
INSERT INTO version_file VALUES ('v-a-1', 0, 'a.lua', 1);
INSERT INTO run VALUES (1, 1, 3, 'v-a-1', '{}', 'runtime-1', 'deploy', 10, 10000000, NULL);
INSERT INTO checkpoint VALUES (1, 1, 3, 30, 30000000, 35, 5);
INSERT INTO memory VALUES (1, '{"n":1}', '{"ticks":1}');
INSERT INTO journal VALUES (1, 1, 1, 36, 'skip', '{"callback":2}', 36000000);
INSERT INTO notification VALUES
  (1, 1, 1, 11, 0, 11000000, 'recorded', 'mode record',
   '{"details":{},"key":"disk","kind":"pager_duty","options":{},"text":"full","to":null}'),
  (2, 1, 1, 12, 0, 12000000, 'recorded', 'mode record',
   '{"details":{},"key":"disk","kind":"pager_duty","options":{"action":"trigger"},"text":"fuller","to":null}'),
  (3, 1, 1, 13, 0, 13000000, 'recorded', 'mode record',
   '{"details":{},"key":"load","kind":"slack","options":{},"text":"busy","to":"ops"}'),
  (4, 1, 1, 14, 0, 14000000, 'recorded', 'mode record',
   '{"details":{},"key":"load","kind":"slack","options":{"action":"resolve"},"text":"idle","to":"ops"}'),
  (5, 1, 1, 15, 0, 15000000, 'recorded', 'mode record',
   '{"details":{"body":"b"},"key":null,"kind":"send_email","options":{"to":"people"},"text":"s","to":["a@b.c"]}'),
  (6, 1, 1, 16, 0, 16000000, 'recorded', 'mode record', 'none');
PRAGMA application_id=1215525971;
PRAGMA user_version=1;

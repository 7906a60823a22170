BEGIN TRANSACTION;
CREATE TABLE outbox (
    task_id TEXT NOT NULL,
    slot TEXT NOT NULL,
    revision INTEGER NOT NULL,
    payload BLOB NOT NULL,
    occur_time INTEGER NOT NULL,
    look_at INTEGER NOT NULL,
    entry_id TEXT,
    looks INTEGER NOT NULL,
    PRIMARY KEY (task_id, slot)
) STRICT;
INSERT INTO "outbox" VALUES('01JD0000000000000000000000','created',2,X'7061796C6F6164',1795953601000000,1795953601000000,NULL,0);
CREATE TABLE task_labels (
    task_id TEXT NOT NULL,
    label TEXT NOT NULL,
    owner TEXT NOT NULL,
    deleted INTEGER NOT NULL,
    create_time INTEGER NOT NULL,
    update_time INTEGER NOT NULL,
    due_rising INTEGER NOT NULL,
    due_falling INTEGER NOT NULL,
    priority INTEGER NOT NULL,
    PRIMARY KEY (task_id, label)
) STRICT, WITHOUT ROWID;
INSERT INTO "task_labels" VALUES('01JD0000000000000000000000','home','ann',0,1795953600000000,1795953601000000,1796040000000000,1796040000000000,3);
INSERT INTO "task_labels" VALUES('01JD0000000000000000000000','shop','ann',0,1795953600000000,1795953601000000,1796040000000000,1796040000000000,3);
CREATE TABLE tasks (
    id TEXT PRIMARY KEY,
    owner TEXT NOT NULL,
    request_id TEXT NOT NULL,
    fingerprint BLOB NOT NULL,
    title TEXT NOT NULL,
    description TEXT NOT NULL,
    status INTEGER NOT NULL,
    priority INTEGER NOT NULL,
    labels TEXT NOT NULL,
    due_time INTEGER,
    create_time INTEGER NOT NULL,
    update_time INTEGER NOT NULL,
    complete_time INTEGER,
    delete_time INTEGER,
    revision INTEGER NOT NULL,
    deleted INTEGER NOT NULL,
    due_rising INTEGER NOT NULL,
    due_falling INTEGER NOT NULL,
    search_text TEXT NOT NULL
, to_remind_of INTEGER, reminded_of INTEGER) STRICT;
INSERT INTO "tasks" VALUES('01JD0000000000000000000000','ann','key',X'66696E6765727072696E74','Buy milk 🥛','two litres',2,3,'["home", "shop"]',1796040000000000,1795953600000000,1795953601000000,NULL,NULL,2,0,1796040000000000,1796040000000000,'buy milk 🥛
two litres',1796040000000000,NULL);
CREATE TABLE text_migration (last_id TEXT NOT NULL) STRICT;
CREATE UNIQUE INDEX tasks_by_request ON tasks (owner, request_id);
CREATE INDEX tasks_to_purge ON tasks (delete_time) WHERE deleted = 1;
CREATE INDEX outbox_by_look ON outbox (look_at);
CREATE INDEX outbox_unpublished ON outbox (occur_time) WHERE entry_id IS NULL;
CREATE INDEX tasks_by_create_time ON tasks (owner, deleted, create_time, id);
CREATE INDEX tasks_by_status_create_time ON tasks (owner, deleted, status, create_time, id);
CREATE INDEX labels_by_create_time ON task_labels (owner, label, deleted, create_time, task_id);
CREATE INDEX tasks_by_update_time ON tasks (owner, deleted, update_time, id);
CREATE INDEX tasks_by_status_update_time ON tasks (owner, deleted, status, update_time, id);
CREATE INDEX labels_by_update_time ON task_labels (owner, label, deleted, update_time, task_id);
CREATE INDEX tasks_by_due_rising ON tasks (owner, deleted, due_rising, id);
CREATE INDEX tasks_by_status_due_rising ON tasks (owner, deleted, status, due_rising, id);
CREATE INDEX labels_by_due_rising ON task_labels (owner, label, deleted, due_rising, task_id);
CREATE INDEX tasks_by_due_falling ON tasks (owner, deleted, due_falling, id);
CREATE INDEX tasks_by_status_due_falling ON tasks (owner, deleted, status, due_falling, id);
CREATE INDEX labels_by_due_falling ON task_labels (owner, label, deleted, due_falling, task_id);
CREATE INDEX tasks_by_priority ON tasks (owner, deleted, priority, id);
CREATE INDEX tasks_by_status_priority ON tasks (owner, deleted, status, priority, id);
CREATE INDEX labels_by_priority ON task_labels (owner, label, deleted, priority, task_id);
CREATE INDEX tasks_to_remind ON tasks (to_remind_of) WHERE to_remind_of IS NOT NULL;
COMMIT;
PRAGMA user_version = 3;

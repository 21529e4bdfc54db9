"""The tables of the store, and how an older store becomes one of today."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

# "cbtu" in ASCII, at byte 68 of the file: tells our stores from other people's databases.
APPLICATION_ID = 0x63627475

# The statements that lead from each version to the next: the first makes version 1 from an empty file.
# A published migration never changes; a new version is a new entry, and gets a checked-in store in the tests.
MIGRATIONS: Sequence[Sequence[str]] = (
    (
        # `behind` lets one ascending comparison express "greatest priority first".
        """
        CREATE TABLE tasks (
            number INTEGER PRIMARY KEY,
            id TEXT NOT NULL UNIQUE,
            job TEXT NOT NULL,
            source BLOB NOT NULL,
            stamp TEXT NOT NULL,
            digest TEXT NOT NULL,
            declared_priority INTEGER NOT NULL,
            priority INTEGER NOT NULL,
            behind INTEGER GENERATED ALWAYS AS (-priority) VIRTUAL,
            position INTEGER NOT NULL,
            state TEXT NOT NULL CHECK (state IN ('queued', 'rendering', 'done', 'failed', 'paused', 'cancelled',
                                                 'invalid', 'blocked', 'quarantined')),
            reason TEXT NOT NULL DEFAULT '',
            problems TEXT NOT NULL DEFAULT '[]',
            attempts INTEGER NOT NULL DEFAULT 0,
            deaths INTEGER NOT NULL DEFAULT 0,
            chunks_done INTEGER NOT NULL DEFAULT 0,
            chunks_total INTEGER NOT NULL DEFAULT 0,
            tokens INTEGER NOT NULL DEFAULT 0,
            run TEXT,
            output BLOB,
            speech_seconds REAL NOT NULL DEFAULT 0,
            work_seconds REAL NOT NULL DEFAULT 0,
            rendered INTEGER NOT NULL DEFAULT 0,
            reused INTEGER NOT NULL DEFAULT 0,
            draft INTEGER NOT NULL DEFAULT 0,
            result_reason TEXT NOT NULL DEFAULT '',
            added REAL NOT NULL,
            started REAL,
            finished REAL,
            changed INTEGER NOT NULL
        )
        """,
        "CREATE INDEX tasks_in_order ON tasks (behind, position)",
        "CREATE INDEX tasks_of_state ON tasks (state, behind, position)",
        "CREATE INDEX tasks_changed ON tasks (changed)",
        "CREATE TABLE removed (id TEXT PRIMARY KEY, changed INTEGER NOT NULL) WITHOUT ROWID",
        "CREATE INDEX removed_changed ON removed (changed)",
        # Removals up to change number `forgotten` are no longer in `removed`.
        "CREATE TABLE tally (change INTEGER NOT NULL, forgotten INTEGER NOT NULL, position INTEGER NOT NULL)",
        "INSERT INTO tally VALUES (0, 0, 0)",
        # Counting 100,000 rows at every glance would cost more than the page itself.
        "CREATE TABLE counts (state TEXT PRIMARY KEY, tasks INTEGER NOT NULL) WITHOUT ROWID",
        """
        INSERT INTO counts VALUES ('queued', 0), ('rendering', 0), ('done', 0), ('failed', 0), ('paused', 0),
                                  ('cancelled', 0), ('invalid', 0), ('blocked', 0), ('quarantined', 0)
        """,
        """
        CREATE TRIGGER count_added AFTER INSERT ON tasks BEGIN
            UPDATE counts SET tasks = tasks + 1 WHERE state = NEW.state;
        END
        """,
        """
        CREATE TRIGGER count_removed AFTER DELETE ON tasks BEGIN
            UPDATE counts SET tasks = tasks - 1 WHERE state = OLD.state;
        END
        """,
        """
        CREATE TRIGGER count_moved AFTER UPDATE OF state ON tasks WHEN OLD.state <> NEW.state BEGIN
            UPDATE counts SET tasks = tasks - 1 WHERE state = OLD.state;
            UPDATE counts SET tasks = tasks + 1 WHERE state = NEW.state;
        END
        """,
        """
        CREATE TABLE cache_events (
            number INTEGER PRIMARY KEY AUTOINCREMENT,
            at REAL NOT NULL,
            layer TEXT NOT NULL,
            key TEXT NOT NULL,
            hit INTEGER NOT NULL,
            seconds REAL NOT NULL,
            saved REAL NOT NULL,
            message TEXT NOT NULL
        )
        """,
        """
        CREATE TABLE cache_sums (
            layer TEXT PRIMARY KEY,
            hits INTEGER NOT NULL,
            misses INTEGER NOT NULL,
            seconds REAL NOT NULL,
            saved REAL NOT NULL
        ) WITHOUT ROWID
        """,
        """
        CREATE TABLE commands (
            number INTEGER PRIMARY KEY AUTOINCREMENT,
            verb TEXT NOT NULL,
            arguments TEXT NOT NULL,
            state TEXT NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'done', 'refused')),
            answer TEXT NOT NULL DEFAULT '',
            posted REAL NOT NULL
        )
        """,
        "CREATE INDEX commands_waiting ON commands (number) WHERE state = 'waiting'",
        "CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID",
    ),
    (
        # What the scheduler groups by and estimates from; empty for tasks that version 1 found.
        "ALTER TABLE tasks ADD COLUMN model TEXT NOT NULL DEFAULT ''",
        "ALTER TABLE tasks ADD COLUMN voice TEXT NOT NULL DEFAULT ''",
        "ALTER TABLE tasks ADD COLUMN characters INTEGER NOT NULL DEFAULT 0",
        # Names the settings files around the task file as they were when it was read.
        "ALTER TABLE tasks ADD COLUMN surroundings TEXT NOT NULL DEFAULT ''",
        "ALTER TABLE tasks ADD COLUMN overtaken INTEGER NOT NULL DEFAULT 0",
        "ALTER TABLE tasks ADD COLUMN fresh INTEGER NOT NULL DEFAULT 0",
        "CREATE INDEX tasks_source ON tasks (source)",
        "CREATE INDEX tasks_by_need ON tasks (state, model)",
        "CREATE INDEX tasks_finished ON tasks (state, finished)",
        # Files besides its own that a task was read from.
        """
        CREATE TABLE inputs (
            task INTEGER NOT NULL, path BLOB NOT NULL, stamp TEXT NOT NULL, PRIMARY KEY (task, path)
        ) WITHOUT ROWID
        """,
        "CREATE INDEX inputs_path ON inputs (path)",
        "CREATE TRIGGER inputs_removed AFTER DELETE ON tasks BEGIN DELETE FROM inputs WHERE task = OLD.number; END",
        # Files whose task a person took out of the queue, as they were then.
        "CREATE TABLE dismissed (source BLOB PRIMARY KEY, stamp TEXT NOT NULL) WITHOUT ROWID",
        # How much there is to do, without adding up 100,000 rows at every glance.
        """
        CREATE TABLE work (
            state TEXT NOT NULL, model TEXT NOT NULL, voice TEXT NOT NULL, tasks INTEGER NOT NULL,
            characters INTEGER NOT NULL, PRIMARY KEY (state, model, voice)
        ) WITHOUT ROWID
        """,
        "INSERT INTO work SELECT state, model, voice, count(*), sum(characters) FROM tasks GROUP BY 1, 2, 3",
        """
        CREATE TRIGGER work_added AFTER INSERT ON tasks BEGIN
            INSERT INTO work VALUES (NEW.state, NEW.model, NEW.voice, 1, NEW.characters)
                ON CONFLICT DO UPDATE SET tasks = tasks + 1, characters = characters + excluded.characters;
        END
        """,
        """
        CREATE TRIGGER work_removed AFTER DELETE ON tasks BEGIN
            UPDATE work SET tasks = tasks - 1, characters = characters - OLD.characters
                WHERE state = OLD.state AND model = OLD.model AND voice = OLD.voice;
        END
        """,
        """
        CREATE TRIGGER work_moved AFTER UPDATE OF state, model, voice, characters ON tasks
        WHEN (OLD.state, OLD.model, OLD.voice, OLD.characters) <> (NEW.state, NEW.model, NEW.voice, NEW.characters)
        BEGIN
            UPDATE work SET tasks = tasks - 1, characters = characters - OLD.characters
                WHERE state = OLD.state AND model = OLD.model AND voice = OLD.voice;
            INSERT INTO work VALUES (NEW.state, NEW.model, NEW.voice, 1, NEW.characters)
                ON CONFLICT DO UPDATE SET tasks = tasks + 1, characters = characters + excluded.characters;
        END
        """,
        # What rendering took so far, fading: the measure of estimates.
        """
        CREATE TABLE speeds (
            model TEXT NOT NULL, voice TEXT NOT NULL, characters REAL NOT NULL, seconds REAL NOT NULL,
            PRIMARY KEY (model, voice)
        ) WITHOUT ROWID
        """,
    ),
)


def read_version(connection: sqlite3.Connection) -> int:
    """The store's version; 0 for an empty file."""
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def is_ours(connection: sqlite3.Connection) -> bool:
    """Whether this is a store of cbtui, of any version, or an empty file that can become one."""
    identity = connection.execute("PRAGMA application_id").fetchone()[0]
    version = read_version(connection)
    if identity == APPLICATION_ID and version > 0:
        return True
    tables = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
    return bool(identity == 0 and version == 0 and tables == 0)


def migrate(connection: sqlite3.Connection, migrations: Sequence[Sequence[str]] = MIGRATIONS) -> None:
    """Bring a store to the newest version: wholly, or not at all. To be called inside a transaction."""
    for version in range(read_version(connection), len(migrations)):
        for statement in migrations[version]:
            connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {version + 1:d}")
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID:d}")

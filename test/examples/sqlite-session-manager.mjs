import { randomUUID } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import sqlite from 'node-sqlite3-wasm';

const TABLES = `
  CREATE TABLE IF NOT EXISTS sessions (
    type TEXT, identifier TEXT, access_token TEXT, refresh_token TEXT, expires_in INTEGER, obtained_at INTEGER,
    scope TEXT, ref TEXT, client_secret TEXT, app_token TEXT, PRIMARY KEY (type, identifier)
  );
  CREATE TABLE IF NOT EXISTS locks (type TEXT, identifier TEXT, holder TEXT, until INTEGER, PRIMARY KEY (type, identifier));
`;

/** No renewal takes so long: whoever holds a lock for longer has died. */
const LONGEST_MS = 60_000;

/** Keeps sessions in a table of SQLite. A row of a second table is the lock of a session. */
export default class SqliteSessionManager {
  #file;

  constructor({ folder }) {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    this.#file = join(folder, 'sessions.db');
  }

  async get({ type, identifier }) {
    const sql = 'SELECT * FROM sessions WHERE type = ? AND identifier = ?';
    return fromRow(await this.#do((db) => db.get(sql, [type, identifier])));
  }

  async set(oauth, { type, identifier }) {
    const { accessToken, refreshToken, expiresIn, obtainedAt, scope, ref } = oauth;
    const { clientSecret = null, appToken = null } = oauth;
    const row = [type, identifier, accessToken, refreshToken, expiresIn, obtainedAt, scope];
    const rest = [JSON.stringify(ref ?? null), clientSecret, appToken];
    await this.#do((db) =>
      accessToken
        ? db.run('INSERT OR REPLACE INTO sessions VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)', [...row, ...rest])
        : db.run('DELETE FROM sessions WHERE type = ? AND identifier = ?', [type, identifier]),
    );
  }

  async list() {
    return this.#do((db) => db.all('SELECT type, identifier FROM sessions'));
  }

  async lock({ type, identifier }) {
    const holder = randomUUID();
    while (!(await this.#take(type, identifier, holder))) await pause(20 + Math.random() * 30);
    return () => this.#do((db) => db.run('DELETE FROM locks WHERE holder = ?', [holder]));
  }

  place() {
    return `the table "sessions" of ${this.#file}`;
  }

  // One statement, which SQLite carries out for one process at a time: the row is taken or it is not.
  async #take(type, identifier, holder) {
    const sql = `INSERT INTO locks VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO UPDATE SET holder = ?3, until = ?4 WHERE until < ?5`;
    const now = Date.now();
    const { changes } = await this.#do((db) =>
      db.run(sql, [type, identifier, holder, now + LONGEST_MS, now]),
    );
    return changes === 1;
  }

  // Opened for one statement, and again while another process is at it.
  async #do(work) {
    for (let tries = 0; ; tries += 1) {
      const db = new sqlite.Database(this.#file);
      try {
        db.exec(TABLES);
        return work(db);
      } catch (error) {
        if (!/locked|busy/i.test(error.message) || tries === 400) throw error;
      } finally {
        db.close();
      }
      await pause(5 + Math.random() * 20);
    }
  }
}

function fromRow(row) {
  return row && { ...row, ref: JSON.parse(row.ref) };
}

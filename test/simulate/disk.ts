import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import sqlite from 'node:sqlite';
import { dirname, join } from 'node:path';
import type { Random } from './random.ts';
import { chance, whole } from './random.ts';

/** Thrown into what a killed program was doing; what it catches it does not survive. */
export class Killed extends Error {}

/** The disk of one process: what it does with it may fail, or be its last. */
export interface DiskRules {
  /** Whether there is no room. */
  isFull(): boolean;
  /** Called before each step that changes something on the disk; may throw `Killed`. */
  step(): void;
  /** A transaction that changed something is on the disk. */
  committed(): void;
}

const rules = new Map<string, DiskRules>();

/** Everything below `folder` goes by these rules. */
export function ruleDisk(folder: string, isFull: DiskRules['isFull'], by: Omit<DiskRules, 'isFull'>): void {
  rules.set(folder, { isFull, step: () => by.step(), committed: () => by.committed() });
}

export function forgetDisk(folder: string): void {
  rules.delete(folder);
}

function rulesOf(path: unknown): DiskRules | undefined {
  return typeof path === 'string' ? rules.get(dirname(path)) : undefined;
}

const FULL = 'database or disk is full';

function full(): Error {
  return Object.assign(new Error(FULL), { code: 'ERR_SQLITE_ERROR', errcode: 13 });
}

/** Whether that is what this disk said, whoever passed it on. */
export function isOfFullDisk(error: unknown): boolean {
  return error instanceof Error && error.message === FULL;
}

/** What a connection wrote: its number of changes as of the last commit, and how that number is asked for. */
interface Writer {
  readonly rules: DiskRules;
  readonly changes: StatementSync;
  committed: number;
}

/** Of each connection that has asked; undefined for one whose disk has no rules. */
const writers = new WeakMap<DatabaseSync, Writer | undefined>();

function writerOf(database: DatabaseSync): Writer | undefined {
  if (!writers.has(database)) {
    const path = database.location();
    const found = path?.endsWith('.lock') === true ? undefined : rulesOf(path);
    const changes = database.prepare('SELECT total_changes() AS n');
    writers.set(database, found && { rules: found, changes, committed: 0 });
  }
  return writers.get(database);
}

/** Whether the transaction has changed anything: the end of another one takes no step on the disk. */
function wrote(writer: Writer): boolean {
  const before = writer.committed;
  writer.committed = (writer.changes.get() as { n: number }).n;
  return writer.committed !== before;
}

/** Whoever has imported the class already, and however, gets its commits on that disk. */
function installDatabase(): void {
  const { prototype } = sqlite.DatabaseSync;
  const exec = Object.getOwnPropertyDescriptor(prototype, 'exec')!.value as DatabaseSync['exec'];
  prototype.exec = function (sql: string): void {
    const writer = sql === 'COMMIT' ? writerOf(this) : undefined;
    if (writer === undefined || !wrote(writer)) return exec.call(this, sql);
    writer.rules.step();
    if (writer.rules.isFull()) {
      exec.call(this, 'ROLLBACK');
      throw full();
    }
    exec.call(this, sql);
    writer.rules.committed();
    writer.rules.step();
  };
  const close = Object.getOwnPropertyDescriptor(prototype, 'close')!.value as DatabaseSync['close'];
  prototype.close = function (): void {
    // A statement keeps its connection, whatever else has forgotten both.
    writers.delete(this);
    close.call(this);
  };
}

/** Puts the disk under all code of this process, before any of the bridge is loaded. */
export function installDisk(): void {
  const { writeFileSync, renameSync } = fs;
  const checked = (path: unknown): void => {
    const rule = rulesOf(path);
    rule?.step();
    if (rule?.isFull() === true) throw Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' });
  };
  Object.assign(fs, {
    writeFileSync: (...args: Parameters<typeof writeFileSync>) => (checked(args[0]), writeFileSync(...args)),
    renameSync: (...args: Parameters<typeof renameSync>) => (checked(args[1]), renameSync(...args)),
  });
  syncBuiltinESMExports();
  installDatabase();
}

/** What a killed process leaves behind: all files as they are, but what dies with it. */
export function copyLeft(from: string, to: string, random: Random): void {
  fs.mkdirSync(to, { recursive: true });
  for (const name of fs.readdirSync(from))
    if (!/\.(lock|pid)$|-shm$/.test(name)) fs.copyFileSync(join(from, name), join(to, name));
  const wal = fs.readdirSync(to).find((name) => name.endsWith('-wal'));
  if (wal !== undefined && chance(random, 0.5)) tear(join(to, wal), random);
}

const WAL_HEADER = 32;
const FRAME_HEADER = 24;

/** A page was being written behind those that are committed: any part of it may be on the disk. */
function tear(path: string, random: Random): void {
  const bytes = fs.readFileSync(path);
  if (bytes.length < WAL_HEADER) return;
  const frame = FRAME_HEADER + bytes.readUInt32BE(8);
  const salt = bytes.subarray(16, 24);
  let end = WAL_HEADER;
  while (end + frame <= bytes.length && bytes.subarray(end + 8, end + 16).equals(salt)) end += frame;
  const torn = Buffer.alloc(frame, whole(random, 0, 255));
  torn.writeUInt32BE(1, 0);
  torn.writeUInt32BE(1, 4);
  salt.copy(torn, 8);
  const file = fs.openSync(path, 'r+');
  fs.writeSync(file, torn, 0, whole(random, 1, frame), end);
  fs.closeSync(file);
}

import { accessSync, constants, existsSync, statfsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { delimiter, join, resolve } from 'node:path';
import { ENGINE_VERSION } from '../../../engine/version.ts';
import { electronBinary } from '../../desktop/binary.ts';
import { firstLine } from '../problem.ts';
import { VERSION } from '../version.ts';
import type { Look } from './look.ts';

export function versions(): Look {
  return {
    what: 'program',
    ok: true,
    found: `hvrewind ${VERSION}, engine ${ENGINE_VERSION}, Node ${process.versions.node}`,
  };
}

/** Tries the one native part, an open database. */
export function sqlite(): Look {
  try {
    const Database = createRequire(import.meta.url)('better-sqlite3') as new (
      path: string,
    ) => {
      prepare(sql: string): { pluck(): { get(): unknown } };
      close(): void;
    };
    const db = new Database(':memory:');
    const version = db.prepare('SELECT sqlite_version()').pluck().get();
    db.close();
    return { what: 'trace files', ok: true, found: `SQLite ${String(version)}` };
  } catch (error) {
    return { what: 'trace files', ok: false, found: firstLine(error), remedy: 'run npm ci on this machine' };
  }
}

/** Magic numbers of statfs(2) (include/uapi/linux/magic.h; fs/xfs, fs/btrfs, fs/zfs). */
const FILE_SYSTEMS: ReadonlyMap<number, { readonly name: string; readonly shared?: true }> = new Map([
  [0xef53, { name: 'ext4' }],
  [0x58465342, { name: 'xfs' }],
  [0x9123683e, { name: 'btrfs' }],
  [0x2fc12fc1, { name: 'zfs' }],
  [0x01021994, { name: 'tmpfs' }],
  [0x794c7630, { name: 'overlayfs' }],
  [0xf2f52010, { name: 'f2fs' }],
  [0x6969, { name: 'NFS', shared: true }],
  [0xff534d42, { name: 'CIFS', shared: true }],
  [0xfe534d42, { name: 'SMB2', shared: true }],
  [0x01021997, { name: '9p', shared: true }],
  [0x65735546, { name: 'FUSE', shared: true }],
]);
const BYTES_PER_MB = 1e6;

/** Whether traces can be recorded into a folder: WAL needs memory shared through a file (sqlite.org/wal.html). */
export function outputFolder(folder: string): Look {
  const what = 'folder for recordings';
  const path = resolve(folder);
  if (!existsSync(path)) return { what, ok: false, found: `${path} is not there` };
  try {
    accessSync(path, constants.W_OK);
  } catch {
    return { what, ok: false, found: `${path} cannot be written`, remedy: 'name a file elsewhere with -o' };
  }
  const { type, bavail, bsize } = statfsSync(path);
  const known = FILE_SYSTEMS.get(type);
  const system = known?.name ?? `file system 0x${type.toString(16)}`;
  const found = `${path}: ${system}, ${Math.floor((bavail * bsize) / BYTES_PER_MB)} MB free`;
  return known?.shared === undefined
    ? { what, ok: true, found }
    : { what, ok: false, found, remedy: 'record to a local disk: SQLite cannot share a -wal over this one' };
}

export function electron(): Look {
  const binary = electronBinary(process.env);
  if (binary !== undefined) return { what: 'Electron', ok: true, found: binary };
  return {
    what: 'Electron',
    ok: false,
    found: 'no binary',
    remedy: 'npm run electron:install fetches it; serve needs only a browser',
  };
}

const BROWSERS = ['chromium', 'chromium-browser', 'google-chrome', 'firefox', 'microsoft-edge'] as const;

/** What `serve` and `open` could show a trace in. */
export function browser(environment: Readonly<Record<string, string | undefined>>): Look {
  const folders = (environment.PATH ?? '').split(delimiter).filter((folder) => folder !== '');
  const here = BROWSERS.filter((name) => folders.some((folder) => existsSync(join(folder, name))));
  return here.length > 0
    ? { what: 'browser', ok: true, found: here.join(', ') }
    : { what: 'browser', ok: false, found: 'none on PATH', remedy: 'serve prints an address for any other' };
}

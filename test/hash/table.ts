import { globSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { ENGINE_VERSION } from '../../engine/version.ts';
import { type Hashes, hashes } from './hashes.ts';

/** What every runtime must come to, and the version of the engine that does. */
export interface HashTable {
  readonly engine: string;
  readonly hashes: Hashes;
}

const ROOT = join(import.meta.dirname, '../..');
const TABLE = join(import.meta.dirname, 'hashes.json');
const CHANGES = join(ROOT, 'docs/engine-changes.md');
const ENDING = '.hvtrace.ndjson';

/** The text of each sample scenario, by name. */
export function scenarios(): Readonly<Record<string, string>> {
  const paths = globSync(`samples/scenarios/*${ENDING}`, { cwd: ROOT }).sort();
  return Object.fromEntries(
    paths.map((path) => [basename(path, ENDING), readFileSync(join(ROOT, path), 'utf8')]),
  );
}

export function readTable(): HashTable {
  return JSON.parse(readFileSync(TABLE, 'utf8')) as HashTable;
}

/** Whether docs/engine-changes.md has a line for the version of the engine. */
export function isExplained(): boolean {
  return readFileSync(CHANGES, 'utf8').includes(`\n| ${ENGINE_VERSION} | `);
}

/** Names whose hash is not that of the table. */
export function changed(table: HashTable, found: Hashes): string[] {
  return Object.keys(table.hashes).filter((name) => name in found && table.hashes[name] !== found[name]);
}

/** `npm run hashes`: writes the table again; a hash changes with the engine's version alone, and with a line that says why. */
function update(): number {
  const before = readTable();
  const found = hashes(scenarios());
  const other = changed(before, found);
  if (other.length > 0 && (before.engine === ENGINE_VERSION || !isExplained())) {
    console.error(
      `hashes: ${other.join(', ')}: changed; raise ENGINE_VERSION (engine/version.ts), say why in docs/engine-changes.md, run this again`,
    );
    return 1;
  }
  writeFileSync(TABLE, `${JSON.stringify({ engine: ENGINE_VERSION, hashes: found }, undefined, 2)}\n`);
  return 0;
}

if (import.meta.main) process.exitCode = update();

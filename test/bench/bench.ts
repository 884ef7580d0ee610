/**
 * `npm run bench [-- EVENTS]`: measures the numbers of the project on a mixed load (a million events), prints them
 * against their goals and writes docs/benchmarks.md. `bench.ts NAME GROUND` is one measure, in its own process.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus, loadavg, tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import type { Ground, Measure, Measured } from './measure.ts';
import { measure as boot } from './measures/boot.ts';
import { measure as check } from './measures/check.ts';
import { measure as diff } from './measures/diff.ts';
import { measure as emulate } from './measures/emulate.ts';
import { measure as filter } from './measures/filter.ts';
import { measure as live } from './measures/live.ts';
import { measure as minimize } from './measures/minimize.ts';
import { measure as open } from './measures/open.ts';
import { measure as record } from './measures/record.ts';
import { measure as replay } from './measures/replay.ts';
import { measure as seek } from './measures/seek.ts';
import { measure as start } from './measures/start.ts';
import { measure as store } from './measures/store.ts';

const MEASURES: Readonly<Record<string, Measure>> = {
  record,
  store,
  replay,
  check,
  seek,
  filter,
  start,
  diff,
  minimize,
  open,
  emulate,
  boot,
  live,
};
const EVENTS = 1_000_000;
const ROOT = join(import.meta.dirname, '../..');

function inOwnProcess(name: string, ground: Ground): readonly Measured[] {
  const words = ['--disable-warning=ExperimentalWarning', import.meta.filename, name, JSON.stringify(ground)];
  const out = execFileSync(process.execPath, words, {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  return JSON.parse(out) as Measured[];
}

function table(results: readonly Measured[]): string {
  const rows = results.map(({ what, goal, value, held }) => [
    what.replaceAll('|', '\\|'),
    goal ?? '',
    value,
    held === undefined ? '' : held ? 'yes' : 'no',
  ]);
  const lines = [['what', 'goal', 'measured', 'held'], ['---', '---', '---', '---'], ...rows];
  return lines.map((cells) => `| ${cells.join(' | ')} |\n`).join('');
}

function commit(): string {
  const git = (...words: string[]): string =>
    execFileSync('git', words, { cwd: ROOT, encoding: 'utf8' }).trim();
  const changed = git('status', '--porcelain', '--untracked-files=no') === '' ? '' : ', with changes';
  return `${git('rev-parse', '--short', 'HEAD')}${changed}`;
}

function machine(): string {
  const memory = Math.round(totalmem() / 2 ** 30);
  return `${availableParallelism()} x ${cpus()[0]?.model.trim() ?? 'unknown processor'}, ${memory} GiB, Node ${process.versions.node}`;
}

function page(events: number, load: number, results: readonly Measured[]): string {
  return `# Benchmarks

Made by \`npm run bench\`: commit ${commit()}; ${machine()}. The mixed load is ${events.toLocaleString('en')} events of a host
that runs VMs (test/bench/mixed.ts): of 100 events 30 are MSR accesses, 40 hypercalls on registers and properties, 20 ioctls
with the hypercalls below them, 10 the rest. Each measure runs in a process of its own. When it began, the machine's load was
${load.toFixed(1)}: above one process a processor, the times by the clock are those of a machine that others use.

${table(results)}`;
}

const [name = '', ground = ''] = process.argv.slice(2);
const one = MEASURES[name];
if (one !== undefined) {
  console.log(JSON.stringify(await one(JSON.parse(ground) as Ground)));
} else {
  const events = /^[0-9]+$/.test(name) ? Number(name) : EVENTS;
  const [load = 0] = loadavg();
  const folder = mkdtempSync(join(tmpdir(), 'hvrewind-bench-'));
  try {
    const results = Object.keys(MEASURES).flatMap((measure) => {
      const measured = inOwnProcess(measure, { folder, trace: join(folder, 'mixed.hvtrace'), events });
      for (const { what, goal, value, held } of measured)
        console.log(
          `${held === undefined ? '   ' : held ? 'yes' : 'NO '}  ${what}: ${value}${goal === undefined ? '' : ` (goal ${goal})`}`,
        );
      return measured;
    });
    // A shorter load is for trying things out.
    if (events === EVENTS) writeFileSync(join(ROOT, 'docs/benchmarks.md'), page(events, load, results));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

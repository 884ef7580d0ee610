import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/**
 * `npm start`: plays the tear-down sample, replays it, judges it, and opens the app on it; with `--headless` it
 * ends after the verdicts. It exits 0 when the replay has no divergence and the sample shows what it must.
 */
const root = fileURLToPath(new URL('..', import.meta.url));
const SCENARIO = 'samples/scenarios/teardown-l1vh-kexec-before.hvtrace.ndjson';

/** Runs one command of the command line as a user would, and returns its exit code. */
function hvrewind(...words: string[]): number {
  process.stdout.write(`\n$ ./hvrewind ${words.join(' ')}\n`);
  const done = spawnSync(join(root, 'hvrewind'), words, { cwd: root, stdio: 'inherit' });
  return done.status ?? 1;
}

const headless = process.argv.includes('--headless');
const folder = mkdtempSync(join(tmpdir(), 'hvrewind-start-'));
const trace = join(folder, 'teardown.hvtrace');
try {
  const failed =
    hvrewind('run', SCENARIO, '-o', trace) !== 0 ||
    hvrewind('replay', trace, '--verify') !== 0 ||
    // The sample is made to show a finding: 1 is what it must exit with.
    hvrewind('check', trace) !== 1 ||
    hvrewind('check', trace, '--expect') !== 0;
  if (failed) process.exitCode = 1;
  else if (!headless) process.exitCode = hvrewind('open', trace);
} finally {
  rmSync(folder, { recursive: true, force: true });
}

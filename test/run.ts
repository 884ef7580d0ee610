/**
 * What `npm test` runs after the set-up: the type check, Biome, then every *.test.ts under node:test, each file in
 * a process of its own. All three run whatever the others say; the exit status is 1 if any failed.
 * `npm test -- engine/state main/cli` runs only the tests below those paths.
 *
 * Files in which something failed are run once more, one by one: tests of windows, signals and killed processes wait for
 * other programs, and a busy machine can be too slow for them. What failed at first is named at the end in any case.
 */
import { spawnSync } from 'node:child_process';
import { globSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join, relative } from 'node:path';
import { finished } from 'node:stream/promises';
import { run as runTests } from 'node:test';
import { spec } from 'node:test/reporters';

const root = join(import.meta.dirname, '..');
const bin = (name: string): string => join(root, 'node_modules/.bin', name);

/** A hung test fails its file instead of the whole run's patience. The slowest file needs well under a minute. */
const testTimeoutMs = 120_000;

/** The test files below `paths` (relative to the root; none means all), in a fixed order. */
function testFiles(paths: readonly string[]): string[] {
  const files = globSync('**/*.test.ts', {
    cwd: root,
    exclude: (name) => name === 'node_modules' || name === '.tsbuild' || name === 'dist' || name === '.git',
  });
  return files
    .filter(
      (file) => paths.length === 0 || paths.some((path) => file === path || file.startsWith(`${path}/`)),
    )
    .sort();
}

function run(what: string, command: string, args: readonly string[]): boolean {
  const startMs = performance.now();
  const { status } = spawnSync(command, args, { cwd: root, stdio: 'inherit' });
  const seconds = ((performance.now() - startMs) / 1000).toFixed(1);
  console.log(`${what}: ${status === 0 ? 'passed' : 'FAILED'} (${seconds} s)`);
  return status === 0;
}

// Half of what a test file takes is often the compiler: its work is kept, as that of the command line is.
process.env.NODE_COMPILE_CACHE ??= join(root, 'node_modules/.cache/hvrewind');

const paths = process.argv.slice(2).map((path) => path.replace(/\/+$/, ''));
const files = testFiles(paths);
if (files.length === 0) {
  console.error(`npm test: no *.test.ts below ${paths.join(', ')}`);
  process.exit(2);
}

/** Runs test files, `together` at a time; returns those in which something failed, and what else did (a hook elsewhere). */
async function failedOf(chosen: readonly string[], together: number): Promise<string[]> {
  const failed = new Set<string>();
  const events = runTests({
    files: chosen.map((file) => join(root, file)),
    concurrency: together,
    timeout: testTimeoutMs,
    execArgv: ['--disable-warning=ExperimentalWarning', '--import', join(root, 'test/compile-cache.ts')],
  });
  events.on('test:fail', ({ file }) => failed.add(relative(root, file ?? '')));
  const text = events.compose(new spec());
  text.pipe(process.stdout, { end: false });
  await finished(text);
  return [...failed].sort();
}

async function tests(): Promise<boolean> {
  const startMs = performance.now();
  const failed = await failedOf(files, availableParallelism());
  const whole = failed.every((file) => files.includes(file));
  const again = failed.length > 0 && whole ? await failedOf(failed, 1) : failed;
  const seconds = ((performance.now() - startMs) / 1000).toFixed(1);
  if (failed.length > 0) console.log(`failed at first: ${failed.join(', ')}`);
  if (again.length > 0) console.log(`failed again: ${again.join(', ')}`);
  console.log(`tests: ${again.length === 0 ? 'passed' : 'FAILED'} (${seconds} s)`);
  return again.length === 0;
}

const results = [
  run('type check', bin('tsc'), ['-b']),
  run('lint and format', bin('biome'), ['check', '--error-on-warnings', '.']),
  await tests(),
];
process.exit(results.every(Boolean) ? 0 : 1);

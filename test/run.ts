/**
 * What `npm test` runs after the set-up: the type check, Biome, then every *.test.ts under node:test, each file in
 * a process of its own. All three run whatever the others say; the exit status is 1 if any failed.
 * `npm test -- engine/state main/cli` runs only the tests below those paths.
 */
import { spawnSync } from 'node:child_process';
import { globSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';

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

const paths = process.argv.slice(2).map((path) => path.replace(/\/+$/, ''));
const files = testFiles(paths);
if (files.length === 0) {
  console.error(`npm test: no *.test.ts below ${paths.join(', ')}`);
  process.exit(2);
}

const results = [
  run('type check', bin('tsc'), ['-b']),
  run('lint and format', bin('biome'), ['check', '--error-on-warnings', '.']),
  run('tests', process.execPath, [
    '--disable-warning=ExperimentalWarning',
    '--test',
    '--test-reporter=spec',
    `--test-concurrency=${availableParallelism()}`,
    `--test-timeout=${testTimeoutMs}`,
    ...files,
  ]),
];
process.exit(results.every(Boolean) ? 0 : 1);

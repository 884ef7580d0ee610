import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { EXIT } from './cli/problem.ts';

/**
 * `npm start`: plays the tear-down sample and judges it, then runs the sample client against the emulated /dev/mshv,
 * records it, replays and judges that, and opens the app on it; with `--headless` it ends after the verdicts. It
 * exits 0 when no replay diverges and both show what they must. Where this machine cannot emulate, it says why and
 * opens the app on the tear-down sample.
 */
const root = fileURLToPath(new URL('..', import.meta.url));
const SCENARIO = 'samples/scenarios/teardown-l1vh-kexec-before.hvtrace.ndjson';
const CLIENT = 'samples/clients/hello.ts';

const folder = mkdtempSync(join(tmpdir(), 'hvrewind-start-'));
const at = (name: string): string => join(folder, name);

/** Runs a program as a user would, and returns its exit code. */
function run(shown: string, program: string, words: readonly string[]): number {
  process.stdout.write(`\n$ ${shown} ${words.join(' ')}\n`);
  return spawnSync(program, words, { cwd: root, stdio: 'inherit' }).status ?? 1;
}

const hvrewind = (...words: string[]): number => run('./hvrewind', join(root, 'hvrewind'), words);

/** Plays the tear-down sample; true when it replays and shows its finding. */
function playsScenario(trace: string): boolean {
  return (
    hvrewind('run', SCENARIO, '-o', trace) === EXIT.fine &&
    hvrewind('replay', trace, '--verify') === EXIT.fine &&
    hvrewind('check', trace) === EXIT.found &&
    hvrewind('check', trace, '--expect') === EXIT.fine
  );
}

/** Records the sample client; the trace, or why there is none. */
function recordClient(trace: string): 'recorded' | 'not possible here' | 'failed' {
  const guest = at('guest.bin');
  if (run('node', process.execPath, ['samples/clients/guest.ts', guest]) !== 0) return 'failed';
  const done = hvrewind('emulate', '-o', trace, '--', process.execPath, CLIENT, guest);
  if (done === EXIT.environment) return 'not possible here';
  const fine =
    done === EXIT.fine &&
    hvrewind('replay', trace, '--verify') === EXIT.fine &&
    hvrewind('check', trace) === EXIT.fine;
  return fine ? 'recorded' : 'failed';
}

function start(): number {
  const [teardown, hello] = [at('teardown.hvtrace'), at('hello.hvtrace')];
  if (!playsScenario(teardown)) return 1;
  const client = recordClient(hello);
  if (client === 'failed') return 1;
  if (process.argv.includes('--headless')) return 0;
  return hvrewind('open', client === 'recorded' ? hello : teardown);
}

try {
  process.exitCode = start();
} finally {
  rmSync(folder, { recursive: true, force: true });
}

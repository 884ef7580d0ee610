import { spawn, spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { allIoctls } from '../../engine/abi/index.ts';
import { residentKib } from '../../tracer/process/proc.ts';
import { isProblem, openTrace } from '../../tracer/store/index.ts';
import { type Verified, verify } from '../emulate/build.testing.ts';

const ROOT = join(import.meta.dirname, '../..');
const CLIENT = join(import.meta.dirname, 'client');
const KIB_PER_MIB = 1024;

/** Builds the client, with every ioctl number of every dialect. */
export function buildClient(folder: string): string {
  const numbers = [...new Set(allIoctls().flatMap(({ number }) => (number === undefined ? [] : [number])))];
  writeFileSync(
    join(folder, 'numbers.h'),
    `static const unsigned int numbers[] = { ${numbers.join(', ')} };\n`,
  );
  const program = join(folder, 'torture');
  const sources = ['torture.c', 'calls.c', 'descriptors.c'].map((name) => join(CLIENT, name));
  const words = ['-Wall', '-Wextra', '-Werror', '-O1', '-pthread', '-I', folder, '-o', program, ...sources];
  const built = spawnSync('gcc', words, { encoding: 'utf8' });
  if (built.status !== 0) throw new Error(`the torture client does not build: ${built.stderr}`);
  return program;
}

/** What one thread of the client says that it has done. */
interface Counted {
  readonly ioctls: number;
  readonly opens: number;
  /** It may have been killed within a call. */
  readonly killed: boolean;
}

export interface Tortured {
  readonly exit: number | null;
  readonly err: string;
  /** Threads whose calls and the recording's are not the same. */
  readonly differences: readonly string[];
  readonly threads: number;
  readonly ioctls: number;
  readonly verified: Verified;
  /** Resident memory of the emulating process, at most, and when so many rounds were done. */
  readonly mostMib: number;
  readonly samples: readonly Sample[];
}

function residentMib(pid: number): number | undefined {
  const kib = residentKib(pid, 'now');
  return kib === undefined ? undefined : kib / KIB_PER_MIB;
}

/** What the emulating process had when so many rounds were done, and when that was. */
export interface Sample {
  readonly rounds: number;
  readonly mib: number;
  readonly ms: number;
}

/** The straight line through samples (least squares): what it rises by in a round, in MiB. */
export function slopeOf(samples: readonly Sample[]): number {
  const mean = (of: (sample: Sample) => number) =>
    samples.reduce((sum, sample) => sum + of(sample), 0) / samples.length;
  const [middle, level] = [mean(({ rounds }) => rounds), mean(({ mib }) => mib)];
  return (
    mean(({ rounds, mib }) => (rounds - middle) * (mib - level)) /
    mean(({ rounds }) => (rounds - middle) ** 2)
  );
}

function parse(out: string): Map<number, Counted> {
  const counted = new Map<number, Counted>();
  for (const line of out.split('\n').filter((text) => /^\d/.test(text))) {
    const [tid = 0, ioctls = 0, opens = 0, killed = 0] = line.split(' ').map(Number);
    const before = counted.get(tid);
    counted.set(tid, {
      ioctls: ioctls + (before?.ioctls ?? 0),
      opens: opens + (before?.opens ?? 0),
      killed: killed === 1 || before?.killed === true,
    });
  }
  return counted;
}

/** Calls by thread in a recording: an ioctl that was left to the kernel is a note. */
function recorded(path: string): Map<number, { ioctls: number; opens: number }> {
  const byThread = new Map<number, { ioctls: number; opens: number }>();
  const trace = openTrace(path);
  if (isProblem(trace)) throw new Error(`the recording cannot be read: ${trace.code}`);
  try {
    for (const event of trace.range()) {
      const isIoctl =
        event.kind === 'ioctl' || (event.kind === 'mark' && (event.text ?? '').startsWith('ioctl '));
      const isOpen = event.kind === 'fd' && event.what === 'open';
      if (event.tid === undefined || !(isIoctl || isOpen)) continue;
      const counts = byThread.get(event.tid) ?? { ioctls: 0, opens: 0 };
      if (isIoctl) counts.ioctls++;
      else counts.opens++;
      byThread.set(event.tid, counts);
    }
  } finally {
    trace.close();
  }
  return byThread;
}

/** A call of a thread that was killed may never have been seen. */
function differences(path: string, counted: ReadonlyMap<number, Counted>): string[] {
  const seen = recorded(path);
  return [...counted].flatMap(([tid, { ioctls, opens, killed }]) => {
    const own = seen.get(tid) ?? { ioctls: 0, opens: 0 };
    const missing = ioctls - own.ioctls + (opens - own.opens);
    const isSame = own.ioctls === ioctls && own.opens === opens;
    return isSame || (killed && missing === 1)
      ? []
      : [`${tid}: ${ioctls} ioctls, ${opens} opens; recorded ${own.ioctls}, ${own.opens}`];
  });
}

/** Runs the client and judges its recording, which stays in `folder`. */
export async function torture(
  folder: string,
  rounds: number,
  words: readonly string[],
  profile?: string,
): Promise<Tortured> {
  const program = buildClient(folder);
  const path = join(folder, 'torture.hvtrace');
  const given = profile === undefined ? [] : ['--profile', profile];
  const client = [program, ...words, '--rounds', String(rounds)];
  const command = ['emulate', '--quiet', '--force', '-o', path, ...given, '--', ...client];
  const child = spawn(join(ROOT, 'hvrewind'), command, { stdio: ['ignore', 'pipe', 'pipe'], cwd: folder });
  const samples: Sample[] = [];
  let [out, err] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    out += text;
    const left = [...text.matchAll(/^left (\d+)$/gm)].at(-1)?.[1];
    const mib = child.pid === undefined ? undefined : residentMib(child.pid);
    if (left !== undefined && mib !== undefined)
      samples.push({ rounds: rounds - Number(left), mib, ms: performance.now() });
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    err += text;
  });
  const exit = await new Promise<number | null>((done) => child.on('close', done));
  const counted = parse(out);
  if (!out.endsWith('done\n')) err += '; the client did not come to its end';
  return {
    exit,
    err,
    differences: differences(path, counted),
    threads: counted.size,
    ioctls: [...counted.values()].reduce((sum, { ioctls }) => sum + ioctls, 0),
    verified: await verify(path),
    mostMib: Math.max(0, ...samples.map(({ mib }) => mib)),
    samples,
  };
}

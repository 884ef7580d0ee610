import { spawnSync } from 'node:child_process';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { Arena } from '../../../tracer/native/arena.ts';
import { syscall } from '../../../tracer/native/libc.ts';
import { NR } from '../../../tracer/native/numbers.ts';
import { type Measure, type Measured, percentile } from '../measure.ts';

const ROOT = join(import.meta.dirname, '../../..');
const HVREWIND = join(ROOT, 'hvrewind');
const RUNS = 5;
/** As many ioctls in both: at 40 µs each, a run takes about a second. */
const IOCTLS = 20_000;
const CALLS = 2_000_000;
const GOAL_PTRACE = 1.1;
const GOAL_UPROBE = 0.5;
/** What a seccomp filter costs at all that is let pass, in µs. */
const GOAL_OTHERS_US = 0.1;

/** One way to run the program: what stands before it. */
interface Way {
  readonly name: string;
  readonly before: (folder: string) => readonly string[];
}

const NATIVE: Way = { name: 'the program alone', before: () => [] };
const STRACE: Way = {
  name: 'strace --seccomp-bpf',
  before: (folder) => [
    'strace',
    '-f',
    '-e',
    'trace=ioctl',
    '--seccomp-bpf',
    '-o',
    join(folder, 'strace.txt'),
  ],
};
const recorder = (name: string, ...options: readonly string[]): Way => ({
  name,
  before: (folder) => {
    const out = ['--force', '--quiet', '-o', join(folder, 'live.hvtrace')];
    return [HVREWIND, 'record', ...out, ...options, '--'];
  },
});
const PTRACE = recorder('record');
const UPROBE = recorder('record --uprobe', '--uprobe');

/** What a call cost: by the clock of the program, and of processor time, that of the recorder included but for its start. */
interface Cost {
  readonly us: number;
  readonly cpuUs: number;
}

/** A program that makes ioctls, recorded here, beside strace and beside nobody; the same program, one run after the other. */
export const measure: Measure = async ({ folder }) => {
  const what = 'live capture';
  const lacking = lacks();
  if (lacking !== undefined) return [{ what, value: `not measured: ${lacking}` }];
  const program = join(folder, 'calls');
  const built = spawnSync('gcc', [
    '-O1',
    '-pthread',
    '-o',
    program,
    join(ROOT, 'test/bench/clients/calls.c'),
  ]);
  if (built.status !== 0) return [{ what, value: `not measured: ${built.stderr}` }];
  const canProbe = spawnSync('sh', ['-c', [...UPROBE.before(folder), 'true'].join(' ')]).status === 0;
  const results: Measured[] = [];
  for (const [percent, threads] of [
    [100, 1],
    [100, 4],
    [1, 1],
    [1, 4],
    [0, 1],
  ] as const) {
    // Before the first call that it asks about strace stops at all of them.
    const beside = percent === 0 ? [] : [STRACE];
    const ways = [NATIVE, ...beside, PTRACE, ...(canProbe && percent === 100 ? [UPROBE] : [])];
    const costs = alternate(ways, folder, [program, percent === 100 ? IOCTLS : CALLS, percent, threads]);
    results.push(
      ...rows(costs, percent, `${percent} % ioctls, ${threads === 1 ? 'one thread' : `${threads} threads`}`),
    );
  }
  if (!canProbe) results.push({ what: `${what} by uprobes`, value: 'not measured: needs root and tracefs' });
  return results;
};

function lacks(): string | undefined {
  if (process.platform !== 'linux' || process.arch !== 'x64') return 'it is for Linux on x86-64';
  return ['gcc', 'strace']
    .map((name) => (spawnSync(name, ['--version']).status === 0 ? '' : `no ${name}`))
    .find(Boolean);
}

/** A program that is to make so many calls, of which so many percent are ioctls, in so many threads. */
type Load = readonly [program: string, calls: number, percent: number, threads: number];

/** Each way in turn, several times: what else the machine does meets all of them. */
function alternate(
  ways: readonly Way[],
  folder: string,
  [program, calls, percent, threads]: Load,
): ReadonlyMap<Way, Cost> {
  const starts = new Map(
    ways.map((way) => [way, run(way, folder, [program, threads, percent, threads]).cpuUs]),
  );
  const runs = new Map<Way, { ns: number; cpuUs: number }[]>(ways.map((way) => [way, []]));
  for (let i = 0; i < RUNS; i++)
    for (const [way, done] of runs) {
      done.push(run(way, folder, [program, calls, percent, threads]));
      if (way === PTRACE) holds(join(folder, 'live.hvtrace'), (calls * percent) / 100);
    }
  return new Map(
    [...runs].map(([way, done]) => {
      const us =
        percentile(
          done.map(({ ns }) => ns),
          0.5,
        ) / 1000;
      const cpuUs =
        percentile(
          done.map((one) => one.cpuUs),
          0.5,
        ) - (starts.get(way) ?? 0);
      return [way, { us: us / calls, cpuUs: cpuUs / calls }];
    }),
  );
}

function run(way: Way, folder: string, [program, ...load]: Load): { ns: number; cpuUs: number } {
  const [name = '', ...words] = [...way.before(folder), program, ...load.map(String)];
  const before = childrenUs();
  const { stdout, status, stderr } = spawnSync(name, words, { encoding: 'utf8' });
  const ns = Number(stdout);
  if (status !== 0 || !(ns > 0)) throw new Error(`${name}: ${stderr}`);
  return { ns, cpuUs: childrenUs() - before };
}

/** An event has some bytes at least: a recorder that recorded nothing would be fast. */
function holds(trace: string, ioctls: number): void {
  const { size } = statSync(trace);
  if (size < ioctls * 8) throw new Error(`${trace} has ${size} bytes of ${ioctls} ioctls`);
}

const RUSAGE_CHILDREN = -1;
/** struct rusage begins with two timevals: user and system time. */
const rusage = new Arena(144);

function childrenUs(): number {
  syscall(NR.getrusage, RUSAGE_CHILDREN, rusage.address);
  const [seconds, us] = [rusage.u64(0) + rusage.u64(16), rusage.u64(8) + rusage.u64(24)];
  return seconds * 1e6 + us;
}

function rows(costs: ReadonlyMap<Way, Cost>, percent: number, load: string): Measured[] {
  const native = costs.get(NATIVE) as Cost;
  const strace = costs.get(STRACE);
  return [PTRACE, UPROBE].flatMap((way): Measured[] => {
    const cost = costs.get(way);
    if (cost === undefined) return [];
    const what = `live capture, ${way.name}: ${load}`;
    const alone = `alone ${native.us.toFixed(2)} µs`;
    if (percent === 0 || strace === undefined) {
      const held = cost.us - native.us <= GOAL_OTHERS_US;
      return [{ what, goal: `≤ ${GOAL_OTHERS_US} µs more`, value: `${shown(cost)} a call, ${alone}`, held }];
    }
    const goal = way === UPROBE ? GOAL_UPROBE : GOAL_PTRACE;
    const ratio = cost.us / strace.us;
    const value = `${ratio.toFixed(2)}x: ${shown(cost)} a call, ${STRACE.name} ${shown(strace)}, ${alone}`;
    return [{ what, goal: `≤ ${goal}x ${STRACE.name}`, value, held: ratio <= goal }];
  });
}

function shown({ us, cpuUs }: Cost): string {
  return `${us.toFixed(2)} µs (${cpuUs.toFixed(2)} µs of processor time)`;
}

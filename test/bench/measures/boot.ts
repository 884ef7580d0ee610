import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { residentKib } from '../../../tracer/process/proc.ts';
import { type Measure, type Measured, milliseconds, percentile } from '../measure.ts';

const ROOT = join(import.meta.dirname, '../../..');
const WHAT = 'SeaBIOS in QEMU (q35, 64 MiB) to "No bootable device"';
const LAST_LINE = 'No bootable device';
const QEMU_OPTIONS = ['-machine', 'q35', '-nodefaults', '-nographic', '-m', '64', '-serial', 'stdio'];
const RUNS = 3;
const LIMIT_MS = 120_000;
/** Once its firmware sleeps QEMU ends on a signal (docs/emulate.md, "QEMU"). */
const ASLEEP_MS = 1000;
const GOAL_MB = 300;

/** A boot: how long it took to its last line, and what memory the process took that was started, at most. */
interface Boot {
  readonly ms: number;
  readonly peakKib: number;
}

/** The firmware of a real VMM: recorded on the emulated device, beside QEMU's own processor. */
export const measure: Measure = async ({ folder }) => {
  const qemu = execFileSync(join(ROOT, 'test/qemu/fetch.sh'), { encoding: 'utf8' }).trim();
  if (qemu.startsWith('skipped')) return [{ what: WHAT, value: qemu }];
  const emulate = [
    join(ROOT, 'hvrewind'),
    'emulate',
    '--force',
    '--quiet',
    '-o',
    join(folder, 'boot.hvtrace'),
    '--',
  ];
  const tcg: Boot[] = [];
  const mshv: Boot[] = [];
  for (let run = 0; run < RUNS; run++) {
    tcg.push(await boot([qemu, '-accel', 'tcg']));
    mshv.push(await boot([...emulate, qemu, '-accel', 'mshv']));
  }
  const peakMb = (Math.max(...mshv.map(({ peakKib }) => peakKib)) * 1024) / 1e6;
  return [
    {
      what: `${WHAT}, emulated and recorded`,
      value: `${median(mshv)}; QEMU's own processor (-accel tcg) takes ${median(tcg)}`,
    },
    {
      what: 'memory of the emulating process in that boot, at most, what the guest touched of its 64 MiB included',
      goal: `≤ ${GOAL_MB} MB`,
      value: `${Math.round(peakMb)} MB`,
      held: peakMb <= GOAL_MB,
    },
  ] satisfies Measured[];
};

function median(boots: readonly Boot[]): string {
  return milliseconds(
    percentile(
      boots.map(({ ms }) => ms),
      0.5,
    ),
  );
}

/** Boots until the firmware has nothing to start from, and ends it. */
async function boot([program = '', ...words]: readonly string[]): Promise<Boot> {
  const start = performance.now();
  const child = spawn(program, [...words, ...QEMU_OPTIONS], { stdio: ['ignore', 'pipe', 'pipe'] });
  const ended = new Promise((done) => child.once('exit', done));
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  const isThere = await prints(child, LAST_LINE);
  const ms = performance.now() - start;
  const peakKib = residentKib(child.pid ?? 0, 'most') ?? 0;
  await sleep(ASLEEP_MS);
  // A guest that is busy may keep QEMU from ending on a signal.
  child.kill(isThere ? 'SIGTERM' : 'SIGKILL');
  await ended;
  if (!isThere) throw new Error(`${program} does not print "${LAST_LINE}": ${said}`);
  return { ms, peakKib };
}

/** Whether a program prints a text before it ends, and in time. */
function prints(child: ChildProcess, wanted: string): Promise<boolean> {
  return new Promise((done) => {
    let text = '';
    const limit = setTimeout(done, LIMIT_MS, false);
    child.stdout?.setEncoding('latin1').on('data', (more: string) => {
      text += more;
      if (text.includes(wanted)) done(true);
    });
    child.once('exit', () => {
      clearTimeout(limit);
      done(false);
    });
  });
}

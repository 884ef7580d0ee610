import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { benchCpu } from '../../../engine/cpu/cpu.bench.ts';
import type { ClientResult } from '../../../tracer/emulate/bench/client.ts';
import { benchEmulation, clientCommand } from '../../../tracer/emulate/bench/emulate.bench.ts';
import type { Measure, Measured } from '../measure.ts';

const ROUNDS = 100_000;
const INSTRUCTIONS = 20_000_000;
const GOAL_OF_BARE = 1.5;
const GOAL_CALLS = 30_000;
const GOAL_EXIT_US = 40;
const GOAL_MIPS = 20;
const GOAL_MB = 300;
const BYTES_OF_KIB = 1024;
const HVREWIND = join(import.meta.dirname, '../../../hvrewind');

/** The guest processor alone, then a program under the emulation beside the same one under the bare loop. */
export const measure: Measure = async ({ folder }) => {
  const cpu = benchCpu(() => performance.now(), INSTRUCTIONS).map(({ name, tenthMips }): Measured => {
    const mips = tenthMips / 10;
    return {
      what: `guest processor: ${name}`,
      goal: `≥ ${GOAL_MIPS} MIPS`,
      value: `${mips} MIPS`,
      held: mips >= GOAL_MIPS,
    };
  });
  const emulated = await benchEmulation(ROUNDS);
  if (typeof emulated === 'string')
    return [...cpu, { what: 'emulation', value: `not measured: ${emulated}` }];
  const { bare, plain, call, exit, firstExits, eventsPerSecond, bytesPerEvent, cpuUsPerEvent } = emulated;
  const mb = commandMb(folder);
  const ofBare = call.p50Us / bare.p50Us;
  return [
    ...cpu,
    { what: 'emulation: the bare loop of receive, two reads, write, send', value: shown(bare) },
    {
      what: 'emulation: an ioctl with payload, recorded',
      goal: `≤ ${GOAL_OF_BARE}x the bare loop, ≥ ${GOAL_CALLS.toLocaleString('en')}/s`,
      value: `${shown(call)}, ${ofBare.toFixed(1)}x the bare loop`,
      held: ofBare <= GOAL_OF_BARE && call.perSecond >= GOAL_CALLS,
    },
    {
      what: 'emulation: MSHV_RUN_VP to the next exit, recorded',
      goal: `≤ ${GOAL_EXIT_US} µs`,
      value: `${shown(exit)}; the first exits, p50 ${firstExits.p50Us.toFixed(1)} µs; an ioctl that fails plainly takes ${plain.p50Us.toFixed(2)} µs`,
      held: exit.p50Us <= GOAL_EXIT_US,
    },
    {
      what: 'emulation: recorded, starting included',
      value: `${Math.round(eventsPerSecond).toLocaleString('en')} events/s, ${cpuUsPerEvent.toFixed(1)} µs of processor time and ${bytesPerEvent.toFixed(1)} B an event`,
    },
    {
      what: 'memory of `hvrewind emulate` with a guest of 64 MiB, at most',
      goal: `≤ ${GOAL_MB} MB`,
      value: `${Math.round(mb)} MB`,
      held: mb <= GOAL_MB,
    },
  ];
};

/** The most memory that the command takes for the same client: this process has loaded much else. */
function commandMb(folder: string): number {
  const result = join(folder, 'result.json');
  const client = clientCommand(ROUNDS, result);
  execFileSync(HVREWIND, ['emulate', '--quiet', '-o', join(folder, 'emulated.hvtrace'), '--', ...client]);
  const { parentKiB } = JSON.parse(readFileSync(result, 'utf8')) as ClientResult;
  return (parentKiB * BYTES_OF_KIB) / 1e6;
}

function shown({ p50Us, p99Us, perSecond }: { p50Us: number; p99Us: number; perSecond: number }): string {
  return `p50 ${p50Us.toFixed(1)} µs, p99 ${p99Us.toFixed(0)} µs, ${Math.round(perSecond).toLocaleString('en')}/s`;
}

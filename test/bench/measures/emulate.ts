import { benchCpu } from '../../../engine/cpu/cpu.bench.ts';
import { benchEmulation } from '../../../tracer/emulate/bench/emulate.bench.ts';
import type { Measure, Measured } from '../measure.ts';

const ROUNDS = 100_000;
const INSTRUCTIONS = 20_000_000;
const GOAL_OF_BARE = 1.5;
const GOAL_CALLS = 30_000;
const GOAL_EXIT_US = 40;
const GOAL_MIPS = 20;
const GOAL_MB = 300;
const MB_OF_MIB = 1.048576;

/** A program under the emulation beside the same one under the bare loop, then the guest processor alone: it takes memory of its own. */
export const measure: Measure = async () => {
  const emulated = await benchEmulation(ROUNDS);
  const cpu = benchCpu(() => performance.now(), INSTRUCTIONS).map(({ name, tenthMips }): Measured => {
    const mips = tenthMips / 10;
    return {
      what: `guest processor: ${name}`,
      goal: `≥ ${GOAL_MIPS} MIPS`,
      value: `${mips} MIPS`,
      held: mips >= GOAL_MIPS,
    };
  });
  if (typeof emulated === 'string')
    return [...cpu, { what: 'emulation', value: `not measured: ${emulated}` }];
  const { bare, plain, call, exit, eventsPerSecond, bytesPerEvent, cpuUsPerEvent, memoryMiB } = emulated;
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
      value: `${shown(exit)}; an ioctl that fails plainly takes ${plain.p50Us.toFixed(2)} µs`,
      held: exit.p50Us <= GOAL_EXIT_US,
    },
    {
      what: 'emulation: recorded, starting included',
      value: `${Math.round(eventsPerSecond).toLocaleString('en')} events/s, ${cpuUsPerEvent.toFixed(1)} µs of processor time and ${bytesPerEvent.toFixed(1)} B an event`,
    },
    {
      what: 'memory of the emulating process with a guest of 64 MiB, at most',
      goal: `≤ ${GOAL_MB} MB`,
      value: `${Math.round(memoryMiB * MB_OF_MIB)} MB`,
      held: memoryMiB * MB_OF_MIB <= GOAL_MB,
    },
  ];
};

function shown({ p50Us, p99Us, perSecond }: { p50Us: number; p99Us: number; perSecond: number }): string {
  return `p50 ${p50Us.toFixed(1)} µs, p99 ${p99Us.toFixed(0)} µs, ${Math.round(perSecond).toLocaleString('en')}/s`;
}

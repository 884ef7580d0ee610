import { registers } from '../abi/index.ts';
import type { HypervisorBench } from './bench.testing.ts';

const CHILD = 2;

/** A register by name or number, and its value in halves. */
export type GivenRegister = readonly [name: string | number, low: bigint, high?: bigint];

function codeOf(name: string | number): number {
  return typeof name === 'number' ? name : registers.number(name);
}

/** HVCALL_SET_VP_REGISTERS on the first VP of the child. */
export function setRegisters(bench: HypervisorBench, ...given: readonly GivenRegister[]) {
  const input = new Uint8Array(16 + given.length * 32);
  const view = new DataView(input.buffer);
  input[0] = CHILD;
  given.forEach(([name, low, high = 0n], i) => {
    view.setUint32(16 + i * 32, codeOf(name), true);
    view.setBigUint64(32 + i * 32, low, true);
    view.setBigUint64(40 + i * 32, high, true);
  });
  return bench.raw('SET_VP_REGISTERS', input, { reps: given.length });
}

/** HVCALL_GET_VP_REGISTERS; `output`: what a record has. */
export function getRegisters(
  bench: HypervisorBench,
  names: readonly (string | number)[],
  output?: Uint8Array,
) {
  const input = new Uint8Array(16 + names.length * 4);
  const view = new DataView(input.buffer);
  input[0] = CHILD;
  names.forEach((name, i) => {
    view.setUint32(16 + i * 4, codeOf(name), true);
  });
  const options = output === undefined ? {} : { output };
  return bench.raw('GET_VP_REGISTERS', input, { reps: names.length, ...options });
}

/** The values of an answer. */
export function values(output: Uint8Array | undefined): bigint[] {
  const view = new DataView((output ?? new Uint8Array(0)).slice().buffer);
  return Array.from(
    { length: view.byteLength / 16 },
    (_, i) => view.getBigUint64(i * 16, true) | (view.getBigUint64(i * 16 + 8, true) << 64n),
  );
}

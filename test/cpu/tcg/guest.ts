/** A case on engine/cpu. */
import { registers } from '../../../engine/abi/index.ts';
import { type CpuExit, EXECUTE, GuestCpu, PAGE_BYTES, READ, WRITE } from '../../../engine/cpu/index.ts';
import { type State, stateOfGuest } from './state.ts';

export interface GuestEnd {
  /** An exit's kind, or where it stopped by itself. */
  readonly kind: 'stopped' | CpuExit['kind'];
  readonly state: State;
  readonly memory: Buffer;
  /** Linear address of the instruction that it stopped at. */
  readonly at: number;
  readonly what?: string;
}

const register = (name: string): number => registers.number(`HV_X64_REGISTER_${name}`);
const RIP = register('RIP');
const CS = register('CS');
const GP = 13;
/** Real mode, base 0, as QEMU's stub leaves a segment register that it loads there. */
const REAL_SEGMENT = (0xffffn << 64n) | (0x93n << 112n);
/** Of instructions: the longest cases are those with repeated strings. */
const LONGEST = 3000;

/** As `Qemu.run`. */
export function runGuest(image: Buffer, ip: number, breakpoints: ReadonlySet<number>): GuestEnd {
  const memory = Buffer.from(image);
  const pages = Array.from({ length: memory.length / PAGE_BYTES }, (_, n) => ({
    bytes: memory.subarray(n * PAGE_BYTES, (n + 1) * PAGE_BYTES),
    permissions: READ | WRITE | EXECUTE,
  }));
  const cpu = new GuestCpu({ page: (gpaPage) => pages[gpaPage] });
  for (const name of ['ES', 'CS', 'SS', 'DS', 'FS', 'GS']) cpu.setRegister(register(name), REAL_SEGMENT);
  cpu.setRegister(register('RDX'), 0n);
  cpu.setRegister(RIP, BigInt(ip));
  for (let n = 0; ; n += 1) {
    const exit = cpu.run(1);
    const at = linear(cpu);
    const end = { state: stateOfGuest(cpu), memory, at };
    if (exit.kind === 'budget') {
      if (breakpoints.has(at)) return { kind: 'stopped', ...end };
      if (n === LONGEST) return { kind: 'budget', ...end };
    } else if (exit.kind === 'rdmsr' || exit.kind === 'wrmsr') {
      if (cpu.isProcessorMsr(exit.msr)) cpu.performMsr(exit);
      else cpu.raise(GP, 0);
      if (breakpoints.has(linear(cpu)))
        return { kind: 'stopped', state: stateOfGuest(cpu), memory, at: linear(cpu) };
    } else if (exit.kind === 'halt') return { kind: 'stopped', ...end };
    else if (exit.kind === 'unsupported') return { kind: exit.kind, what: exit.what, ...end };
    else return { kind: exit.kind, ...end };
  }
}

function linear(cpu: GuestCpu): number {
  const cs = cpu.getRegister(CS);
  const long = (cpu.getRegister(register('EFER')) & 0x400n) !== 0n && ((cs >> 125n) & 1n) !== 0n;
  const rip = cpu.getRegister(RIP);
  return Number(long ? rip : ((cs & 0xffffffffn) + rip) & 0xffffffffn);
}

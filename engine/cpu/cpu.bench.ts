/** How fast the guest processor is. The runner gives the clock; `npm run bench` prints the rows. */
import { registers } from '../abi/index.ts';
import { EXECUTE, GuestCpu, PAGE_BYTES, READ, WRITE } from './index.ts';

export interface CpuBenchRow {
  readonly name: string;
  /** Executed instructions. */
  readonly instructions: number;
  readonly durationMs: number;
  /** Millions of instructions a second, times 10: an integer. */
  readonly tenthMips: number;
}

const CODE = 0x8000;
const RAM_BYTES = 0x20000;

const programs: readonly { readonly name: string; readonly bytes: readonly number[] }[] = [
  {
    name: 'register loop',
    bytes: [
      ...[0x01, 0xd8], // add eax, ebx
      ...[0x31, 0xc3], // xor ebx, eax
      ...[0xd1, 0xc3], // rol ebx, 1
      ...[0x83, 0xc0, 0x01], // add eax, 1
      ...[0x89, 0xc2], // mov edx, eax
      ...[0x29, 0xda], // sub edx, ebx
      0x4f, // dec edi
      ...[0x75, 0xf0], // jnz 0
      ...[0xeb, 0xee], // jmp 0
    ],
  },
  {
    name: 'load/store loop',
    bytes: [
      ...[0xbe, 0x00, 0x90, 0x00, 0x00], // mov esi, 0x9000
      ...[0xb9, 0x00, 0x10, 0x00, 0x00], // mov ecx, 4096
      ...[0x8b, 0x06], // mov eax, [esi]
      ...[0x03, 0x46, 0x04], // add eax, [esi + 4]
      ...[0x89, 0x06], // mov [esi], eax
      ...[0x83, 0xc6, 0x04], // add esi, 4
      0x49, // dec ecx
      ...[0x75, 0xf3], // jnz 10
      ...[0xeb, 0xe7], // jmp 0
    ],
  },
  {
    name: 'call loop',
    bytes: [
      ...[0xe8, 0x02, 0x00, 0x00, 0x00], // call 7
      ...[0xeb, 0xf9], // jmp 0
      0x50, // push eax
      0x55, // push ebp
      ...[0x89, 0xe5], // mov ebp, esp
      ...[0x83, 0xc0, 0x01], // add eax, 1
      0x5d, // pop ebp
      0x58, // pop eax
      0xc3, // ret
    ],
  },
];

/** A guest in flat 32-bit mode with `bytes` at CODE. */
function guestWith(bytes: readonly number[]): GuestCpu {
  const ram = new Uint8Array(RAM_BYTES);
  ram.set(bytes, CODE);
  const pages = Array.from({ length: RAM_BYTES / PAGE_BYTES }, (_, n) => ({
    bytes: ram.subarray(n * PAGE_BYTES, (n + 1) * PAGE_BYTES),
    permissions: READ | WRITE | EXECUTE,
  }));
  const cpu = new GuestCpu({ page: (gpaPage) => pages[gpaPage] });
  const set = (name: string, value: bigint): void =>
    cpu.setRegister(registers.number(`HV_X64_REGISTER_${name}`), value);
  const flat = (selector: bigint, attributes: bigint): bigint =>
    (0xffffffffn << 64n) | (selector << 96n) | (attributes << 112n);
  set('CR0', 0x11n);
  set('CS', flat(8n, 0xc09bn));
  for (const name of ['DS', 'ES', 'SS']) set(name, flat(16n, 0xc093n));
  set('RIP', BigInt(CODE));
  set('RSP', 0x7000n);
  return cpu;
}

/** Runs each program for `instructions` after a warm-up of a tenth. `clock` gives milliseconds. */
export function benchCpu(clock: () => number, instructions: number): CpuBenchRow[] {
  return programs.map(({ name, bytes }) => {
    const cpu = guestWith(bytes);
    cpu.run(Math.floor(instructions / 10));
    const before = cpu.executed;
    const startMs = clock();
    cpu.run(instructions);
    const durationMs = clock() - startMs;
    const executed = cpu.executed - before;
    return { name, instructions: executed, durationMs, tenthMips: Math.round(executed / 100 / durationMs) };
  });
}

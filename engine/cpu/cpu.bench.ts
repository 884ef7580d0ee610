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

const programs: readonly {
  readonly name: string;
  readonly bytes: readonly number[];
  /** In 64-bit mode, with paging; else flat 32-bit code. */
  readonly long?: true;
}[] = [
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
  {
    name: '64-bit loop with paging',
    long: true,
    bytes: [
      ...[0xbe, 0x00, 0x90, 0x00, 0x00], // mov esi, 0x9000
      ...[0xb9, 0x00, 0x04, 0x00, 0x00], // mov ecx, 1024
      ...[0x48, 0x8b, 0x06], // mov rax, [rsi]
      ...[0x48, 0x01, 0xd8], // add rax, rbx
      ...[0x49, 0x31, 0xc0], // xor r8, rax
      ...[0x48, 0x89, 0x46, 0x08], // mov [rsi + 8], rax
      0x50, // push rax
      0x5b, // pop rbx
      ...[0x48, 0x83, 0xc6, 0x08], // add rsi, 8
      ...[0x48, 0xff, 0xc9], // dec rcx
      ...[0x75, 0xe8], // jnz 10
      ...[0xeb, 0xdc], // jmp 0
    ],
  },
];

/** A top table, one of pointers and one of pages of 2 MiB: the first GiB to itself. */
const TABLES = 0x1c000;

function writeTables(ram: Uint8Array): void {
  const view = new DataView(ram.buffer);
  view.setUint32(TABLES, (TABLES + PAGE_BYTES) | 3, true);
  view.setUint32(TABLES + PAGE_BYTES, (TABLES + 2 * PAGE_BYTES) | 3, true);
  for (let n = 0; n < 512; n += 1)
    view.setUint32(TABLES + 2 * PAGE_BYTES + 8 * n, ((n << 21) | 0x83) >>> 0, true);
}

/** A guest with `bytes` at CODE. */
function guestWith(bytes: readonly number[], long: boolean): GuestCpu {
  const ram = new Uint8Array(RAM_BYTES);
  ram.set(bytes, CODE);
  writeTables(ram);
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
  if (long) {
    set('CR3', BigInt(TABLES));
    set('CR4', 0x20n);
    set('EFER', 0x100n);
    set('CR0', 0x80000011n);
  }
  set('CS', flat(8n, long ? 0xa09bn : 0xc09bn));
  for (const name of ['DS', 'ES', 'SS']) set(name, flat(16n, 0xc093n));
  set('RIP', BigInt(CODE));
  set('RSP', 0x7000n);
  return cpu;
}

/** Runs each program for `instructions` after a warm-up of a tenth. `clock` gives milliseconds. */
export function benchCpu(clock: () => number, instructions: number): CpuBenchRow[] {
  return programs.map(({ name, bytes, long = false }) => {
    const cpu = guestWith(bytes, long);
    cpu.run(Math.floor(instructions / 10));
    const before = cpu.executed;
    const startMs = clock();
    cpu.run(instructions);
    const durationMs = clock() - startMs;
    const executed = cpu.executed - before;
    return { name, instructions: executed, durationMs, tenthMips: Math.round(executed / 100 / durationMs) };
  });
}

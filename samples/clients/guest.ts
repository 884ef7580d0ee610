import { writeFileSync } from 'node:fs';

/**
 * Makes guest programs for the sample clients: flat binaries that start in real mode at 0:7c00h. Run as a program it
 * writes one: `node guest.ts FILE [TEXT]`.
 */

/** What the guest does, in this order; then it halts. */
export type GuestStep =
  /** Prints a text. */
  | { readonly print: string }
  /** Steps a 32-bit generator `rounds` times from `seed` and prints the last number as 8 hex digits. */
  | { readonly checksum: { readonly rounds: number; readonly seed: number } }
  /** Reads a byte of the device in memory and prints it. */
  | { readonly device: number }
  /** Prints the four bytes of EBX that CPUID gives for a leaf. */
  | { readonly cpuid: number }
  /** Prints the low four bytes of an MSR. */
  | { readonly readMsr: number }
  | { readonly writeMsr: number; readonly value: number }
  /**
   * Makes a hypercall through the hypercall page, which must be at {@link HYPERCALL_PAGE}, and prints the status and,
   * where `output` says so, the first four bytes of the output, each as 8 hex digits.
   */
  | { readonly hypercall: GuestHypercall }
  /** Runs for ever. */
  | { readonly spin: true };

export interface GuestHypercall {
  readonly code: number;
  /** Elements of a rep call. */
  readonly reps?: number;
  readonly input: readonly number[];
  /** Bytes that the output may take. */
  readonly output?: number;
}

/** Where the clients load a guest. */
export const GUEST_ENTRY = 0x7c00;
const SERIAL_PORT = 0x3f8;

/** The generator of {@link GuestStep.checksum}: x -> x * 1664525 + 1013904223 (Numerical Recipes). */
const MULTIPLIER = 1664525;
const INCREMENT = 1013904223;

/** What {@link GuestStep.checksum} prints. */
export function checksumText(rounds: number, seed: number): string {
  let value = seed >>> 0;
  for (let i = 0; i < rounds; i++) value = (Math.imul(value, MULTIPLIER) + INCREMENT) >>> 0;
  return hex(value);
}

const hex = (value: number): string => value.toString(16).toUpperCase().padStart(8, '0');

const word = (value: number): number[] => [value & 0xff, (value >> 8) & 0xff];
const long = (value: number): number[] => [...word(value), ...word(value >>> 16)];

/** mov dx, port; out dx, al */
const OUT = [0xba, ...word(SERIAL_PORT), 0xee];

/** Prints EBX, lowest byte first: mov cl, 4; again: mov al, bl; out; shr ebx, 8; dec cl; jnz again */
const PRINT_EBX = [0xb1, 4, 0x88, 0xd8, ...OUT, 0x66, 0xc1, 0xeb, 8, 0xfe, 0xc9, 0x75, 0x100 - 14];

/**
 * Prints EAX in hex, highest digit first: mov esi, eax; mov cl, 8; again: rol esi, 4; mov ax, si; and al, 15;
 * cmp al, 10; jb digit; add al, 7; digit: add al, '0'; out; dec cl; jnz again
 */
const PRINT_HEX = [
  ...[0x66, 0x89, 0xc6, 0xb1, 8],
  ...[0x66, 0xc1, 0xc6, 4, 0x89, 0xf0, 0x24, 15, 0x3c, 10, 0x72, 2, 0x04, 7, 0x04, 0x30],
  ...[...OUT, 0xfe, 0xc9, 0x75, 0x100 - 24],
];

/** Below the guest and its stack. */
export const HYPERCALL_PAGE = 0x6000;

/** Descriptors for the way to 32-bit code and back: none, code, data, 16-bit code, 16-bit data. */
const DESCRIPTORS = [
  ...[0, 0, 0, 0, 0, 0, 0, 0],
  ...[0xff, 0xff, 0, 0, 0, 0x9b, 0xcf, 0],
  ...[0xff, 0xff, 0, 0, 0, 0x93, 0xcf, 0],
  ...[0xff, 0xff, 0, 0, 0, 0x9b, 0, 0],
  ...[0xff, 0xff, 0, 0, 0, 0x93, 0, 0],
];
const SELECTOR = { code: 0x08, data: 0x10, code16: 0x18, data16: 0x20 } as const;
/** mov ds, ax; mov es, ax; mov ss, ax */
const SET_SEGMENTS = [0x8e, 0xd8, 0x8e, 0xc0, 0x8e, 0xd0];
/** mov eax, cr0; or al, 1; mov cr0, eax */
const PROTECT = [0x0f, 0x20, 0xc0, 0x0c, 1, 0x0f, 0x22, 0xc0];
/** mov eax, cr0; and al, 0feh; mov cr0, eax */
const UNPROTECT = [0x0f, 0x20, 0xc0, 0x24, 0xfe, 0x0f, 0x22, 0xc0];
/** A hypercall's blocks begin at multiples of 8. */
const BLOCK = 8;

/**
 * Hypercalls are not for real mode (TLFS, legal hypercall environments): into 32-bit code, the call, and back. In
 * 32-bit code EDX:EAX is the control word, EBX:ECX and EDI:ESI are the addresses of input and output.
 */
function hypercallCode(call: GuestHypercall, at: number): number[] {
  const { code, reps = 0, input, output = 0 } = call;
  const roundUp = (bytes: number) => Math.ceil(bytes / BLOCK) * BLOCK;
  const tableRegister = [...word(DESCRIPTORS.length - 1), ...new Array<number>(BLOCK - 2).fill(0)];
  const resultAt = tableRegister.length + DESCRIPTORS.length;
  const inputAt = resultAt + BLOCK;
  const outputAt = inputAt + roundUp(input.length);
  /** The code, with its data from `data` on. */
  const build = (data: number): number[] => {
    const bytes: number[] = [];
    const here = (): number => at + bytes.length;
    // cli; lgdt [table]; into 32-bit code
    bytes.push(0xfa, 0x66, 0x0f, 0x01, 0x16, ...word(data), ...PROTECT);
    bytes.push(0xea, ...word(here() + 5), ...word(SELECTOR.code));
    // mov ax, data; mov edx, reps; mov eax, code
    bytes.push(0x66, 0xb8, ...word(SELECTOR.data), ...SET_SEGMENTS);
    bytes.push(0xba, ...long(reps), 0xb8, ...long(code));
    // xor ebx, ebx; mov ecx, input; xor edi, edi; mov esi, output; mov ebp, page; call ebp; mov [result], eax
    bytes.push(0x31, 0xdb, 0xb9, ...long(data + inputAt), 0x31, 0xff, 0xbe, ...long(data + outputAt));
    bytes.push(0xbd, ...long(HYPERCALL_PAGE), 0xff, 0xd5, 0xa3, ...long(data + resultAt));
    // jmp to 16-bit code; mov ax, data; out of protected mode; jmp to a segment of real mode; xor ax, ax
    bytes.push(0xea, ...long(here() + 7), ...word(SELECTOR.code16));
    bytes.push(0xb8, ...word(SELECTOR.data16), ...SET_SEGMENTS, ...UNPROTECT);
    bytes.push(0xea, ...word(here() + 5), ...word(0));
    bytes.push(0x31, 0xc0, ...SET_SEGMENTS);
    // mov eax, [result]; print; mov eax, [output]; print; jmp over the data
    bytes.push(0x66, 0xa1, ...word(data + resultAt), ...PRINT_HEX);
    if (output > 0) bytes.push(0x66, 0xa1, ...word(data + outputAt), ...PRINT_HEX);
    bytes.push(0xe9, ...word(data + outputAt + roundUp(output) - (here() + 3)));
    return bytes;
  };
  const length = build(0).length;
  const data = roundUp(at + length);
  const zeros = (count: number) => new Array<number>(count).fill(0);
  tableRegister.splice(2, 4, ...long(data + BLOCK));
  return [
    ...build(data),
    ...zeros(data - at - length),
    ...tableRegister,
    ...DESCRIPTORS,
    ...zeros(BLOCK),
    ...input,
    ...zeros(outputAt - inputAt - input.length + roundUp(output)),
  ];
}

/** The code of one step that stands at `at` (the text of a print follows its code). */
function codeOf(step: GuestStep, at: number): number[] {
  if ('print' in step) {
    const text = [...new TextEncoder().encode(step.print), 0];
    // mov si, text; again: lodsb; test al, al; jz end; out; jmp again; end: jmp over the text
    const loop = [0xac, 0x84, 0xc0, 0x74, OUT.length + 2, ...OUT, 0xeb, 0x100 - 11];
    const length = 3 + loop.length + 3;
    return [0xbe, ...word(at + length), ...loop, 0xe9, ...word(text.length), ...text];
  }
  if ('checksum' in step) {
    const { rounds, seed } = step.checksum;
    // mov ecx, rounds; mov eax, seed; again: imul eax, eax, m; add eax, i; dec ecx; jnz again
    const round = [0x66, 0x69, 0xc0, ...long(MULTIPLIER), 0x66, 0x05, ...long(INCREMENT), 0x66, 0x49];
    const start = [0x66, 0xb9, ...long(rounds), 0x66, 0xb8, ...long(seed)];
    return [...start, ...round, 0x75, 0x100 - round.length - 2, ...PRINT_HEX];
  }
  if ('device' in step) {
    // mov ax, segment; mov es, ax; mov al, es:[0]
    return [0xb8, ...word(step.device >> 4), 0x8e, 0xc0, 0x26, 0xa0, 0, 0, ...OUT];
  }
  if ('cpuid' in step) return [0x66, 0xb8, ...long(step.cpuid), 0x0f, 0xa2, ...PRINT_EBX];
  if ('readMsr' in step) {
    return [0x66, 0xb9, ...long(step.readMsr), 0x0f, 0x32, 0x66, 0x89, 0xc3, ...PRINT_EBX];
  }
  if ('writeMsr' in step) {
    // mov ecx, msr; mov eax, value; xor edx, edx; wrmsr
    const set = [0x66, 0xb9, ...long(step.writeMsr), 0x66, 0xb8, ...long(step.value)];
    return [...set, 0x66, 0x31, 0xd2, 0x0f, 0x30];
  }
  if ('hypercall' in step) return hypercallCode(step.hypercall, at);
  return [0xeb, 0xfe];
}

/** A guest that does the steps and halts. */
export function guestProgram(steps: readonly GuestStep[]): Uint8Array {
  // xor ax, ax; mov ds, ax; mov ss, ax; mov sp, entry; cld
  const bytes = [0x31, 0xc0, 0x8e, 0xd8, 0x8e, 0xd0, 0xbc, ...word(GUEST_ENTRY), 0xfc];
  for (const step of steps) bytes.push(...codeOf(step, GUEST_ENTRY + bytes.length));
  // again: hlt; jmp again
  bytes.push(0xf4, 0xeb, 0xfd);
  return Uint8Array.from(bytes);
}

/** What the sample clients answer, and the program that shows it all. */
export const SAMPLE = {
  device: 0xd0000,
  cpuid: 0x40000010,
  msr: 0x400000ff,
  /** HV_X64_MSR_GUEST_OS_ID: the hypervisor answers this one itself. */
  osId: 0x40000000,
  /** HV_X64_MSR_HYPERCALL: base and enable bit of the hypercall page. */
  hypercall: 0x40000001,
} as const;
const OS_ID = 0x1234_5678;

/** HVCALL_GET_VP_REGISTERS of the own VP (partition and VP are SELF): the register HV_REGISTER_GUEST_OS_ID. */
const READ_OS_ID: GuestHypercall = {
  code: 0x50,
  reps: 1,
  input: [...long(-1), ...long(-1), ...long(-2), ...long(0), ...long(0x90002)],
  output: 16,
};

export function sampleGuest(text: string): Uint8Array {
  return guestProgram([
    { writeMsr: SAMPLE.osId, value: OS_ID },
    { writeMsr: SAMPLE.hypercall, value: HYPERCALL_PAGE | 1 },
    { print: text },
    { cpuid: SAMPLE.cpuid },
    { device: SAMPLE.device },
    { readMsr: SAMPLE.msr },
    { print: ' ' },
    { hypercall: READ_OS_ID },
    { print: ' ' },
    { checksum: { rounds: 1000, seed: 1 } },
    { print: '\n' },
  ]);
}

/** What the sample clients print for {@link sampleGuest}. */
export function sampleOutput(text: string): string {
  return `${text}Hell*MSR. ${hex(0)}${hex(OS_ID)} ${checksumText(1000, 1)}\n`;
}

if (import.meta.main) {
  const [path, text = 'Hello from the guest. '] = process.argv.slice(2);
  if (path === undefined) {
    process.stderr.write('usage: guest.ts FILE [TEXT]\n');
    process.exitCode = 2;
  } else writeFileSync(path, sampleGuest(text));
}

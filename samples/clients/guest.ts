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
  /** Runs for ever. */
  | { readonly spin: true };

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
  return value.toString(16).toUpperCase().padStart(8, '0');
}

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
} as const;

export function sampleGuest(text: string): Uint8Array {
  return guestProgram([
    { writeMsr: SAMPLE.osId, value: 0x1234_5678 },
    { print: text },
    { cpuid: SAMPLE.cpuid },
    { device: SAMPLE.device },
    { readMsr: SAMPLE.msr },
    { print: ' ' },
    { checksum: { rounds: 1000, seed: 1 } },
    { print: '\n' },
  ]);
}

/** What the sample clients print for {@link sampleGuest}. */
export function sampleOutput(text: string): string {
  return `${text}Hell*MSR. ${checksumText(1000, 1)}\n`;
}

if (import.meta.main) {
  const [path, text = 'Hello from the guest. '] = process.argv.slice(2);
  if (path === undefined) {
    process.stderr.write('usage: guest.ts FILE [TEXT]\n');
    process.exitCode = 2;
  } else writeFileSync(path, sampleGuest(text));
}

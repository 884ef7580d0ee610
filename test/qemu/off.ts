/**
 * `off.ts OUT`: firmware of 64 KiB for `-machine q35` that switches the machine off and then reads a port for ever, as Linux does: it
 * gives the ACPI registers their place (PMBASE and ACPI_CNTL of the LPC bridge: Intel ICH9, 13.1.13 and 13.1.14) and writes SLP_EN.
 */
import { writeFileSync } from 'node:fs';

const BYTES = 0x1_0000;
const RESET_AT = 0xfff0;
const LPC_BRIDGE = 0x8000_f800;
const PMBASE = 0x600;

const half = (value: number) => [value & 0xff, value >> 8];
const word = (value: number) => [...half(value & 0xffff), ...half(value >>> 16)];
/** mov dx, port */
const port = (number: number) => [0xba, ...half(number)];
/** mov eax, value; out dx, eax */
const out = (value: number) => [0x66, 0xb8, ...word(value), 0x66, 0xef];
const configure = (register: number, value: number) => [
  ...[...port(0xcf8), ...out(LPC_BRIDGE + register)],
  ...[...port(0xcfc), ...out(value)],
];

const CODE = [
  [0xfa], // cli
  configure(0x40, PMBASE | 1),
  configure(0x44, 0x80),
  [...port(PMBASE + 4), 0xb8, ...half(0x2000), 0xef], // mov ax, SLP_EN; out dx, ax
  [...port(PMBASE), 0xed, 0xeb, 0xfd], // again: in ax, dx; jmp again
].flat();

const [file = ''] = process.argv.slice(2);
const firmware = Buffer.alloc(BYTES);
Buffer.from(CODE).copy(firmware);
// jmp f000:0000
Buffer.from([0xea, 0x00, 0x00, 0x00, 0xf0]).copy(firmware, RESET_AT);
writeFileSync(file, firmware);

/**
 * `sector.ts OUT`: a disk of 1 MiB whose boot sector prints "Hello from the boot sector" by the firmware's INT 10h
 * (function 0Eh) and halts. The firmware starts it at 0000:7c00 when its last two bytes are 55 aa.
 *
 * SeaBIOS keeps the last characters for its serial console until the tick of the timer, and QEMU's mshv accelerator hands no
 * interrupt of the 8259 to a VP (accel/mshv/mshv-all.c, mshv_cpu_exec): a second line pushes the first one out.
 */
import { writeFileSync } from 'node:fs';

const TEXT_AT = 0x18;

const CODE = [
  [0x31, 0xc0], // xor ax, ax
  [0x8e, 0xd8], // mov ds, ax
  [0xbe, TEXT_AT, 0x7c], // mov si, text
  [0xac], // next: lodsb
  [0x84, 0xc0], // test al, al
  [0x74, 0x09], // jz halt
  [0xb4, 0x0e], // mov ah, 0eh
  [0xbb, 0x07, 0x00], // mov bx, 7: page 0, grey
  [0xcd, 0x10], // int 10h
  [0xeb, 0xf2], // jmp next
  [0xf4], // halt: hlt
  [0xeb, 0xfd], // jmp halt
].flat();

const [out = ''] = process.argv.slice(2);
const disk = Buffer.alloc(1 << 20);
Buffer.from(CODE).copy(disk);
disk.write('Hello from the boot sector\r\nand a line that the firmware keeps.\r\n', TEXT_AT, 'latin1');
disk.writeUInt16BE(0x55aa, 510);
writeFileSync(out, disk);

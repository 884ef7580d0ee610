/**
 * A 32-bit x86 program without a library (ELF, one segment): exit(5). No compiler that builds for 32 bits is needed.
 */
export function narrowProgram(): Uint8Array {
  const [BASE, HEADER, SEGMENT] = [0x0804_8000, 52, 32];
  // mov eax, 1; mov ebx, 5; int 80h
  const code = [0xb8, 1, 0, 0, 0, 0xbb, 5, 0, 0, 0, 0xcd, 0x80];
  const size = HEADER + SEGMENT + code.length;
  const bytes = new Uint8Array(size);
  const view = new DataView(bytes.buffer);
  const u16 = (at: number, value: number): void => view.setUint16(at, value, true);
  const words = (at: number, ...values: readonly number[]): void =>
    values.forEach((value, i) => {
      view.setUint32(at + 4 * i, value, true);
    });
  // Magic number, 32 bits, little endian, version 1.
  bytes.set([0x7f, 0x45, 0x4c, 0x46, 1, 1, 1]);
  u16(16, 2); // executable
  u16(18, 3); // i386
  words(20, 1, BASE + HEADER + SEGMENT, HEADER, 0, 0);
  u16(40, HEADER);
  u16(42, SEGMENT);
  u16(44, 1);
  // To be loaded, readable and executable.
  words(HEADER, 1, 0, BASE, BASE, size, size, 5, 0x1000);
  bytes.set(code, HEADER + SEGMENT);
  return bytes;
}

import { readFileSync } from 'node:fs';

const SHT_DYNSYM = 11;
const PT_LOAD = 1;
const SECTION_BYTES = 64;
const PROGRAM_BYTES = 56;
const SYMBOL_BYTES = 24;

/**
 * Where in a file a dynamic symbol of it begins (ELF-64, little-endian: elf(5)): what a uprobe is set on. Undefined where the file
 * is none, or has no such symbol.
 */
export function symbolOffset(path: string, name: string): number | undefined {
  let bytes: Buffer;
  try {
    bytes = readFileSync(path);
  } catch {
    return undefined;
  }
  return symbolIn(bytes, name);
}

/** The same of the bytes of a file; any bytes will do. */
export function symbolIn(bytes: Buffer, name: string): number | undefined {
  try {
    if (bytes.toString('latin1', 0, 6) !== '\x7fELF\x02\x01') return undefined;
    const address = addressOf(bytes, name);
    return address === undefined ? undefined : fileOffset(bytes, address);
  } catch (error) {
    // A number of the file leads out of it.
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

const word = (bytes: Buffer, at: number): number => Number(bytes.readBigUInt64LE(at));

function addressOf(bytes: Buffer, name: string): number | undefined {
  const sections = word(bytes, 40);
  for (let i = 0; i < bytes.readUInt16LE(60); i++) {
    const section = sections + i * SECTION_BYTES;
    if (bytes.readUInt32LE(section + 4) !== SHT_DYNSYM) continue;
    const strings = word(bytes, sections + bytes.readUInt32LE(section + 40) * SECTION_BYTES + 24);
    const [from, size] = [word(bytes, section + 24), word(bytes, section + 32)];
    for (let at = from; at + SYMBOL_BYTES <= from + size; at += SYMBOL_BYTES) {
      const nameAt = strings + bytes.readUInt32LE(at);
      // The section that it is defined in: 0 is none.
      if (
        bytes.readUInt16LE(at + 6) === 0 ||
        bytes.toString('latin1', nameAt, nameAt + name.length + 1) !== `${name}\0`
      )
        continue;
      return word(bytes, at + 8);
    }
  }
  return undefined;
}

function fileOffset(bytes: Buffer, address: number): number | undefined {
  const programs = word(bytes, 32);
  for (let i = 0; i < bytes.readUInt16LE(56); i++) {
    const program = programs + i * PROGRAM_BYTES;
    if (bytes.readUInt32LE(program) !== PT_LOAD) continue;
    const [offset, start, size] = [
      word(bytes, program + 8),
      word(bytes, program + 16),
      word(bytes, program + 32),
    ];
    if (address >= start && address < start + size) return address - start + offset;
  }
  return undefined;
}

import type { EventFormat } from './format.ts';
import type { PageLayout } from './page.ts';

/** The page of a 64-bit kernel. */
export const LAYOUT: PageLayout = { commitAt: 8, commitBytes: 8, dataAt: 16 };

const RECORD_HEADER = 8;

/** A field as a TRACE_EVENT declares it: its C type and name. */
export type Declared = readonly [type: string, name: string];

const SIZES: Readonly<Record<string, readonly [size: number, signed: boolean]>> = {
  u8: [1, false],
  bool: [1, false],
  __u16: [2, false],
  int: [4, true],
  u32: [4, false],
  unsigned: [4, false],
  s64: [8, true],
  long: [8, true],
  'unsigned long': [8, false],
  u64: [8, false],
  __u64: [8, false],
};

/** The text of a format file, with the fields laid out as a C compiler does. */
export function formatText(name: string, id: number, declared: readonly Declared[]): string {
  let at = RECORD_HEADER;
  const fields = declared.map(([type, field]) => {
    const [size, signed] = SIZES[type] ?? [8, false];
    at = Math.ceil(at / size) * size;
    const line = `\tfield:${type} ${field};\toffset:${at};\tsize:${size};\tsigned:${signed ? 1 : 0};`;
    at += size;
    return line;
  });
  const common = [
    '\tfield:unsigned short common_type;\toffset:0;\tsize:2;\tsigned:0;',
    '\tfield:unsigned char common_flags;\toffset:2;\tsize:1;\tsigned:0;',
    '\tfield:unsigned char common_preempt_count;\toffset:3;\tsize:1;\tsigned:0;',
    '\tfield:int common_pid;\toffset:4;\tsize:4;\tsigned:1;',
  ];
  return [`name: ${name}`, `ID: ${id}`, 'format:', ...common, '', ...fields, '', 'print fmt: ""', ''].join(
    '\n',
  );
}

/** The bytes of a record of `format`. Fields not given are 0; an array field takes a list. */
export function recordBytes(
  format: EventFormat,
  pid: number,
  values: Readonly<Record<string, bigint | number | readonly bigint[]>>,
): Uint8Array {
  const end = Math.max(RECORD_HEADER, ...format.fields.map(({ offset, size }) => offset + size));
  const bytes = new Uint8Array(Math.ceil(end / 4) * 4);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, format.id, true);
  view.setInt32(4, pid, true);
  for (const { name, offset, size, count } of format.fields) {
    const given = values[name];
    if (given === undefined) continue;
    const list = typeof given === 'object' ? given : [BigInt(given)];
    const width = count === undefined ? size : size / count;
    for (const [index, value] of list.entries()) {
      for (let i = 0; i < width; i++) {
        view.setUint8(offset + index * width + i, Number((value >> BigInt(8 * i)) & 0xffn));
      }
    }
  }
  return bytes;
}

/** One entry of a page: its header, and for data of more than 112 bytes the length word. */
export function entry(delta: number, data: Uint8Array): Uint8Array {
  const short = data.length > 0 && data.length <= 112;
  const bytes = new Uint8Array(data.length + (short ? 4 : 8));
  const view = new DataView(bytes.buffer);
  view.setUint32(0, ((delta << 5) | (short ? data.length / 4 : 0)) >>> 0, true);
  if (!short) view.setUint32(4, data.length + 4, true);
  bytes.set(data, short ? 4 : 8);
  return bytes;
}

/** An entry that carries time alone, padding, or anything else with a word behind its header. */
export function special(kind: number, delta: number, word: number, extra = 0): Uint8Array {
  const bytes = new Uint8Array(8 + extra);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, ((delta << 5) | kind) >>> 0, true);
  view.setUint32(4, word, true);
  return bytes;
}

/** A page of `entries` that begins at `t` ns; `lost`: a number, or 'many' for a page that does not say how many. */
export function page(t: number, entries: readonly Uint8Array[], lost: number | 'many' = 0): DataView {
  const bytes = new Uint8Array(4096);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0, BigInt(t), true);
  let at = LAYOUT.dataAt;
  for (const one of entries) {
    bytes.set(one, at);
    at += one.length;
  }
  const flags = lost === 0 ? 0 : lost === 'many' ? 0x8000_0000 : 0xc000_0000;
  view.setUint32(LAYOUT.commitAt, ((at - LAYOUT.dataAt) | flags) >>> 0, true);
  if (typeof lost === 'number' && lost > 0) view.setBigUint64(at, BigInt(lost), true);
  return view;
}

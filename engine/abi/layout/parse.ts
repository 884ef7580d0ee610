import type { StructName } from '../ids.ts';
import { type BitField, type Display, isReservedName, parseBitField } from '../lookup/bit-fields.ts';
import { constant } from '../lookup/constants.ts';
import { partitionProperties } from '../lookup/properties.ts';
import type { Condition, Field, FieldType, StructLayout, TextForm } from './layout.ts';

/** A line and what is indented below it. */
interface Line {
  readonly text: string;
  readonly below: Line[];
}

function nest(lines: readonly string[]): Line[] {
  const top: Line[] = [];
  const open: { readonly indent: number; readonly below: Line[] }[] = [{ indent: -1, below: top }];
  for (const raw of lines) {
    const indent = raw.length - raw.trimStart().length;
    while ((open.at(-1) as { indent: number }).indent >= indent) open.pop();
    const line: Line = { text: raw.trim(), below: [] };
    (open.at(-1) as { below: Line[] }).below.push(line);
    open.push({ indent, below: line.below });
  }
  return top;
}

const POINTER: FieldType = { kind: 'integer', bytes: 8, signed: false };
const INTEGERS: Readonly<Record<string, FieldType>> = {
  u8: { kind: 'integer', bytes: 1, signed: false },
  u16: { kind: 'integer', bytes: 2, signed: false },
  u32: { kind: 'integer', bytes: 4, signed: false },
  u64: { kind: 'integer', bytes: 8, signed: false },
  s32: { kind: 'integer', bytes: 4, signed: true },
  s64: { kind: 'integer', bytes: 8, signed: true },
};

function conditionOf(text: string): Condition | undefined {
  if (text === '') return undefined;
  if (text === 'else') return { kind: 'else' };
  const match = /^(\^?)(\w+)(=|&|>=)(\w+)$/.exec(text);
  if (match === null) throw new Error(`condition ${text}`);
  const [, outer, field = '', operator, name = ''] = match;
  const value = BigInt(partitionProperties.named(name)?.value ?? constant(name));
  const kind = operator === '=' ? 'equals' : operator === '&' ? 'shares' : 'reaches';
  return { kind, field, outer: outer === '^', name, value };
}

/** Reads one struct: its head line and the indented lines below. Sizes of other structs come from `sizeOf`. */
export function parseStruct(
  source: string,
  lines: readonly string[],
  sizeOf: (name: string) => number,
): StructLayout {
  const [kind, name = '', size = '0', form = 'object'] = (lines[0] as string).split(' ');
  const fields = nest(lines.slice(1)).map((line) => parseField(source, name, line, sizeOf));
  return {
    name: name as StructName,
    kind: kind as StructLayout['kind'],
    size: Number(size),
    source,
    form: form as TextForm,
    fields,
  };
}

function parseField(source: string, owner: string, line: Line, sizeOf: (name: string) => number): Field {
  const [row = '', condition = ''] = line.text.split(' when ');
  const [offset = '', tildeName = '', typeText = '', display] = row.split(' ');
  const alternative = tildeName.startsWith('~');
  const bare = alternative ? tildeName.slice(1) : tildeName;
  const name = bare === '-' ? '' : bare;
  const bits: BitField[] = [];
  const members: Field[] = [];
  for (const below of line.below) {
    const bit = parseBitField(below.text);
    if (bit !== undefined) bits.push(bit);
    else members.push(parseField(source, `${owner}.${name}`, below, sizeOf));
  }
  const type = typeOf(typeText, (kind, size) => ({
    kind: 'inline',
    layout: {
      name: `${owner}.${name}` as StructName,
      kind,
      size,
      source,
      form: 'object',
      // Offsets in the text count from the start of the whole struct, here from that of the member.
      fields: members.map((member) => ({ ...member, offset: member.offset - Number(offset) })),
    },
  }));
  const pointer = typeText.startsWith('*');
  const wide = typeText.startsWith('u64');
  return {
    name,
    offset: Number(offset),
    size: sizeOfType(type, sizeOf),
    type,
    bits,
    display: (display as Display | undefined) ?? (pointer ? 'gva' : wide ? 'hex' : 'dec'),
    alternative,
    when: conditionOf(condition),
    reserved: isReservedName(name),
    pointsTo: pointer ? typeText.slice(1) : undefined,
  };
}

function typeOf(text: string, inline: (kind: 'struct' | 'union', size: number) => FieldType): FieldType {
  const array = /^(.+)\[(\d*)\]$/.exec(text);
  if (array !== null) {
    const [, element = '', count = ''] = array;
    return {
      kind: 'array',
      element: typeOf(element, inline),
      count: count === '' ? undefined : Number(count),
    };
  }
  const holder = /^(struct|union)\((\d+)\)$/.exec(text);
  if (holder !== null) return inline(holder[1] as 'struct' | 'union', Number(holder[2]));
  if (text.startsWith('*')) return POINTER;
  return INTEGERS[text] ?? { kind: 'struct', name: text as StructName };
}

/** Bytes of a type; 0 for a trailing array. */
function sizeOfType(type: FieldType, sizeOf: (name: string) => number): number {
  switch (type.kind) {
    case 'integer':
      return type.bytes;
    case 'struct':
      return sizeOf(type.name);
    case 'inline':
      return type.layout.size;
    case 'array':
      return (type.count ?? 0) * sizeOfType(type.element, sizeOf);
  }
}

import { STRUCT_TABLES } from '../data/structs/index.ts';
import type { StructName } from '../ids.ts';
import type { FieldType, StructLayout } from './layout.ts';
import { parseStruct } from './parse.ts';

interface Place {
  readonly source: string;
  readonly text: string;
  readonly size: number;
}

let places: Map<string, Place> | undefined;
const layouts = new Map<string, StructLayout>();

/** Finds the head lines only; a struct's fields are read when it is asked for. */
function index(): Map<string, Place> {
  if (places !== undefined) return places;
  places = new Map();
  for (const table of STRUCT_TABLES) {
    for (const block of table.text.split(/^(?=struct |union )/m)) {
      const head = /^(?:struct|union) (\w+) (\d+)/.exec(block);
      if (head === null) continue;
      const [, name = '', size] = head;
      places.set(name, { source: table.source, text: block, size: Number(size) });
    }
  }
  return places;
}

/** Names of all structs, in the order of the tables. */
export function structNames(): readonly StructName[] {
  return [...index().keys()] as StructName[];
}

/** The layout of a struct; undefined for a name that no table has. */
export function findStruct(name: string): StructLayout | undefined {
  const known = layouts.get(name);
  if (known !== undefined) return known;
  const place = index().get(name);
  if (place === undefined) return undefined;
  const lines = place.text.split('\n').filter((line) => line.trim() !== '');
  const layout = parseStruct(place.source, lines, sizeOfStruct);
  layouts.set(name, layout);
  return layout;
}

/** {@link findStruct} for names that stand in a table or in the program: an unknown one throws. */
export function structOf(name: string): StructLayout {
  const layout = findStruct(name);
  if (layout === undefined) throw new Error(`no struct is called ${name}`);
  return layout;
}

/** Bytes of a struct without its trailing array. */
export function sizeOfStruct(name: string): number {
  const place = index().get(name);
  if (place === undefined) throw new Error(`no struct is called ${name}`);
  return place.size;
}

/** The layout behind a field's type, where it is a struct or union. */
export function layoutOfType(type: FieldType): StructLayout | undefined {
  if (type.kind === 'struct') return structOf(type.name);
  return type.kind === 'inline' ? type.layout : undefined;
}

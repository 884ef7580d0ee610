import { STRUCT_SUBJECTS, type StructSubject } from '../data/structs/index.ts';
import type { StructName } from '../ids.ts';
import type { FieldType, StructLayout } from './layout.ts';
import { parseStruct } from './parse.ts';
import type { StructTable } from './table.ts';

interface Place {
  readonly source: string;
  readonly text: string;
  readonly size: number;
}

let places: Map<string, Place> | undefined;
const layouts = new Map<string, StructLayout>();

/** The text of each struct of a table, its head line first. */
function blocksOf(table: StructTable): readonly string[] {
  return table.text.split(/^(?=struct |union )/m).slice(1);
}

/** Names of the structs of one subject. */
export function structsOfSubject(subject: StructSubject): readonly StructName[] {
  return subject.tables.flatMap((table) =>
    blocksOf(table).map((block) => block.split(' ', 2)[1] as StructName),
  );
}

/** Finds the head lines only; a struct's fields are read when it is asked for. */
function index(): Map<string, Place> {
  if (places !== undefined) return places;
  places = new Map();
  for (const table of STRUCT_SUBJECTS.flatMap((subject) => subject.tables)) {
    for (const block of blocksOf(table)) {
      const [, name = '', size] = block.split(' ', 3);
      places.set(name, { source: table.source, text: block, size: Number.parseInt(size ?? '', 10) });
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

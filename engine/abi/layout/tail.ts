import type { Field, StructLayout } from './layout.ts';
import { layoutOfType } from './structs.ts';

/** What makes a struct longer than its size says. */
export interface Tail {
  /** A trailing array of its own. */
  readonly own: Field | undefined;
  /**
   * A member at its end that has a tail. Beside a trailing array of its own this is what the variable header
   * of a hypercall fills (TLFS, variable-sized hypercall input headers); the array follows it.
   */
  readonly nested: Field | undefined;
}

const tails = new Map<StructLayout, Tail>();

export function tailOf(layout: StructLayout): Tail {
  const known = tails.get(layout);
  if (known !== undefined) return known;
  const tail: Tail = {
    own: layout.fields.find((field) => field.type.kind === 'array' && field.type.count === undefined),
    nested: layout.fields.find((field) => {
      const inner = layoutOfType(field.type);
      return inner !== undefined && field.offset + field.size === layout.size && hasTail(inner);
    }),
  };
  tails.set(layout, tail);
  return tail;
}

export function hasTail(layout: StructLayout): boolean {
  const tail = tailOf(layout);
  return tail.own !== undefined || tail.nested !== undefined;
}

const elastic = new Map<StructLayout, StructLayout>();

/**
 * The layout with its last array as a trailing one: the headers give some lists of rep hypercalls the length
 * that fills a page, a call sends as many elements as it has.
 */
export function withElasticList(layout: StructLayout): StructLayout {
  const last = layout.fields.at(-1);
  if (last?.type.kind !== 'array' || last.type.count === undefined) return layout;
  let made = elastic.get(layout);
  if (made === undefined) {
    const list: Field = { ...last, size: 0, type: { ...last.type, count: undefined } };
    made = { ...layout, size: last.offset, fields: [...layout.fields.slice(0, -1), list] };
    elastic.set(layout, made);
  }
  return made;
}

const holes = new Map<StructLayout, readonly { readonly offset: number; readonly size: number }[]>();

/** Runs of bytes inside the struct that no field names. */
export function holesOf(layout: StructLayout): readonly { readonly offset: number; readonly size: number }[] {
  const known = holes.get(layout);
  if (known !== undefined) return known;
  const named = new Uint8Array(layout.size);
  for (const field of layout.fields) named.fill(1, field.offset, field.offset + field.size);
  const found: { offset: number; size: number }[] = [];
  for (let at = 0; at < layout.size; at++) {
    if (named[at] === 1) continue;
    const last = found.at(-1);
    if (last !== undefined && last.offset + last.size === at) last.size++;
    else found.push({ offset: at, size: 1 });
  }
  holes.set(layout, found);
  return found;
}

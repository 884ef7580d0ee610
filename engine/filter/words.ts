import { expectedValues } from './meaning/meaning.ts';
import type { Want } from './parse.ts';
import { type FieldTable, fieldNamed, offeredFields, PAYLOAD_ROOTS, payloadField } from './table.ts';

/** The words and descriptions of what a parser wanted, without doubles; what stands for itself comes last. */
export function wantedWords(wants: readonly Want[], table: FieldTable): string[] {
  const open = wants.filter((want) => want.kind !== 'word').flatMap((want) => wordsOf(want, table));
  const fixed = wants.filter((want) => want.kind === 'word').map((want) => want.text);
  return Array.from(new Set([...open, ...fixed]));
}

function wordsOf(want: Want, table: FieldTable): readonly string[] {
  switch (want.kind) {
    case 'word':
      return [want.text];
    case 'field':
      return [...offeredFields(table), ...PAYLOAD_ROOTS.map((root) => `${root}.…`)];
    case 'path':
      return ['a cell path such as cpu[0].synic.scontrol'];
    case 'position':
      return ['a position such as 812, 812.3 or 812r'];
    case 'value': {
      const spec = fieldNamed(table, want.field);
      if (spec !== undefined) return expectedValues(spec);
      return payloadField(want.field) === undefined ? ['a value'] : ['a number', 'a name', '"text"'];
    }
  }
}

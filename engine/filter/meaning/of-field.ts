import type { FieldSpec } from '../table.ts';
import type { Meaning } from './meaning.ts';
import { numberMeaning } from './number.ts';
import { positionMeaning } from './position.ts';
import { textMeaning } from './text.ts';
import { timeMeaning } from './time.ts';

/** The meaning of a declared field. */
export function meaningOf(spec: FieldSpec): Meaning {
  switch (spec.type) {
    case 'number':
      return numberMeaning(spec, spec.names, spec.numberWhen ?? []);
    case 'name':
      return numberMeaning(spec, spec.names, undefined);
    case 'time':
      return timeMeaning(spec);
    case 'text':
      return textMeaning(spec, spec.text);
    case 'position':
      return positionMeaning(spec, spec.subField);
  }
}

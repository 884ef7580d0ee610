import { formatAddress } from '../trace/position.ts';
import { formatTime } from '../trace/time.ts';
import { quote } from './token.ts';
import type { Tree, Value } from './tree.ts';

/**
 * The one way to write a filter: symbols for `and or not`, single spaces, parentheses only where they are
 * needed. Reading it gives the same tree (columns apart).
 */
export function print(tree: Tree): string {
  switch (tree.kind) {
    case 'or':
      return tree.terms.map(print).join(' || ');
    case 'and':
      return tree.terms.map((term) => (term.kind === 'or' ? `(${print(term)})` : print(term))).join(' && ');
    case 'not':
      return tree.term.kind === 'or' || tree.term.kind === 'and' || tree.term.kind === 'not'
        ? `!(${print(tree.term)})`
        : `!${print(tree.term)}`;
    case 'bare':
      return tree.field.name;
    case 'compare':
      return `${tree.field.name} ${tree.op} ${printValue(tree.value)}`;
    case 'in':
      return `${tree.field.name} in {${tree.values.map(printValue).join(', ')}}`;
    case 'changes':
      return `changes(${tree.path})`;
    case 'under':
      return `under(${formatAddress(tree.position)})`;
  }
}

/** A value as a filter has it. */
export function printValue(value: Value): string {
  switch (value.kind) {
    case 'number': {
      const sign = value.value < 0n ? '-' : '';
      const magnitude = value.value < 0n ? -value.value : value.value;
      return value.hex ? `${sign}0x${magnitude.toString(16)}` : `${sign}${magnitude}`;
    }
    case 'time':
      return value.ns === 0 ? '0ns' : formatTime(value.ns);
    case 'name':
      return value.text;
    case 'string':
      return quote(value.text);
  }
}

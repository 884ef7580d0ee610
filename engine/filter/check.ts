import { collect, fail, ok, type Result } from './error.ts';
import { badValue, type Meaning } from './meaning/meaning.ts';
import { meaningOf } from './meaning/of-field.ts';
import { checkMembers, payloadMeaning } from './meaning/payload.ts';
import { nearest } from './near.ts';
import { compilePattern } from './pattern.ts';
import { allOf, anyOf, negate, type Plan } from './plan.ts';
import { printValue } from './print.ts';
import { type FieldTable, fieldNamed, offeredFields, payloadField } from './table.ts';
import type { CompareOp, FieldRef, Tree, Value } from './tree.ts';

/**
 * Checks a filter against the fields that there are and turns names into numbers. Errors name the column of the
 * field or value that does not fit, and the words that would.
 */
export function check(tree: Tree, table: FieldTable): Result<Plan> {
  switch (tree.kind) {
    case 'or':
    case 'and': {
      const terms = collect(tree.terms.map((term) => check(term, table)));
      if (!terms.ok) return terms;
      return ok(tree.kind === 'and' ? allOf(terms.value) : anyOf(terms.value));
    }
    case 'not': {
      const term = check(tree.term, table);
      return term.ok ? ok(negate(term.value)) : term;
    }
    case 'bare': {
      const field = lookUp(tree.field, table);
      return field.ok ? ok(field.value.bare) : field;
    }
    case 'compare': {
      const field = lookUp(tree.field, table);
      return field.ok ? compare(tree.field, field.value, tree.op, tree.value) : field;
    }
    case 'in': {
      const field = lookUp(tree.field, table);
      return field.ok ? field.value.equal(tree.values) : field;
    }
    case 'changes':
      if (!table.state) return fail(tree.column, 'changes', 'there is no replay here to ask for changes');
      return ok({ kind: 'changes', path: tree.path, negated: false });
    case 'under':
      return ok({ kind: 'under', position: tree.position, negated: false });
  }
}

function lookUp(field: FieldRef, table: FieldTable): Result<Meaning> {
  const spec = fieldNamed(table, field.name);
  if (spec !== undefined && spec.hidden !== true) return ok(meaningOf(spec));
  const payload = payloadField(field.name);
  if (payload === undefined) {
    const fields = offeredFields(table);
    const near = nearest(field.name, fields);
    const others = fields.filter((name) => !near.includes(name));
    return fail(field.column, field.name, 'unknown field', [...near, ...others]);
  }
  const { root, path } = payload;
  if (table.payload !== undefined) {
    const known = checkMembers(field, root, path, table.payload);
    if (!known.ok) return known;
  }
  return ok(payloadMeaning(root, path));
}

function compare(field: FieldRef, meaning: Meaning, op: CompareOp, value: Value): Result<Plan> {
  switch (op) {
    case '==':
      return meaning.equal([value]);
    case '!=': {
      const equal = meaning.equal([value]);
      return equal.ok ? ok(allOf([meaning.present, negate(equal.value)])) : equal;
    }
    case '~': {
      const text = value.kind === 'name' || value.kind === 'string' ? value.text : printValue(value);
      const compiled = compilePattern(text);
      if (!compiled.ok) {
        return badValue(value, `pattern, character ${compiled.offset + 1}: ${compiled.message}`, []);
      }
      const plan = meaning.match(compiled.pattern);
      if (plan !== undefined) return ok(plan);
      return badValue(value, `${field.name} is no text, '~' has nothing to search`, ['==', '!=', '<', '>']);
    }
    default:
      return meaning.order(op, value);
  }
}

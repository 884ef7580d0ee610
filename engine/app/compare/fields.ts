import { type Json, parseJson } from '../../trace/text/json.ts';
import type { BesideField } from '../api-compare.ts';

/** Where and when an event stands: never a difference in meaning. */
const PLACE: ReadonlySet<string> = new Set(['t', 'tEnd', 'seq', 'parent', 'provenance', 'note']);

/** A field that differs in meaning. */
interface Difference {
  readonly field: string;
  readonly a: string;
  readonly b: string;
}

/**
 * The members of two lines of event text beside each other, those that differ first. `known`: the fields that differ in
 * meaning; what else differs is another name for the same. Without it every member that differs does.
 */
export function fieldsBeside(
  a: string | undefined,
  b: string | undefined,
  known: readonly Difference[] | undefined,
): BesideField[] {
  const [one, other] = [membersOf(a), membersOf(b)];
  const told = new Set<Difference>();
  const fields = [...new Set([...one.keys(), ...other.keys()])].map((path): BesideField => {
    const values = { path, a: one.get(path) ?? null, b: other.get(path) ?? null };
    if (values.a === values.b) return { ...values, verdict: 'same' };
    if (PLACE.has(path) || a === undefined || b === undefined) return { ...values, verdict: 'named' };
    const differences = (known ?? []).filter(({ field }) => isWithin(field, path) || isWithin(path, field));
    for (const difference of differences) told.add(difference);
    return { ...values, verdict: known === undefined || differences.length > 0 ? 'differs' : 'named' };
  });
  // What no member of the text tells: that a page was kept, what an event happened below.
  const more = (known ?? [])
    .filter((each) => !told.has(each))
    .map(({ field, ...values }): BesideField => ({ path: field, ...values, verdict: 'differs' }));
  const all = [...more, ...fields];
  return (['differs', 'named', 'same'] as const).flatMap((wanted) =>
    all.filter(({ verdict }) => verdict === wanted),
  );
}

function isWithin(inner: string, outer: string): boolean {
  return inner === outer || (inner.startsWith(outer) && /[.[]/.test(inner.charAt(outer.length)));
}

/** The members of a line by path; lists of plain values are one. */
function membersOf(line: string | undefined): Map<string, string> {
  const members = new Map<string, string>();
  const read = line === undefined ? undefined : parseJson(line);
  if (read !== undefined && !('problem' in read)) put(members, '', read.value);
  return members;
}

function put(members: Map<string, string>, path: string, value: Json): void {
  if (value === null || typeof value !== 'object') members.set(path, String(value));
  else if (Array.isArray(value)) {
    if (value.every((each) => each === null || typeof each !== 'object')) members.set(path, value.join(' '));
    else for (const [i, each] of value.entries()) put(members, `${path}[${i}]`, each);
  } else
    for (const [key, each] of Object.entries(value)) put(members, path === '' ? key : `${path}.${key}`, each);
}

import type { TraceEvent } from '../../trace/event.ts';
import { mixed, textHash } from '../hashing.ts';

/** Where and when an event stands, and who knows of it, is not what it says. */
const PLACE: ReadonlySet<string> = new Set(['seq', 'parent', 't', 'tEnd', 'provenance', 'note']);

/** A hash of what an event says, whatever the order in which its members were set. */
export function contentOf(event: TraceEvent): number {
  let sum = 0;
  for (const [key, value] of Object.entries(event)) {
    if (!PLACE.has(key) && value !== undefined) sum = (sum + mixed(textHash(key), hashOf(value))) | 0;
  }
  return sum;
}

function hashOf(value: unknown): number {
  switch (typeof value) {
    case 'string':
      return textHash(value);
    case 'number':
      return mixed(2, value | 0);
    case 'bigint':
      return mixed(Number(BigInt.asIntN(32, value)), Number(BigInt.asIntN(32, value >> 32n)));
    case 'boolean':
      return value ? 3 : 4;
    default:
      return value === null || value === undefined ? 5 : ofObject(value as object);
  }
}

function ofObject(value: object): number {
  let hash = 0x811c_9dc5 | 0;
  if (value instanceof Uint8Array) {
    for (let i = 0; i < value.length; i++) hash = mixed(hash, value[i] as number);
    return mixed(hash, value.length);
  }
  if (Array.isArray(value)) {
    for (const each of value) hash = mixed(hash, hashOf(each));
    return mixed(hash, value.length);
  }
  for (const [key, each] of Object.entries(value))
    if (each !== undefined) hash = (hash + mixed(textHash(key), hashOf(each))) | 0;
  return hash;
}

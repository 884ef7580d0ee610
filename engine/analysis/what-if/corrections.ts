import { hexOf } from '../../abi/text.ts';
import { codeOf } from '../../replay/describe.ts';
import type { TraceEvent } from '../../trace/event.ts';
import { type Address, compareAddresses } from '../../trace/position.ts';
import { formatEvent, textContext } from '../../trace/text/index.ts';
import { isObject, type Json, parseJson } from '../../trace/text/json.ts';
import type { Edit } from './edit.ts';
import type { Original } from './original.ts';

/** Members of an event's line that are given another value, of each sort. */
const MAX_FIELDS = 8;
const RESERVED = /^(reserved|rsvd|must_be_zero|mbz|padding|res)[0-9a-z_]*$/;
const PARTITION = /(^|_)partition(_id)?$/;
/** HV_PARTITION_ID_SELF: the caller's own partition. */
const SELF = '0xffffffffffffffff';
const IN_PAGE = 0xfffn;

type Leaf = readonly [path: readonly string[], value: bigint];

/**
 * Values that an event should have had. Of a write of an MSR what the register held, or the frame that was read from it. Of a
 * buffer zeros where it is reserved, and what follows from the elements that were completed.
 */
export function* corrections(original: Original, at: Address, proof: readonly Address[]): Iterable<Edit> {
  const event = eventOf(original, at);
  if (event === undefined) return;
  if (event.kind === 'msr') {
    if (event.dir === 'write') yield* ofRegister(original, at, event, proof);
    return;
  }
  const leaves = leavesOf(original, event);
  const set = (path: readonly string[], value: Json): Edit => ({ what: 'set', at, path, value });
  const reserved = leaves.filter(([path, value]) => value !== 0n && RESERVED.test(path.at(-1) ?? ''));
  for (const [path] of reserved.slice(0, MAX_FIELDS)) yield set(path, 0);
  for (const [path, value] of goneOn(original, at, event, leaves, proof)) yield set(path, hexOf(value));
}

/** The culprit made about another partition: the caller's own, or one that the proof names. */
export function* redirected(original: Original, at: Address, proof: readonly Address[]): Iterable<Edit> {
  const event = eventOf(original, at);
  if (event === undefined) return;
  const named = leavesOf(original, event).filter(([path]) => PARTITION.test(path.at(-1) ?? ''));
  const others = new Set([SELF, ...proof.flatMap((each) => partitionsOf(original, each))]);
  for (const [path, value] of named.slice(0, MAX_FIELDS))
    for (const other of others) if (other !== hexOf(value)) yield { what: 'set', at, path, value: other };
}

export function eventOf({ archive }: Original, at: Address): TraceEvent | undefined {
  return archive.step(at)?.event;
}

function* ofRegister(
  original: Original,
  at: Address,
  event: TraceEvent & { kind: 'msr' },
  proof: readonly Address[],
): Iterable<Edit> {
  const { value, msr, cpu } = event;
  if (value === undefined) return;
  const values = new Set<bigint>();
  const held = heldBefore(original, at);
  if (held !== undefined) values.add(held);
  for (const each of proof) {
    const read = compareAddresses(each, at) < 0 ? eventOf(original, each) : undefined;
    const isIt = read?.kind === 'msr' && read.dir === 'read' && read.msr === msr && read.cpu === cpu;
    if (isIt && read.value !== undefined) values.add((read.value & ~IN_PAGE) | (value & IN_PAGE));
  }
  for (const other of values)
    if (other !== value) yield { what: 'set', at, path: ['value'], value: hexOf(other) };
}

/** What a register held when it was written to, where the write took effect. */
function heldBefore({ archive, history }: Original, at: Address): bigint | undefined {
  const step = archive.step(at);
  if (step === undefined || step.event.kind !== 'msr') return undefined;
  for (let entry = step.from; entry < step.to; entry++) {
    const { old, now, oldKnown } = history.write(entry);
    if (oldKnown && now === step.event.value) return old;
  }
  return undefined;
}

/**
 * A call that goes on behind all that the one before it was asked for, of which fewer elements were completed: where it should
 * have gone on. A field that is greater by the number asked for should be greater by the number completed.
 */
function* goneOn(
  original: Original,
  at: Address,
  event: TraceEvent,
  leaves: readonly Leaf[],
  proof: readonly Address[],
): Iterable<Leaf> {
  if (event.kind !== 'hypercall') return;
  for (const each of proof.filter((other) => compareAddresses(other, at) < 0).reverse()) {
    const before = eventOf(original, each);
    if (before?.kind !== 'hypercall' || codeOf(before.control) !== codeOf(event.control)) continue;
    const completed = BigInt(before.result?.reps ?? 0);
    const asked = (before.control >> REPS_SHIFT) & REPS_MASK;
    if (completed >= asked) continue;
    const there = new Map(leavesOf(original, before).map(([path, value]) => [path.join('.'), value]));
    for (const [path, value] of leaves) {
      const old = there.get(path.join('.'));
      if (old !== undefined && value - old === asked) yield [path, old + completed];
    }
    return;
  }
}

/** The rep count of a control word (TLFS, hypercall inputs: bits 32 to 43). */
const REPS_SHIFT = 32n;
const REPS_MASK = 0xfffn;

function partitionsOf(original: Original, at: Address): string[] {
  const event = eventOf(original, at);
  if (event === undefined) return [];
  const named = leavesOf(original, event).filter(([path]) => PARTITION.test(path.at(-1) ?? ''));
  return named.map(([, value]) => hexOf(value));
}

/** The numbers of an event's line, with their paths. */
function leavesOf({ source }: Original, event: TraceEvent): Leaf[] {
  const read = parseJson(formatEvent(event, textContext(source.header.profile)));
  const found: Leaf[] = [];
  if (!('problem' in read)) collect(found, read.value, []);
  return found;
}

function collect(found: Leaf[], json: Json, path: readonly string[]): void {
  if (!isObject(json)) return;
  for (const [key, value] of Object.entries(json)) {
    const isNumber =
      Number.isSafeInteger(value) || (typeof value === 'string' && /^0x[0-9a-f]+$/.test(value));
    if (isNumber) found.push([[...path, key], BigInt(value as string | number)]);
    else collect(found, value, [...path, key]);
  }
}

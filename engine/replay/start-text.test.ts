import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ALL_KINDS } from '../analysis/kinds.ts';
import { SIDES } from '../drivers/scenario.testing.ts';
import { Machine } from '../machine/machine.ts';
import { type KindRegistry, kindPath } from '../state/kind-path.ts';
import { seqOf } from '../trace/position.ts';
import { parseProfile } from '../trace/profile-read.ts';
import { type Json, type JsonObject, parseJson } from '../trace/text/json.ts';
import { isSound, type Start } from './start.ts';
import { formatStart, readStart } from './start-text.ts';

const KINDS = new Map(ALL_KINDS.map((kind) => [kindPath(kind), kind]));
const kindOf: KindRegistry = (path) => KINDS.get(path);

function startOf(given: Readonly<Record<string, Json>>): Start {
  const read = parseProfile(given);
  if ('problem' in read) assert.fail(read.problem.message);
  const { store } = Machine.initial(read.profile, SIDES);
  const open = [
    { seq: seqOf(1), sub: 3, waits: true },
    { seq: seqOf(2), sub: 0, waits: false },
  ];
  const { objects, components } = store.tables;
  // Of a machine that has begun nothing is gone and no bytes are kept: both are put in.
  const bytes = [Uint8Array.of(), Uint8Array.of(0, 255, 7)];
  const checkpoint = store.checkpoint();
  const unknown = Uint32Array.of(1, 2, 5, 1);
  return {
    store: { ...checkpoint, unknown, blobs: 2 },
    tables: { objects: objects.slice(), components, blobs: bytes },
    open,
  };
}

function jsonOf(start: Start): JsonObject {
  const read = parseJson(formatStart(start));
  if ('problem' in read) assert.fail(read.problem.message);
  return read.value as JsonObject;
}

const START = startOf({ cpus: 3, role: 'l1vh' });

test('a state comes back as it was', () => {
  assert.deepEqual(readStart(jsonOf(START), kindOf), START);
});

test('an object that is gone has a row and no cells', () => {
  const { blocks, values } = START.store;
  const [first = 0, length = 0] = blocks;
  const store = { ...START.store, blocks: blocks.slice(2), values: values.slice(length) };
  const read = readStart(jsonOf({ ...START, store }), kindOf);
  assert.deepEqual(read, { ...START, store });
  assert.ok([...(read?.tables.objects ?? [])].some(({ id }) => (id as number) === first));
});

test('a kind that this engine does not have, another version, and calls that are not numbered from 1 are refused', () => {
  const json = jsonOf(START);
  assert.equal(
    readStart(json, () => undefined),
    undefined,
  );
  assert.equal(readStart({ ...json, version: 2 }, kindOf), undefined);
  assert.equal(readStart({ ...json, calls: [{ seq: 2, sub: 0, waits: true }] }, kindOf), undefined);
});

/** JSON with one value, somewhere in it, replaced. */
function changed(json: Json, path: readonly number[], put: Json): Json {
  const [step, ...rest] = path;
  if (step === undefined || json === null || typeof json !== 'object') return put;
  const keys = Object.keys(json);
  if (keys.length === 0) return put;
  const key = keys[step % keys.length] as string;
  const inner = changed((json as JsonObject)[key] as Json, rest, put);
  if (Array.isArray(json)) return json.map((item: Json, i) => (String(i) === key ? inner : item));
  return { ...(json as JsonObject), [key]: inner };
}

test('whatever is changed in it, it is refused or a state that a store would have made', () => {
  const json = jsonOf(START);
  const put = fc.constantFrom<Json>(null, -1, 0, 1, 2, 4_294_967_296, '', '0x1', '0xzz', 'cpu', [], {}, true);
  fc.assert(
    fc.property(fc.array(fc.nat(400), { minLength: 1, maxLength: 5 }), put, (path, value) => {
      const whole = changed(json, path, value);
      if (whole === null || typeof whole !== 'object' || Array.isArray(whole)) return;
      const read = readStart(whole as JsonObject, kindOf);
      if (read !== undefined) assert.ok(isSound(read.store, read.tables));
    }),
  );
});

/**
 * Recordings of programs: a wrong answer in one is a divergence there, and it replays to the same hash every time, in
 * Chromium too.
 */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { decodeControl, hypercalls } from '../../engine/abi/index.ts';
import { replay } from '../../engine/replay/replay.ts';
import { memorySource } from '../../engine/replay/source.ts';
import { packTrace } from '../../engine/trace/packed/stream.ts';
import { formatEvent, formatHeader, textContext } from '../../engine/trace/text/index.ts';
import { SIDES } from '../../main/cli/sides.ts';
import { GUEST_ENTRY, guestProgram, HYPERCALL_PAGE, SAMPLE } from '../../samples/clients/guest.ts';
import { isProblem, openTrace } from '../../tracer/store/index.ts';
import { noChromium } from '../chromium.testing.ts';
import { placeOf, Text } from '../cli/mutated-text.testing.ts';
import { type Mutation, mutationsOf } from '../cli/mutations.testing.ts';
import { callInChromium } from '../page-module.testing.ts';
import { build, emulate, LACKING, scratch } from './build.testing.ts';
import { replayPacked } from './page-replay.ts';

/** Changes that are tried of each recording, beside one of each kind. */
const SAMPLED = 60;

/** A recording in memory: its text, as it is exported, and packed. */
interface Recording {
  readonly text: Text;
  readonly packed: Uint8Array;
  readonly hash: string;
}

const PROGRAMS = [
  { name: 'hello', source: 'samples/clients/hello.c', hasGuest: true, profile: undefined },
  {
    name: 'hello of 2020',
    source: 'samples/clients/hello-rfc2020.c',
    hasGuest: true,
    profile: 'kernel=rfc2020',
  },
  { name: 'eventfds', source: 'test/emulate/clients/eventfd.c', hasGuest: false, profile: undefined },
] as const;

/** A guest that does a bit of everything and prints next to nothing. */
const GUEST = guestProgram([
  { writeMsr: SAMPLE.osId, value: 1 },
  { writeMsr: SAMPLE.hypercall, value: HYPERCALL_PAGE | 1 },
  { cpuid: SAMPLE.cpuid },
  { device: SAMPLE.device },
  { readMsr: SAMPLE.msr },
  { hypercall: { code: 0x5c, input: new Array<number>(256).fill(0) } },
]);

/** Outputs that depend on what the guest did, which no event shows: bound (docs/engine.md). */
const BOUND = new Set(['GET_VP_STATE', 'GET_GPA_PAGES_ACCESS_STATES'].map((name) => hypercalls.number(name)));

function isChecked({ event, field }: Mutation): boolean {
  // Whether there was an address left is the kernel's affair.
  if (event.kind === 'fd' && event.what === 'mmap') return false;
  return event.kind !== 'hypercall' || field !== 'output' || !BOUND.has(decodeControl(event.control).code);
}

/** Numbers that a seed gives again: xorshift, 32 bits. */
function generator(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

/** One change of each kind of field, then as many more as are asked for. */
function sample(mutations: readonly Mutation[], seed: number): Mutation[] {
  const byKind = new Map(mutations.map((m) => [`${m.event.kind} ${m.field} ${m.of}`, m]));
  const random = generator(seed);
  const more = Array.from({ length: SAMPLED }, () => mutations[random(mutations.length)] as Mutation);
  return [...byKind.values(), ...more];
}

describe('recordings of programs', { skip: LACKING }, () => {
  const folder = scratch();
  const recordings = new Map<string, Recording>();
  const seed = (Date.now() % 0x7fff_ffff) | 1;
  after(() => console.log(`seed ${seed}`));

  before(async () => {
    assert.ok(GUEST.length < 0x8000 - GUEST_ENTRY);
    const guest = join(folder, 'guest.bin');
    writeFileSync(guest, GUEST);
    for (const { name, source, hasGuest, profile } of PROGRAMS) {
      const command = [build(source, folder), ...(hasGuest ? [guest] : [])];
      const { exit, trace } = await emulate(folder, command, profile === undefined ? {} : { profile });
      assert.equal(exit, 0);
      recordings.set(name, read(trace));
    }
  });

  function read(path: string): Recording {
    const reader = openTrace(path);
    if (isProblem(reader)) throw new Error(reader.text);
    const { header } = reader;
    const events = [...reader.range()];
    reader.close();
    const context = textContext(header.profile);
    const line = formatHeader(header);
    const text = new Text([line, ...events.map((event) => formatEvent(event, context))].join('\n'));
    const packed = [...packTrace({ header: line, events: events.length, extra: {} }, events)];
    const { hash } = replay(memorySource(header, events), SIDES);
    return { text, packed: Uint8Array.from(packed.flatMap((part) => [...part])), hash };
  }

  for (const { name } of PROGRAMS) {
    test(`${name}: a changed field is a divergence there`, () => {
      const { text } = recordings.get(name) as Recording;
      const mutations = text.events.flatMap(mutationsOf).filter(isChecked);
      for (const mutation of sample(mutations, seed)) {
        const { divergences } = replay(memorySource(text.header, text.with(mutation)), SIDES);
        const at = placeOf(mutation);
        assert.ok(
          divergences.some((found) => found.at === at && found.field === mutation.field),
          `seed ${seed}: ${text.line(mutation.event)}: ${mutation.field} at ${at}: ${JSON.stringify(divergences.slice(0, 3))}`,
        );
      }
    });

    test(`${name}: as exported, and packed, it replays to the same hash`, () => {
      const { text, packed, hash } = recordings.get(name) as Recording;
      const exported = replay(memorySource(text.header, text.events), SIDES);
      assert.deepEqual([exported.divergences, exported.hash], [[], hash]);
      assert.deepEqual(replayPacked(packed), { events: text.events.length, divergences: 0, hash });
    });
  }

  test('in Chromium too', { skip: noChromium }, async () => {
    const all = [...recordings.values()];
    const found = await callInChromium(
      join(import.meta.dirname, 'page-replay.ts'),
      'replayPacked',
      all.map(({ packed }) => [...packed]),
    );
    const expected = all.map(({ text, hash }) => ({ events: text.events.length, divergences: 0, hash }));
    assert.deepEqual(found, expected);
  });
});

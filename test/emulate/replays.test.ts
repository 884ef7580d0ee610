/**
 * Recordings of programs: a wrong answer in one is a divergence there, and it replays to the same hash every time, in
 * Chromium too.
 */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { replay } from '../../engine/replay/replay.ts';
import { memorySource } from '../../engine/replay/source.ts';
import { packTrace } from '../../engine/trace/packed/stream.ts';
import { formatHeader } from '../../engine/trace/text/index.ts';
import { SIDES } from '../../main/cli/sides.ts';
import { GUEST_ENTRY, guestProgram, HYPERCALL_PAGE, SAMPLE } from '../../samples/clients/guest.ts';
import { isProblem, openTrace } from '../../tracer/store/index.ts';
import { noChromium } from '../chromium.testing.ts';
import { mutationsOf } from '../mutation/answers.ts';
import { AnswerTable } from '../mutation/answers-table.ts';
import type { Recording } from '../mutation/corpus.ts';
import { generator, sampled } from '../mutation/random.ts';
import { readBack } from '../mutation/text.ts';
import { callInChromium } from '../page-module.testing.ts';
import { build, emulate, LACKING, scratch } from './build.testing.ts';
import { replayPacked } from './page-replay.ts';

/** Changes that are tried of each recording, beside one of each kind of field. */
const SAMPLED = 60;

/** A recording in memory, as it is exported, and packed. */
interface Recorded extends Recording {
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

describe('recordings of programs', { skip: LACKING }, () => {
  const folder = scratch();
  const recordings = new Map<string, Recorded>();
  const seed = (Date.now() % 0x7fff_ffff) | 1;
  const random = generator(seed);
  after(() => console.log(`seed ${seed}`));

  before(async () => {
    assert.ok(GUEST.length < 0x8000 - GUEST_ENTRY);
    const guest = join(folder, 'guest.bin');
    writeFileSync(guest, GUEST);
    for (const { name, source, hasGuest, profile } of PROGRAMS) {
      const command = [build(source, folder), ...(hasGuest ? [guest] : [])];
      const { exit, trace } = await emulate(folder, command, profile === undefined ? {} : { profile });
      assert.equal(exit, 0);
      recordings.set(name, read(name, trace));
    }
  });

  function read(name: string, path: string): Recorded {
    const reader = openTrace(path);
    if (isProblem(reader)) throw new Error(reader.text);
    const { header } = reader;
    const events = [...reader.range()];
    reader.close();
    const line = formatHeader(header);
    const packed = [...packTrace({ header: line, events: events.length, extra: {} }, events)];
    const { hash } = replay(memorySource(header, events), SIDES);
    const exported = events.map((event) => readBack(header, event));
    return {
      name,
      header,
      events: exported,
      packed: Uint8Array.from(packed.flatMap((part) => [...part])),
      hash,
    };
  }

  for (const { name } of PROGRAMS) {
    test(`${name}: a changed field is a divergence there`, () => {
      const recording = recordings.get(name) as Recorded;
      const mutations = recording.events.flatMap(mutationsOf);
      const table = new AnswerTable();
      table.change(
        recording,
        sampled(mutations, ({ event, field }) => `${event.kind} ${field}`, SAMPLED, random),
      );
      assert.deepEqual(table.missed, [], `seed ${seed}`);
    });

    test(`${name}: as exported, and packed, it replays to the same hash`, () => {
      const { header, events, packed, hash } = recordings.get(name) as Recorded;
      const exported = replay(memorySource(header, events), SIDES);
      assert.deepEqual([exported.divergences, exported.hash], [[], hash]);
      assert.deepEqual(replayPacked(packed), { events: events.length, divergences: 0, hash });
    });
  }

  test('in Chromium too', { skip: noChromium }, async () => {
    const all = [...recordings.values()];
    const found = await callInChromium(
      join(import.meta.dirname, 'page-replay.ts'),
      'replayPacked',
      all.map(({ packed }) => [...packed]),
    );
    const expected = all.map(({ events, hash }) => ({ events: events.length, divergences: 0, hash }));
    assert.deepEqual(found, expected);
  });
});

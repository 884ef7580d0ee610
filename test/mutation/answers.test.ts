/**
 * Zero divergences mean something only if a wrong answer is one: what replay compares is changed field by field, and a
 * replay must report a divergence at that position and that field. `npm run test:mutations` changes all of it.
 */
import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { replay } from '../../engine/replay/replay.ts';
import { SIDES } from '../../main/cli/sides.ts';
import { mutationsOf } from './answers.ts';
import { AnswerTable } from './answers-table.ts';
import { bootOfQemu, type Recording, recordings, sourceOf } from './corpus.ts';
import { generator, sampled } from './random.ts';

/** Changes of each recording; a change is a replay. */
const SAMPLED = 3;
/** Of QEMU's boot. */
const BOOT_EVENTS = 400;

describe('a changed answer is a divergence there', () => {
  const seed = (Date.now() % 0x7fff_ffff) | 1;
  const random = generator(seed);
  const table = new AnswerTable();
  const all = recordings();
  after(() => console.log(`seed ${seed}\n${table.markdown()}`));

  const untouched = (recording: Recording) => replay(sourceOf(recording, recording.events), SIDES);

  test('every field of one sample', () => {
    const samples = all.filter(({ events }) => events.length > 40 && events.length < 90);
    const recording = samples[random(samples.length)] as Recording;
    const mutations = recording.events.flatMap(mutationsOf);
    const fields = sampled(mutations, ({ event, field, of }) => `${event.seq} ${field} ${of}`, 0, random);
    table.change(recording, fields);
    const counted = new Set(
      fields.filter(({ bound }) => bound !== true).map((m) => `${m.event.seq} ${m.field} ${m.of}`),
    );
    assert.ok(
      counted.size >= untouched(recording).checked,
      `seed ${seed}: ${recording.name}: as many as are compared`,
    );
    assert.deepEqual(table.missed, [], `seed ${seed}`);
  });

  for (const recording of [...all, bootOfQemu(BOOT_EVENTS)])
    test(recording.name, () => {
      assert.deepEqual(untouched(recording).divergences, []);
      const mutations = recording.events.flatMap(mutationsOf);
      table.change(
        recording,
        sampled(mutations, () => '', SAMPLED, random),
      );
      assert.deepEqual(table.missed, [], `seed ${seed}`);
    });
});

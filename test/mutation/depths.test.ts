/**
 * Replay of every depth: a recording of which less is seen replays without a divergence, from its start and from any of
 * its stimuli on as the recording of a machine that was up already. Here a sample, `npm run test:mutations` tries all.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { recordings, sourceOf } from './corpus.ts';
import { claimsWrongly, diverges, seenLess } from './depths.ts';
import { finalOf } from './outcome.ts';
import { generator, sampled } from './random.ts';

const SAMPLED = 90;
/** Recordings of which one start is tried. */
const COMPARED = 8;

test('what less is seen of diverges no more', () => {
  const seed = (Date.now() % 0x7fff_ffff) | 1;
  const all = recordings().flatMap(seenLess);
  const tried = sampled(all, ({ depth, isMidLife }) => `${depth} ${isMidLife}`, SAMPLED, generator(seed));
  console.log(`seed ${seed}: ${tried.length} of ${all.length}`);
  assert.deepEqual(
    tried.filter(diverges).map(({ name }) => name),
    [],
    `seed ${seed}`,
  );
});

test('pages that a stop of a VP gave the guest are taken away again where the record shows all but the stop', () => {
  const tearDown = recordings().filter(({ name }) => name === '07-tear-down');
  const less = tearDown.flatMap(seenLess).find(({ name }) => name === '07-tear-down, calls and hypercalls');
  assert.ok(less !== undefined);
  const { events } = less.recording();
  assert.ok(!events.some(({ kind }) => kind === 'intercept'));
  assert.equal(diverges(less), false);
});

test('what stands below a call of which nobody can tell what it does is taken as it stands', () => {
  // Whether the VTLs share DR6 was asked when the driver started.
  const devices = recordings().filter(({ name }) => name === '10-vtl');
  const less = devices.flatMap(seenLess).find(({ name }) => name === '10-vtl, with all below, from 4');
  assert.ok(less !== undefined);
  assert.equal(diverges(less), false);
});

test('what is known of a machine that was up already is so', () => {
  const seed = (Date.now() % 0x7fff_ffff) | 1;
  const random = generator(seed);
  console.log(`seed ${seed}`);
  for (const whole of sampled(recordings(), () => '', COMPARED, random)) {
    const { known } = finalOf(sourceOf(whole, whole.events));
    const later = seenLess(whole).filter((less) => less.isMidLife && less.depth === 'with all below');
    const wrong = sampled(later, () => '', 1, random).flatMap((less) => claimsWrongly(known, less));
    assert.deepEqual(wrong, [], `seed ${seed}`);
  }
});

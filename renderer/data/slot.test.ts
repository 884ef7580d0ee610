import assert from 'node:assert/strict';
import { test } from 'node:test';
import { signal } from '@preact/signals';
import type { App } from '../../engine/app/api.ts';
import { NotYet } from '../transport/refused.ts';
import { Slot } from './slot.ts';

/** The other side, answered by hand: which requests are under way, and what comes of them. */
class Hand {
  readonly asked: string[] = [];
  readonly #open = new Map<string, { done: (value: unknown) => void; fail: (error: Error) => void }>();
  readonly app: App = {
    invoke: (_method, input) =>
      new Promise((done, fail) => {
        const key = (input as { at: string }).at;
        this.asked.push(key);
        this.#open.set(key, { done: done as (value: unknown) => void, fail });
      }),
    onProgress: () => () => {},
  };

  async answer(at: string): Promise<void> {
    this.#open.get(at)?.done({ cells: [], at });
    await settled();
  }

  async putOff(at: string): Promise<void> {
    this.#open.get(at)?.fail(new NotYet());
    await settled();
  }

  async refuse(at: string): Promise<void> {
    this.#open.get(at)?.fail(new Error(`nothing at ${at}`));
    await settled();
  }
}

const settled = (): Promise<void> => new Promise((done) => setTimeout(done, 0));

function slotOn(at: { readonly value: string }, keep = 8, epoch = signal(0)) {
  const hand = new Hand();
  const slot = new Slot(
    { app: hand.app, epoch },
    'state',
    () => (at.value === '' ? undefined : { at: at.value, path: '' }),
    keep,
  );
  const shown = () => slot.answer.value?.input.at;
  return { hand, slot, shown };
}

test('nothing is asked while there is no input', async () => {
  const { hand, slot } = slotOn(signal(''));
  await settled();
  assert.deepEqual(hand.asked, []);
  assert.equal(slot.value.value, undefined);
});

test('one request is under way at a time, and the newest input is asked next', async () => {
  const at = signal('1');
  const { hand, slot, shown } = slotOn(at);
  await settled();
  for (const next of ['2', '3', '4']) {
    at.value = next;
    await settled();
  }
  assert.deepEqual(hand.asked, ['1']);
  await hand.answer('1');
  assert.deepEqual(hand.asked, ['1', '4']);
  assert.equal(slot.fresh.value, false);
  assert.equal(shown(), '1', 'an older answer is shown until the newest is there');
  await hand.answer('4');
  assert.equal(shown(), '4');
  assert.equal(slot.fresh.value, true);
});

test('a step back is answered without asking, and a late answer does not overwrite it', async () => {
  const at = signal('1');
  const { hand, shown } = slotOn(at);
  await settled();
  await hand.answer('1');
  at.value = '2';
  await settled();
  at.value = '1';
  await settled();
  assert.equal(shown(), '1');
  await hand.answer('2');
  assert.equal(shown(), '1');
  assert.deepEqual(hand.asked, ['1', '2']);
});

test('a refusal is a value; the last good answer stays', async () => {
  const at = signal('1');
  const { hand, slot } = slotOn(at);
  await settled();
  await hand.answer('1');
  at.value = '9';
  await settled();
  await hand.refuse('9');
  assert.equal(slot.problem.value, 'nothing at 9');
  assert.deepEqual(slot.value.value, { cells: [], at: '1' });
  at.value = '1';
  await settled();
  assert.equal(slot.problem.value, undefined);
});

test('only so many answers are kept', async () => {
  const at = signal('1');
  const { hand } = slotOn(at, 1);
  for (const next of ['1', '2', '1']) {
    at.value = next;
    await settled();
    await hand.answer(next);
  }
  assert.deepEqual(hand.asked, ['1', '2', '1']);
});

test('what only the replay tells is asked again when it is done, and no older answer is taken for it', async () => {
  const [at, epoch] = [signal('1'), signal(0)];
  const { hand, slot, shown } = slotOn(at, 8, epoch);
  await settled();
  await hand.answer('1');
  at.value = '1.3';
  await settled();
  await hand.putOff('1.3');
  assert.deepEqual([slot.waiting.value, slot.problem.value], [true, undefined]);
  at.value = '2';
  await settled();
  await hand.answer('2');
  assert.equal(slot.waiting.value, false, 'what can be told is told meanwhile');
  at.value = '1.3';
  await settled();
  await hand.putOff('1.3');
  epoch.value = 1;
  await settled();
  assert.equal(slot.waiting.value, true);
  await hand.answer('1.3');
  assert.deepEqual([slot.waiting.value, shown()], [false, '1.3']);
  assert.deepEqual(hand.asked, ['1', '1.3', '2', '1.3', '1.3']);
});

test('an answer that was given before is asked anew after the replay, and stays until the new one is there', async () => {
  const [at, epoch] = [signal('1'), signal(0)];
  const { hand, slot } = slotOn(at, 8, epoch);
  await settled();
  await hand.answer('1');
  epoch.value = 1;
  await settled();
  assert.deepEqual(hand.asked, ['1', '1']);
  assert.deepEqual(slot.value.value, { cells: [], at: '1' });
  assert.equal(slot.fresh.value, false);
  await hand.answer('1');
  assert.equal(slot.fresh.value, true);
});

test('a request that was put off when the replay was done already is asked again', async () => {
  const [at, epoch] = [signal('1'), signal(0)];
  const { hand, slot } = slotOn(at, 8, epoch);
  await settled();
  epoch.value = 1;
  await settled();
  await hand.putOff('1');
  await hand.answer('1');
  assert.deepEqual([slot.waiting.value, slot.fresh.value], [false, true]);
});

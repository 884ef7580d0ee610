import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { VpChannel } from './channel.ts';

test('a thread that is woken for a run which it has done already does none', async () => {
  const channel = new VpChannel();
  const code = `
    const { parentPort, workerData } = require('node:worker_threads');
    import(${JSON.stringify(new URL('./channel.ts', import.meta.url).href)}).then(({ VpChannel }) => {
      const channel = new VpChannel(workerData);
      parentPort.postMessage('waits');
      for (let runs = 0; runs < 2; runs++) {
        channel.waitForRun();
        channel.end();
        parentPort.postMessage('ran');
      }
    });`;
  const worker = new Worker(code, { eval: true, workerData: channel.shared });
  const said: unknown[] = [];
  worker.on('message', (message) => said.push(message));
  try {
    await once(worker, 'message');
    channel.ask();
    await once(worker, 'message');
    // As late as a notification can be: until it has woken somebody.
    const words = new Int32Array(channel.shared);
    const notified = () => words.some((_, word) => Atomics.notify(words, word) > 0);
    while (!notified()) await sleep(1);
    await sleep(20);
    assert.deepEqual([said, channel.isIdle], [['waits', 'ran'], true]);
    channel.ask();
    await once(worker, 'exit');
    assert.deepEqual(said, ['waits', 'ran', 'ran']);
  } finally {
    await worker.terminate();
  }
});

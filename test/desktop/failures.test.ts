/** Threads and views that die under the program. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { control, crashPage, page, secondInstance } from './double/control.ts';
import { at, chromium, makeTrace, shows, showsTrace, startBefore, until } from './program.testing.ts';

startBefore({
  traces: () => makeTrace('here.hvtrace'),
  words: () => [at('here.hvtrace')],
  opened: () => showsTrace('here.hvtrace'),
  // A worker that dies of one request, as it would of a defect or for want of memory.
  prepare: (appFolder) => {
    const worker = join(appFolder, 'worker.js');
    const dies = `import { parentPort as early } from 'node:worker_threads';
      early.addEventListener('message', (event) => {
        if (event.data.call?.input.filter !== 'seq == 424242') return;
        event.stopImmediatePropagation();
        throw new Error('out of luck\\nand more');
      });\n`;
    writeFileSync(worker, dies + readFileSync(worker, 'utf8'));
  },
});

const status = async (): Promise<{ trace: string | null; line: string }> => {
  const reply = await page().evaluate(() => window.hvrewind.shell('status', {}));
  return (reply as { value: { trace: string | null; line: string } }).value;
};

describe('the program goes on', chromium, () => {
  test('when the thread of a trace dies: one line, no trace, and the next opens', async () => {
    const waiting = page().evaluate(() =>
      window.hvrewind.app('events', { filter: 'seq == 424242', derived: false, from: 0, count: 1 }),
    );
    // The request may be answered with the refusal, or its page be gone with the trace.
    await waiting.then(
      (reply) => assert.deepEqual(Object.keys(reply), ['problem']),
      (error: unknown) => assert.match(String(error), /context was destroyed/),
    );
    await shows('here.hvtrace: out of luck');
    assert.deepEqual(
      { ...(await status()), recent: [] },
      { trace: null, line: 'here.hvtrace: out of luck', recent: [] },
    );
    secondInstance({ file: at('here.hvtrace') });
    await showsTrace('here.hvtrace');
  });

  test('when the process that draws dies: the trace is closed, and the next view says so', async () => {
    crashPage();
    await until('the next view is there', async () => {
      try {
        return (await status()).trace === null;
      } catch {
        // No page, or one that is being loaded.
        return false;
      }
    });
    assert.match((await status()).line, /^the view of here\.hvtrace ended \(crashed\); open it again$/);
    secondInstance({ file: at('here.hvtrace') });
    await showsTrace('here.hvtrace');
    assert.equal(control.exitCode, undefined);
  });
});

/** What a user does with the desktop program. One program for all tests, in this order. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, describe, test } from 'node:test';
import axe from 'axe-core';
import type { AppProgress } from '../../engine/app/api.ts';
import type { ShellStatus } from '../../engine/app/shell.ts';
import { seqOf, timeNs } from '../../engine/trace/position.ts';
import { headerOf } from '../../tracer/store/header.testing.ts';
import { TraceWriter } from '../../tracer/store/index.ts';
import {
  answerDialog,
  control,
  dropFiles,
  menuItem,
  nameFiles,
  openFileEvent,
  page,
  press,
  secondInstance,
  theWindow,
} from './double/control.ts';
import { at, chromium, folder, makeTrace, shows, showsTrace, startBefore, until } from './program.testing.ts';

const EVENTS_OF_LONG = 200_000;

startBefore({
  traces: () =>
    Promise.all([makeTrace('first.hvtrace'), makeTrace('second.hvtrace', 'teardown-l1vh-rmmod-before')]),
  // A long replay is to last some seconds on any machine: it rests whenever it looks for requests.
  prepare: (appFolder) => {
    const worker = join(appFolder, 'worker.js');
    const rests = `import restThreads from 'node:worker_threads';
      import { syncBuiltinESMExports as restSync } from 'node:module';
      const restReceive = restThreads.receiveMessageOnPort;
      const restNever = new Int32Array(new SharedArrayBuffer(4));
      restThreads.receiveMessageOnPort = (port) => {
        if (restThreads.workerData.task.path.endsWith('long.hvtrace')) Atomics.wait(restNever, 0, 0, 20);
        return restReceive(port);
      };
      restSync();\n`;
    writeFileSync(worker, rests + readFileSync(worker, 'utf8'));
  },
});

const status = async (): Promise<ShellStatus> => {
  const reply = await page().evaluate(() => window.hvrewind.shell('status', {}));
  return (reply as { value: ShellStatus }).value;
};
const line = (): Promise<string> => page().getByRole('status', { name: 'notice' }).innerText();

describe('opening', chromium, () => {
  test('without a file the window shows how to open one', async () => {
    await until('the window is shown', () => theWindow().isVisible());
    await shows('Open a trace…');
    assert.equal(menuItem('close-trace').enabled, false);
    assert.equal(menuItem('save-packed').enabled, false);
    assert.equal(menuItem('recent').enabled, false);
  });

  test('that first page is fit for all', async () => {
    // As text: the policy lets no other script in.
    await page().evaluate(axe.source);
    for (const colorScheme of ['dark', 'light'] as const) {
      await page().emulateMedia({ colorScheme });
      const { violations } = await page().evaluate(() =>
        (window as unknown as { axe: typeof axe }).axe.run({
          runOnly: ['wcag2a', 'wcag2aa', 'best-practice'],
        }),
      );
      assert.deepEqual(
        violations.map(({ id, help }) => `${id}: ${help}`),
        [],
        colorScheme,
      );
    }
  });

  test('the menu asks for a file, and its events are in the grid', async () => {
    answerDialog('showOpenDialog', { canceled: false, filePaths: [at('first.hvtrace')] });
    press('CmdOrCtrl+O');
    await showsTrace('first.hvtrace');
    const grid = page().getByRole('grid', { name: /events/i });
    assert.ok(Number(await grid.getAttribute('aria-rowcount')) > 100);
    await shows('no divergence');
    assert.equal(menuItem('close-trace').enabled, true);
  });

  test('a dialog that is cancelled changes nothing', async () => {
    answerDialog('showOpenDialog', { canceled: true, filePaths: [] });
    menuItem('open').choose();
    await until('the dialog was shown', () => control.dialogs.length === 2);
    assert.match(await page().title(), /^first\.hvtrace /);
  });

  test('a second start hands its file over and the window comes to the front', async () => {
    theWindow().minimize();
    secondInstance({ file: at('second.hvtrace') });
    await showsTrace('second.hvtrace');
    assert.equal(theWindow().isMinimized(), false);
    const before = control.focused;
    for (const nothing of [{}, undefined, 'text', { file: 7 }]) secondInstance(nothing);
    assert.equal(control.focused, before + 4);
    assert.match(await page().title(), /^second\.hvtrace /);
  });

  test('the system names a file', async () => {
    assert.equal(openFileEvent(at('first.hvtrace')), true);
    await showsTrace('first.hvtrace');
  });

  test('a file is dropped onto the window', async () => {
    await dropFiles([at('second.hvtrace')]);
    await showsTrace('second.hvtrace');
  });

  test('a drop that the page makes up opens nothing, not even with a real file', async () => {
    const opened = control.systemRecent.length;
    await page().evaluate(() => {
      const input = document.createElement('input');
      input.type = 'file';
      document.body.append(input);
    });
    const input = page().locator('input[type=file]');
    await input.setInputFiles(at('first.hvtrace'));
    await nameFiles([at('first.hvtrace')]);
    await input.evaluate((element: HTMLInputElement) => {
      const [file] = element.files ?? [];
      const dataTransfer = new DataTransfer();
      if (file !== undefined) dataTransfer.items.add(file);
      window.dispatchEvent(new DragEvent('drop', { dataTransfer }));
      element.remove();
    });
    assert.equal((await status()).line, '');
    assert.equal(control.systemRecent.length, opened);
    assert.match(await page().title(), /^second\.hvtrace /);
  });

  test('a packed copy is saved and opens', async () => {
    answerDialog('showSaveDialog', { canceled: false, filePath: at('copy.hvtrace.zst') });
    press('CmdOrCtrl+Shift+S');
    await until('a line says so', async () => /saved .*copy\.hvtrace\.zst: \d+ events/.test(await line()));
    assert.ok(statSync(at('copy.hvtrace.zst')).size < statSync(at('second.hvtrace')).size);
    await dropFiles([at('copy.hvtrace.zst')]);
    await showsTrace('copy.hvtrace.zst');
  });

  test('a copy is never written over the trace itself', async () => {
    const size = statSync(at('copy.hvtrace.zst')).size;
    answerDialog('showSaveDialog', { canceled: false, filePath: at('copy.hvtrace.zst') });
    press('CmdOrCtrl+Shift+S');
    await until('a line says so', async () => /is the file that is read/.test(await line()));
    assert.equal(statSync(at('copy.hvtrace.zst')).size, size);
  });
});

describe('what cannot be shown', chromium, () => {
  before(() => writeFileSync(at('bad.hvtrace'), 'this is no trace'));

  for (const name of ['bad.hvtrace', 'absent.hvtrace']) {
    test(`${name} is one line in the window, and the open trace stays`, async () => {
      const title = await page().title();
      secondInstance({ file: at(name) });
      await until(
        'the line is there',
        async () => (await line()).includes(name) && !(await line()).startsWith('opening'),
      );
      assert.doesNotMatch(await line(), /\n/);
      assert.equal(await page().title(), title);
      const answer = await page().evaluate(() => window.hvrewind.app('info', {}));
      assert.ok('value' in answer, JSON.stringify(answer));
      assert.ok(!control.systemRecent.includes(at(name)));
    });
  }
});

describe('recent files', chromium, () => {
  test('are in the menu, newest first, and kept for the next start', () => {
    const names = menuItem('recent').items.map(({ label }) => label.split(' ')[0]);
    assert.deepEqual(names.slice(0, 3), ['copy.hvtrace.zst', 'second.hvtrace', 'first.hvtrace']);
    assert.deepEqual(JSON.parse(readFileSync(at('user/recent.json'), 'utf8')), [
      at('copy.hvtrace.zst'),
      at('second.hvtrace'),
      at('first.hvtrace'),
    ]);
    assert.equal(control.systemRecent.at(-1), at('copy.hvtrace.zst'));
  });

  test('open from the menu', async () => {
    menuItem(`first.hvtrace  (${at('first.hvtrace')})`).choose();
    await showsTrace('first.hvtrace');
  });

  test('open from the page once the trace is closed', async () => {
    press('CmdOrCtrl+W');
    await shows('Open a trace…');
    assert.equal(menuItem('close-trace').enabled, false);
    await page()
      .getByRole('button', { name: /second\.hvtrace/ })
      .click();
    await showsTrace('second.hvtrace');
  });

  test('are forgotten when the user says so', async () => {
    menuItem('clear-recent').choose();
    assert.equal(menuItem('recent').enabled, false);
    assert.deepEqual(control.systemRecent, []);
    assert.deepEqual(JSON.parse(readFileSync(at('user/recent.json'), 'utf8')), []);
  });
});

describe('a long replay', chromium, () => {
  before(() => writeLongTrace(at('long.hvtrace')));

  test('shows the events at once, answers meanwhile, says how far it is, and fills the rest', async () => {
    secondInstance({ file: at('long.hvtrace') });
    await showsTrace('long.hvtrace');
    await page().locator('progress[aria-label="replay"]').waitFor();
    const delaysMs: number[] = [];
    const seen: AppProgress[] = [];
    const startMs = performance.now();
    while (seen.at(-1)?.state !== 'replayed') {
      const askedMs = performance.now();
      const [rows, progress] = await page().evaluate(async () => [
        await window.hvrewind.app('events', { filter: '', derived: true, from: 0, count: 50 }),
        await window.hvrewind.app('progress', {}),
      ]);
      delaysMs.push(performance.now() - askedMs);
      assert.ok(rows !== undefined && 'value' in rows, JSON.stringify(rows));
      assert.ok(progress !== undefined && 'value' in progress);
      seen.push(progress.value as AppProgress);
    }
    const replayMs = performance.now() - startMs;
    const going = seen.flatMap((progress) => (progress.state === 'replaying' ? [progress] : []));
    assert.ok(going.length > 5, `${going.length} answers while it was replayed`);
    // A ratio, as this machine may be busy: behind the replay one answer would take all of it.
    const slowestMs = Math.max(...delaysMs);
    assert.ok(slowestMs < replayMs / 2, `an answer took ${slowestMs} of ${replayMs} ms`);
    for (const [i, { done, total }] of going.entries())
      assert.ok((total === EVENTS_OF_LONG || done === 0) && done >= (going[i - 1]?.done ?? 0));
    await shows('no divergence');
    assert.equal(await page().locator('progress').count(), 0);
  });

  test('is given up for the file that is opened next', async () => {
    press('CmdOrCtrl+W');
    await shows('Open a trace…');
    secondInstance({ file: at('long.hvtrace') });
    await page().locator('progress[aria-label="replay"]').waitFor();
    secondInstance({ file: at('first.hvtrace') });
    await showsTrace('first.hvtrace');
    assert.equal((await status()).trace, 'first.hvtrace');
  });
});

describe('the end', chromium, () => {
  test('no page had an error, and nothing was asked of a network', () => {
    assert.deepEqual(control.pageErrors, []);
    assert.deepEqual([control.cancelled, control.stayed, control.deniedWindows], [[], [], []]);
  });

  test('quit closes the window and ends with 0', async () => {
    press('CmdOrCtrl+Q');
    await until('the program has ended', () => control.exitCode !== undefined);
    assert.equal(control.exitCode, 0);
    assert.throws(() => theWindow(), /no window/);
    assert.ok(existsSync(folder));
  });
});

/** Reads of a register, enough for a replay of a second or more. */
function writeLongTrace(path: string): void {
  const writer = TraceWriter.create(path, headerOf({ kernel: 'upstream-7.2', role: 'root' }));
  assert.ok('append' in writer);
  for (let seq = 1; seq <= EVENTS_OF_LONG; seq++) {
    writer.append({
      seq: seqOf(seq),
      t: timeNs(seq * 100),
      provenance: 'observed',
      kind: 'msr',
      dir: 'read',
      cpu: 0,
      component: 'mshv',
      msr: 0x4000_0080,
      value: 0n,
    });
  }
  writer.close();
}

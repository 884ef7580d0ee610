/**
 * The same program in the real Electron, through Playwright. Skipped, with the reason, where Electron cannot run: an
 * install fetches no binary (`npm run electron:install` does), and Electron needs a display and a user that is not root.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { _electron, type ElectronApplication, type Page } from 'playwright-core';
import { electronBinary, electronFor } from '../../main/desktop/binary.ts';
import { buildDesktop } from '../../main/desktop/build.ts';
import { exits, sample } from '../cli/hvrewind.testing.ts';
import './page-globals.testing.ts';

const here = electronFor({
  binary: electronBinary(process.env),
  platform: process.platform,
  uid: process.getuid?.(),
  environment: process.env,
  isCheckout: true,
});

/** For each test, so that the count of skipped ones says how many. */
const electron = 'why' in here ? { skip: here.why } : {};

describe('in the real Electron', () => {
  const folder = mkdtempSync(join(tmpdir(), 'hvrewind-electron-'));
  const appFolder = join(
    import.meta.dirname,
    `../../node_modules/.cache/hvrewind/electron-test-${process.pid}`,
  );
  const at = (name: string): string => join(folder, name);
  let app: ElectronApplication;
  let page: Page;

  before(async () => {
    if ('why' in here) return;
    for (const name of ['first', 'second'])
      await exits(0, ['run', sample('teardown-l1vh-kexec-before'), '-o', at(`${name}.hvtrace`)]);
    await buildDesktop(appFolder);
    app = await _electron.launch({
      executablePath: here.binary,
      args: [appFolder, at('first.hvtrace'), `--user-data-dir=${at('user')}`],
    });
    page = await app.firstWindow();
  });
  after(async () => {
    await app?.close();
    for (const path of [folder, appFolder]) rmSync(path, { recursive: true, force: true });
  });

  const showsTrace = async (name: string): Promise<void> => {
    await page.waitForFunction((start) => document.title.startsWith(`${start} `), name);
    await page.getByRole('grid').first().getByRole('row').nth(3).waitFor();
  };

  test('the file of the command line is in the grid', electron, async () => {
    await showsTrace('first.hvtrace');
    assert.match(page.url(), /^hvrewind:\/\/app\/index\.html/);
  });

  test('the page sees the bridge alone', electron, async () => {
    const seen = await page.evaluate(() => ({
      node: ['require', 'process', 'Buffer', 'module'].filter((name) => name in window),
      bridge: Object.keys(window.hvrewind),
      frozen: Object.isFrozen(window.hvrewind),
    }));
    assert.deepEqual(seen, { node: [], bridge: ['app', 'shell', 'onProgress', 'onLine'], frozen: true });
  });

  test('permissions, network and new windows are refused, text goes to the clipboard', electron, async () => {
    const tried = await page.evaluate(async () => ({
      geolocation: (await navigator.permissions.query({ name: 'geolocation' })).state,
      network: await fetch('https://example.invalid/').then(
        () => 'reached',
        () => 'refused',
      ),
      window: window.open('https://example.invalid/') === null,
      clipboard: await navigator.clipboard.writeText('hvrewind').then(
        () => 'written',
        (error: Error) => error.message,
      ),
    }));
    assert.deepEqual(tried, {
      geolocation: 'denied',
      network: 'refused',
      window: true,
      clipboard: 'written',
    });
    assert.equal(app.windows().length, 1);
  });

  test('the menu asks for a file and opens it', electron, async () => {
    await app.evaluate(({ dialog, Menu }, path) => {
      dialog.showOpenDialog = async () => ({ canceled: false, filePaths: [path] });
      Menu.getApplicationMenu()?.getMenuItemById('open')?.click();
    }, at('second.hvtrace'));
    await showsTrace('second.hvtrace');
  });

  test('a second start hands its file over', electron, async () => {
    const words = [appFolder, at('first.hvtrace'), `--user-data-dir=${at('user')}`];
    const second = spawn('binary' in here ? here.binary : '', words, { stdio: 'ignore' });
    assert.deepEqual((await once(second, 'exit'))[0], 0);
    await showsTrace('first.hvtrace');
    assert.equal(app.windows().length, 1);
  });
});

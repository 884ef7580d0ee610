/**
 * `node test/view/pictures.ts [FOLDER]`: makes the pictures of docs/pictures (or FOLDER) anew: each view with the
 * tear-down sample, in both themes, at 1280 and 2560 wide.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { launchChromium } from '../chromium.testing.ts';
import { smallPng } from './small-png.ts';
import { closeView, openView, recordedTrace, type Server, serve, settled } from './view.testing.ts';

/** A picture for each theme and size of `sizes`. */
interface Subject {
  readonly name: string;
  readonly link: string;
  /** Position of the cursor when everything is drawn. */
  readonly at: string;
  readonly sizes: readonly Size[];
  /** Keys that are pressed when the page is there. */
  readonly keys?: readonly string[];
}

interface Size {
  readonly width: number;
  readonly height: number;
}

const SMALL: Size = { width: 1280, height: 800 };
const LARGE: Size = { width: 2560, height: 1440 };
const THEMES = ['dark', 'light'] as const;

export const SUBJECTS: readonly Subject[] = [
  { name: 'overview', link: '', at: '70', keys: ['n'], sizes: [SMALL, LARGE] },
  { name: 'event', link: 'at=59&panel=event', at: '59', sizes: [SMALL] },
  { name: 'state', link: 'at=70&panel=state&path=cpu[0].synic.simp', at: '70', sizes: [SMALL] },
  { name: 'time', link: 'at=93&panel=event&axis=time', at: '93', sizes: [SMALL] },
  { name: 'filter', link: 'at=93&panel=state&filter=fault', at: '93', sizes: [SMALL] },
  { name: 'keys', link: 'at=70', at: '70', keys: ['?'], sizes: [SMALL] },
  { name: 'palette', link: 'at=70', at: '70', keys: ['Control+k'], sizes: [SMALL] },
];

/** Makes pictures of `subjects` in `folder`; returns their file names. */
export async function makePictures(
  browser: Browser,
  server: Server,
  folder: string,
  subjects: readonly Subject[],
): Promise<string[]> {
  const names: string[] = [];
  for (const { name, link, at, keys = [], sizes } of subjects) {
    for (const theme of THEMES) {
      for (const { width, height } of sizes) {
        const view = await openView(browser, server, { theme, width, height, link });
        await settled(view.page, at);
        for (const key of keys) await view.page.keyboard.press(key);
        // Two frames: signals have settled, the canvas is drawn, fonts are there.
        await view.page.evaluate(
          () =>
            new Promise((done) =>
              requestAnimationFrame(() => setTimeout(() => requestAnimationFrame(done), 200)),
            ),
        );
        const file = `${name}-${theme}-${width}.png`;
        const png = await view.page.screenshot({ animations: 'disabled', caret: 'hide' });
        writeFileSync(join(folder, file), smallPng(png));
        names.push(file);
        await closeView(view);
      }
    }
  }
  return names;
}

if (process.argv[1] === import.meta.filename) {
  const folder = process.argv[2] ?? join(import.meta.dirname, '../../docs/pictures');
  const scratch = mkdtempSync(join(tmpdir(), 'hvrewind-pictures-'));
  mkdirSync(folder, { recursive: true });
  const server = await serve(await recordedTrace(scratch));
  const browser = await launchChromium();
  try {
    for (const name of await makePictures(browser, server, folder, SUBJECTS)) console.log(name);
  } finally {
    await browser.close();
    await server.close();
    rmSync(scratch, { recursive: true });
  }
}

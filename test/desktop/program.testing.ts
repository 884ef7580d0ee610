/** The built desktop program in the double of Electron: one a test file. */
import './double/register.ts';
import './page-globals.testing.ts';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before } from 'node:test';
import { buildDesktop } from '../../main/desktop/build.ts';
import { noChromium } from '../chromium.testing.ts';
import { exits, sample } from '../cli/hvrewind.testing.ts';
import { control, page, ready, startProgram, stopProgram, windowIsOpen } from './double/control.ts';

/** For each test that needs Chromium. */
export const chromium = noChromium === undefined ? {} : { skip: noChromium };

/** Far more than anything takes: machines that run tests are busy. */
const PATIENCE_MS = 30_000;

/** What a test file starts. All in one hook: those of a file are not run one after the other. */
export interface Start {
  /** Makes what is to be opened. */
  readonly traces?: () => Promise<unknown>;
  /** The words after the program, made when the traces are there. */
  readonly words?: () => readonly string[];
  /** Changes the built program. */
  readonly prepare?: (appFolder: string) => void;
  /** Between the import of the main program and the moment that Electron is ready. */
  readonly early?: () => void | Promise<void>;
  /** Once the window is open; without a window: once Electron is ready. */
  readonly opened?: () => Promise<void>;
  /** False when no window is to come. */
  readonly window?: false;
}

/** A folder of this test file, and the user's data in it. */
export const folder = mkdtempSync(join(tmpdir(), 'hvrewind-desktop-'));
export const at = (name: string): string => join(folder, name);
// Packages are found from a folder below node_modules, wherever it stands there.
const appFolder = join(import.meta.dirname, `../../node_modules/.cache/hvrewind/desktop-test-${process.pid}`);

/** Starts the program before the tests of this file, and ends it after them. */
export function startBefore(start: Start = {}): void {
  before(async () => {
    if (noChromium !== undefined) return;
    control.userData = at('user');
    mkdirSync(control.userData);
    await Promise.all([buildDesktop(appFolder), start.traces?.()]);
    start.prepare?.(appFolder);
    await startProgram(appFolder, start.words?.() ?? []);
    await start.early?.();
    ready();
    if (start.window !== false) await until('the window is open', windowIsOpen);
    await start.opened?.();
  });
  after(async () => {
    await stopProgram();
    for (const path of [folder, appFolder]) rmSync(path, { recursive: true, force: true });
  });
}

/** Plays a sample scenario into a trace of this test file. */
export async function makeTrace(name: string, scenario = 'teardown-l1vh-kexec-before'): Promise<string> {
  await exits(0, ['run', sample(scenario), '-o', at(name)]);
  return at(name);
}

/** Waits for something that the user would wait for too. */
export async function until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  const startMs = performance.now();
  while (!(await holds())) {
    if (performance.now() - startMs > PATIENCE_MS) throw new Error(`this never came: ${what}`);
    await new Promise((done) => setTimeout(done, 20));
  }
}

/** Waits until the page shows a text. */
export async function shows(text: string | RegExp): Promise<void> {
  await page().getByText(text).first().waitFor({ timeout: PATIENCE_MS });
}

/** Waits until the trace of this name is open and its rows are on the screen. */
export async function showsTrace(name: string): Promise<void> {
  await until(`the title names ${name}`, async () => (await page().title()).startsWith(`${name} `));
  await page().getByRole('grid').first().getByRole('row').nth(3).waitFor({ timeout: PATIENCE_MS });
}

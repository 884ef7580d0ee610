/** How a test starts the program in the double, and plays its user and its system. */
import { statSync } from 'node:fs';
import type { Server } from 'node:http';
import { basename, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Page } from 'playwright-core';
import { launchChromium } from '../../chromium.testing.ts';
import { app, becomeReady } from './app.ts';
import { control, type Dialog } from './control-state.ts';
import { type DoubleMenuItem, Menu, roles } from './menu.ts';
import { serveSchemes } from './protocol.ts';
import { newEvent } from './strict.ts';
import { theWindow } from './window.ts';
import { world } from './world.ts';

export { control } from './control-state.ts';

let server: Server | undefined;
roles.set('quit', () => app.quit());

/** Runs the program of `appFolder` as `electron appFolder ...words` would. */
export async function startProgram(appFolder: string, words: readonly string[]): Promise<void> {
  world.appFolder = appFolder;
  process.argv = [process.execPath, appFolder, ...words];
  const [browser, schemes] = await Promise.all([launchChromium(), serveSchemes()]);
  world.browser = browser;
  world.context = await browser.newContext({ serviceWorkers: 'block' });
  server = schemes;
  await import(pathToFileURL(join(appFolder, 'main.js')).href);
}

/** The app becomes ready, as it does by itself once the main program is loaded. */
export const ready = becomeReady;

export async function stopProgram(): Promise<void> {
  for (const window of [...world.windows]) await window.ask();
  await world.browser?.close();
  server?.close();
  server?.closeAllConnections();
}

/** The Chromium page of the only window. */
export function page(): Page {
  const { chromium } = theWindow();
  if (chromium === undefined) throw new Error('electron double: the window has no page yet');
  return chromium.page;
}

export { theWindow };

/** A window is there and has its page. */
export function windowIsOpen(): boolean {
  return world.windows.size > 0 && theWindow().chromium !== undefined;
}

/** Ends the process that draws the page, as a crash would. */
export function crashPage(): void {
  // The answer never comes.
  void theWindow()
    .chromium?.devtools.send('Page.crash')
    .catch(() => {});
}

/** Puts the answer to a dialog that is yet to come. */
export function answerDialog(kind: Dialog['kind'], answer: object): void {
  control.answers.push({ kind, answer });
}

/** The item of the application menu with this id, or this label. */
export function menuItem(name: string): DoubleMenuItem {
  const items = [...(Menu.getApplicationMenu()?.all() ?? [])];
  const found = items.find(({ id, label }) => id === name || label.replace('&', '') === name);
  if (found === undefined) throw new Error(`electron double: no menu item ${name}`);
  return found;
}

/** Presses the keys of a menu item. */
export function press(accelerator: string): void {
  const items = [...(Menu.getApplicationMenu()?.all() ?? [])];
  const found = items.filter((item) => item.accelerator === accelerator);
  if (found.length !== 1) throw new Error(`electron double: ${found.length} menu items have ${accelerator}`);
  found[0]?.choose();
}

/** Another instance was started, and told this one `data`. */
export function secondInstance(data: unknown): void {
  world.appEvents.emit('second-instance', newEvent({}), [process.execPath], '/', data);
}

/** macOS names a file to open; true when the program took it. */
export function openFileEvent(path: string): boolean {
  const event = newEvent({});
  world.appEvents.emit('open-file', event, path);
  return event.defaultPrevented;
}

/** From now on the page's File objects of these names and sizes are these files on disk. */
export async function nameFiles(paths: readonly string[]): Promise<void> {
  const files = paths.map((path) => ({ path, name: basename(path), size: statSync(path).size }));
  await theWindow().chromium?.tell({ kind: 'files', files });
}

/** Drags files over the window and lets go of them. */
export async function dropFiles(paths: readonly string[]): Promise<void> {
  await nameFiles(paths);
  for (const type of ['dragEnter', 'dragOver', 'drop'] as const) {
    await theWindow().chromium?.devtools.send('Input.dispatchDragEvent', {
      type,
      x: 200,
      y: 200,
      data: { items: [], files: [...paths], dragOperationsMask: 1 },
    });
  }
}

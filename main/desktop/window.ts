import { join } from 'node:path';
import { BrowserWindow } from 'electron';
import { PAGE } from './scheme.ts';

/** Room for the timeline beside the state of the machine; less is possible, down to one view at a time. */
const SIZE = { width: 1440, height: 900, minWidth: 640, minHeight: 480 } as const;

/** Opens the window on our page. It is shown when there is something to see. */
export function openWindow(folder: string, developer: boolean): BrowserWindow {
  const window = new BrowserWindow({
    ...SIZE,
    title: 'hvrewind',
    show: false,
    webPreferences: {
      preload: join(folder, 'preload.cjs'),
      contextIsolation: true,
      sandbox: true,
      nodeIntegration: false,
      webviewTag: false,
      // A spell checker fetches its dictionaries from the network.
      spellcheck: false,
      devTools: developer,
    },
  });
  window.once('ready-to-show', () => window.show());
  void load(window);
  return window;
}

/** Loads our page, again where it is there already: it asks for everything anew. */
export async function load(window: BrowserWindow): Promise<void> {
  try {
    await window.loadURL(PAGE);
  } catch (error) {
    // A second load while the first is under way aborts that one, and a window may be closed while it loads.
    if (!window.isDestroyed() && (error as { readonly code?: string }).code !== 'ERR_ABORTED') throw error;
  }
}

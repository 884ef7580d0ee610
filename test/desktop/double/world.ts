/** What the parts of the double share. */
import { EventEmitter } from 'node:events';
import type { Browser, BrowserContext } from 'playwright-core';

/** A window as the app's life sees it. */
export interface AnyWindow {
  /** Closes it as a user would; false where the app prevented it. */
  ask(): Promise<boolean>;
}

export type SchemeHandler = (request: Request) => Response | Promise<Response>;

export const world = {
  ready: false,
  /** Folder that Electron would have been started with: its package.json names the app. */
  appFolder: '',
  /** Port of the loopback server behind the app's schemes. */
  port: 0,
  browser: undefined as Browser | undefined,
  context: undefined as BrowserContext | undefined,
  windows: new Set<AnyWindow>(),
  /** Schemes that were registered as standard ones before the app was ready. */
  standardSchemes: new Set<string>(),
  handlers: new Map<string, SchemeHandler>(),
  ipcHandlers: new Map<string, (event: object, ...words: unknown[]) => unknown>(),
  /** Emits what happens to the app: the object that `app` is built on. */
  appEvents: new EventEmitter(),
};

/** Throws as Electron does for what is possible only before, or only after, the app is ready. */
export function need(when: 'ready' | 'not ready', what: string): void {
  if (world.ready !== (when === 'ready'))
    throw new Error(`${what} ${when === 'ready' ? 'only after' : 'should be called before'} app is ready`);
}

/**
 * Chromium cannot be taught a scheme from outside, so `hvrewind://app/x` is `http://app.hvrewind.localhost:PORT/x` on
 * the wire: a secure context with an origin of its own, relative addresses, headers and content policy as they are.
 */
export function toWire(url: string): string {
  const { protocol, host, pathname, search, hash } = new URL(url);
  const scheme = protocol.slice(0, -1);
  if (!world.handlers.has(scheme)) return url;
  return `http://${host}.${scheme}.localhost:${world.port}${pathname}${search}${hash}`;
}

/** The address as the app knows it. */
export function fromWire(url: string): string {
  for (const scheme of world.handlers.keys()) {
    const end = `.${scheme}.localhost:${world.port}`;
    const [, host = '', rest = ''] = /^http:\/\/([^/]*)(.*)$/.exec(url) ?? [];
    if (host.endsWith(end)) return `${scheme}://${host.slice(0, -end.length)}${rest}`;
  }
  return url;
}

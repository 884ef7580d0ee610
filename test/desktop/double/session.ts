import type { Session, WebContents } from 'electron';
import type { CDPSession } from 'playwright-core';
import { missing, strict } from './strict.ts';
import { need, toWire, world } from './world.ts';

type SessionMembers = Pick<
  Session,
  'setPermissionCheckHandler' | 'setPermissionRequestHandler' | 'setDevicePermissionHandler'
> & { readonly webRequest: Pick<Session['webRequest'], 'onBeforeRequest'> };

type CheckHandler = NonNullable<Parameters<Session['setPermissionCheckHandler']>[0]>;
type RequestHandler = NonNullable<Parameters<Session['setPermissionRequestHandler']>[0]>;
type Permission = Parameters<CheckHandler>[1] & Parameters<RequestHandler>[1];
type BeforeRequest = (
  details: { readonly url: string },
  answer: (response: { cancel?: boolean }) => void,
) => void;

/** What Chromium calls the permissions that Electron asks the app about. */
const PERMISSIONS: readonly (readonly [Permission, string])[] = [
  ['geolocation', 'geolocation'],
  ['notifications', 'notifications'],
  ['media', 'camera'],
  ['media', 'microphone'],
  ['midi', 'midi'],
  ['clipboard-read', 'clipboard-read'],
  ['clipboard-sanitized-write', 'clipboard-write'],
];

const state = {
  check: undefined as CheckHandler | undefined,
  request: undefined as RequestHandler | undefined,
  beforeRequest: undefined as BeforeRequest | undefined,
  devtools: undefined as CDPSession | undefined,
};

const defaultSession: SessionMembers = strict('session', {
  setPermissionCheckHandler(handler: CheckHandler | null): void {
    state.check = handler ?? undefined;
  },
  setPermissionRequestHandler(handler: RequestHandler | null): void {
    state.request = handler ?? undefined;
  },
  setDevicePermissionHandler(): void {
    // Devices are not modelled: Chromium without a head has none.
  },
  webRequest: strict('session.webRequest', {
    onBeforeRequest(...words: unknown[]): void {
      const [listener] = words;
      if (words.length !== 1 || typeof listener !== 'function') throw missing('webRequest with a filter');
      state.beforeRequest = listener as BeforeRequest;
    },
  }),
});

export const session = strict('session', {
  get defaultSession(): SessionMembers {
    need('ready', 'session.defaultSession');
    return defaultSession;
  },
});

/** Whether the app lets a request pass; Electron lets everything pass where there is no listener. */
export function passes(url: string): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  if (state.beforeRequest === undefined) resolve(true);
  else state.beforeRequest({ url }, ({ cancel }) => resolve(cancel !== true));
  return promise;
}

/**
 * Gives Chromium, for the origin of `url`, exactly the permissions that the app's handlers grant. Electron grants all
 * of them where there is no handler.
 */
export async function applyPermissions(contents: WebContents, url: string): Promise<void> {
  const { protocol, host } = new URL(url);
  const { origin } = new URL(toWire(url));
  // A page without an origin of its own has no permission in Chromium either.
  if (origin === 'null') return;
  // What a session sets lasts as long as the session: it is never detached.
  state.devtools ??= await world.browser?.newBrowserCDPSession();
  const { devtools } = state;
  const targets = await devtools?.send('Target.getBrowserContexts');
  for (const [permission, name] of PERMISSIONS) {
    const granted = await allows(contents, permission, `${protocol}//${host}`, url);
    for (const browserContextId of targets?.browserContextIds ?? []) {
      await devtools?.send('Browser.setPermission', {
        permission: { name, ...(name === 'clipboard-write' ? { allowWithoutSanitization: false } : {}) },
        setting: granted ? 'granted' : 'denied',
        origin,
        browserContextId,
      });
    }
  }
}

async function allows(
  contents: WebContents,
  permission: Permission,
  origin: string,
  url: string,
): Promise<boolean> {
  const details = { isMainFrame: true, requestingUrl: url };
  // Chromium checks first, and asks where the check says no.
  if (state.check === undefined || state.check(contents, permission, origin, details)) return true;
  if (state.request === undefined) return true;
  const { promise, resolve } = Promise.withResolvers<boolean>();
  state.request(contents, permission, resolve, details);
  return promise;
}

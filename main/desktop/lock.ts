/** Takes away from pages and from Chromium all that the app does not need: navigation, windows, permissions, network. */
import type { App, Session, WebContents } from 'electron';
import { isOurs } from './scheme.ts';

/**
 * Switches that must be set before the app is ready. No name has an address, so that nothing reaches a network even
 * where a check above this one fails; the rest keeps Chromium from trying.
 */
const SWITCHES: readonly (readonly [string, string?])[] = [
  ['host-resolver-rules', 'MAP * ~NOTFOUND'],
  ['disable-background-networking'],
  ['disable-component-update'],
  ['disable-domain-reliability'],
  ['no-pings'],
];

/** Text that the user copies from a view. Everything else a page could ask for is refused. */
const ALLOWED_PERMISSION = 'clipboard-sanitized-write';

/** Before the app is ready: every renderer in the sandbox, and no network. */
export function lockApp(app: App): void {
  app.enableSandbox();
  for (const [name, value] of SWITCHES) app.commandLine.appendSwitch(name, value);
}

/** Refuses permissions, and every request that is not for our own files. */
export function lockSession(session: Session): void {
  session.setPermissionCheckHandler(
    (_contents, permission, origin) => permission === ALLOWED_PERMISSION && isOurs(`${origin}/`),
  );
  session.setPermissionRequestHandler((contents, permission, answer) =>
    answer(permission === ALLOWED_PERMISSION && isOurs(contents.getURL())),
  );
  session.setDevicePermissionHandler(() => false);
  session.webRequest.onBeforeRequest((details, answer) =>
    answer({ cancel: !isOurs(details.url) && !details.url.startsWith('devtools://') }),
  );
}

/** Keeps a page where it is: no other page, no new window, no embedded one. */
export function lockContents(contents: WebContents): void {
  const stay = (event: { readonly url: string; preventDefault(): void }): void => {
    if (!isOurs(event.url)) event.preventDefault();
  };
  contents.on('will-navigate', stay);
  contents.on('will-frame-navigate', stay);
  contents.on('will-redirect', stay);
  contents.on('will-attach-webview', (event) => event.preventDefault());
  contents.setWindowOpenHandler(() => ({ action: 'deny' }));
  contents.setWebRTCIPHandlingPolicy('disable_non_proxied_udp');
}

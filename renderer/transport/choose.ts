import type { App } from '../../engine/app/api.ts';
import { httpApp } from './http.ts';

/** What Electron's preload exposes: the same interface, carried by IPC. */
interface BridgedWindow extends Window {
  readonly hvrewind?: App;
}

/** The bridge of the preload script where there is one, else HTTP to the server that sent the page. */
export function chooseTransport(window: BridgedWindow): App {
  return window.hvrewind ?? httpApp(window.location.href);
}

import type { App } from '../../engine/app/api.ts';
import type { Bridge } from '../../engine/app/shell.ts';
import { bridgedApp, bridgedDesk, type Desk } from './bridge.ts';
import { httpApp } from './http.ts';

/** The window of a desktop program has what its preload script put there. */
interface MaybeBridged extends Window {
  readonly hvrewind?: Bridge;
}

/** How this page reaches the trace, and the window around it where there is one. */
export interface Transport {
  readonly app: App;
  readonly desk: Desk | undefined;
}

/** The bridge of the preload script where there is one, else HTTP to the server that sent the page. */
export function chooseTransport(window: MaybeBridged): Transport {
  const bridge = window.hvrewind;
  if (bridge === undefined) return { app: httpApp(window.location.href), desk: undefined };
  return { app: bridgedApp(bridge), desk: bridgedDesk(bridge) };
}

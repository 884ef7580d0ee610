import type { App, AppMethod, AppRequests } from '../../engine/app/api.ts';
import type { Bridge, Reply, ShellMethod, ShellRequests } from '../../engine/app/shell.ts';
import { NotYet, Refused } from './refused.ts';

/** The window around the app: opens and closes traces. */
export interface Desk {
  ask<M extends ShellMethod>(method: M, input: ShellRequests[M]['in']): Promise<ShellRequests[M]['out']>;
  /** Lines for the user: what opening a file came to. */
  onLine(listener: (line: string) => void): () => void;
}

/** Requests over the bridge of Electron's preload script. */
export function bridgedApp(bridge: Bridge): App {
  return {
    invoke: async <M extends AppMethod>(method: M, input: AppRequests[M]['in']) =>
      answerOf(method, await bridge.app(method, input)) as AppRequests[M]['out'],
    onProgress: (listener) => bridge.onProgress(listener),
  };
}

export function bridgedDesk(bridge: Bridge): Desk {
  return {
    ask: async <M extends ShellMethod>(method: M, input: ShellRequests[M]['in']) =>
      answerOf(method, await bridge.shell(method, input)) as ShellRequests[M]['out'],
    onLine: (listener) => bridge.onLine(listener),
  };
}

function answerOf(method: string, reply: Reply): unknown {
  if ('problem' in reply) throw new Refused(method, reply.problem);
  if ('waiting' in reply) throw new NotYet();
  return reply.value;
}

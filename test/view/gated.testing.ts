/** `serve` with a replay that is held back until a test lets it come: both sessions are the real ones. */
import type { AppProgress } from '../../engine/app/api.ts';
import { NotYet } from '../../engine/app/session-parts.ts';
import type { Reply } from '../../engine/app/shell.ts';
import { openTraceFile } from '../../main/cli/trace.ts';
import { bundleRenderer } from '../../main/serve/bundle.ts';
import { type Answering, serveApp } from '../../main/serve/server.ts';
import { earlySession } from '../../main/session/early.ts';
import { replayedSession } from '../../main/session/replayed.ts';
import type { Server } from './view.testing.ts';

export interface GatedServer extends Server {
  /** Says how far the replay is. */
  goOn(percent: number): void;
  /** Lets the replay come to its end. */
  open(): void;
  /** Ends it in the middle. */
  fail(problem: string): void;
  /** Back to before. */
  hold(): void;
}

const START: AppProgress = { state: 'replaying', done: 0, total: 100 };

export async function serveGated(file: string): Promise<GatedServer> {
  const trace = openTraceFile(file);
  const early = earlySession(file, trace);
  const full = replayedSession(file, trace, () => true);
  let progress: AppProgress = START;
  const answering: Answering = {
    get progress() {
      return progress;
    },
    async ask(call): Promise<Reply> {
      if (call.method === 'progress') return { value: progress };
      try {
        return { value: (progress.state === 'replayed' ? full : early).answer(call) };
      } catch (error) {
        return error instanceof NotYet ? { waiting: true } : { problem: (error as Error).message };
      }
    },
  };
  const served = await serveApp(await bundleRenderer(), answering, 0);
  const say = (news: AppProgress): void => {
    progress = news;
    served.progress(news);
  };
  return {
    url: served.url,
    goOn: (percent) => say({ state: 'replaying', done: percent, total: 100 }),
    open: () => say({ state: 'replayed' }),
    fail: (problem) => say({ state: 'failed', problem }),
    hold: () => say(START),
    async close() {
      await served.close();
      trace.close();
    },
  };
}

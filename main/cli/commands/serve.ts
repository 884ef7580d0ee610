import { spawn } from 'node:child_process';
import { bundleRenderer } from '../../serve/bundle.ts';
import { type Served, serveApp } from '../../serve/server.ts';
import { HostedTrace } from '../../session/hosted-trace.ts';
import type { Arguments } from '../command.ts';
import { print, tell } from '../output.ts';
import { EXIT, Problem } from '../problem.ts';
import { progressLine } from '../progress.ts';

/** `hvrewind serve`: the app in a browser, until it is interrupted. */
export async function run(args: Arguments): Promise<number> {
  const port = portOf(args.value('port') ?? '0');
  const [path = '', other] = args.operands;
  const files = bundleRenderer();
  let served: Served | undefined;
  const line = progressLine('replay');
  const trace = new HostedTrace(
    path,
    {
      progress(progress) {
        served?.progress(progress);
        if (progress.state === 'replaying') line.report(progress.done, progress.total);
        else line.done();
        if (progress.state === 'failed') tell(`the replay has failed: ${progress.problem}`);
      },
      ended: (problem) => {
        line.done();
        tell(problem);
      },
    },
    other,
  );
  try {
    const [outcome, bundled] = await Promise.all([trace.opened, files]);
    if (typeof outcome === 'object') throw new Problem(outcome.problem, outcome.exit);
    served = await listening(serveApp(bundled, trace, port));
    if (args.flag('json')) await print(`${JSON.stringify({ url: served.url, port: served.port })}\n`);
    else tell(`${other === undefined ? path : `${path} and ${other}`} at ${served.url} (Ctrl+C ends it)`);
    if (!args.flag('no-browser') && !args.flag('json')) openBrowser(served.url);
    await new Promise<void>((done) => {
      process.once('SIGINT', () => done());
      process.once('SIGTERM', () => done());
    });
    return EXIT.fine;
  } finally {
    line.done();
    await served?.close();
    await trace.close();
  }
}

function portOf(text: string): number {
  const port = /^[0-9]{1,5}$/.test(text) ? Number(text) : Number.NaN;
  if (port <= 0xffff) return port;
  throw new Problem(`serve: --port ${JSON.stringify(text)}: expected a number from 0 to 65535`);
}

async function listening<T>(serving: Promise<T>): Promise<T> {
  try {
    return await serving;
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'EADDRINUSE')
      throw new Problem('serve: the port is in use; leave out --port to take a free one');
    if (code === 'EACCES')
      throw new Problem('serve: the port is not allowed to this user; take one above 1023');
    throw new Error(message, { cause: error });
  }
}

/** Hands the address to the desktop's browser, where there is a desktop. */
function openBrowser(url: string): void {
  const opener = { darwin: 'open', linux: 'xdg-open' }[process.platform as string];
  const desktop = process.platform === 'darwin' || process.env.DISPLAY || process.env.WAYLAND_DISPLAY;
  if (opener === undefined || !desktop) return;
  const child = spawn(opener, [url], { stdio: 'ignore', detached: true });
  child.on('error', () => tell('no browser could be started; open the address yourself'));
  child.unref();
}

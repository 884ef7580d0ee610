import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { after } from 'node:test';
import type { Output } from '../output.testing.ts';
import type { Order } from './prompt-process.testing.ts';

/** The process, and what Node itself had to say in it. */
interface Prompt {
  readonly child: ChildProcess;
  /** Settles when it has ended. */
  readonly closed: Promise<undefined>;
  said: string;
}

let opened: Prompt | undefined;
let last: Promise<unknown> = Promise.resolve();

/**
 * Runs a command line in a process that this test file shares, one after the other, each as in a process of its own:
 * starting one takes a third of a second, and there are hundreds to run.
 */
export function atPrompt(words: readonly string[], folder: string): Promise<Output> {
  const ran = last.then(() => order({ words, folder }));
  last = ran.catch(() => undefined);
  return ran;
}

async function order(given: Order): Promise<Output> {
  opened ??= open();
  const { child, closed } = opened;
  const reply = once(child, 'message') as Promise<[Output]>;
  child.send(given);
  const answer = await Promise.race([reply, closed]);
  if (answer === undefined) throw new Error(`${given.words.join(' ')}: the process died: ${opened.said}`);
  return answer[0];
}

function open(): Prompt {
  const child = fork(join(import.meta.dirname, 'prompt-process.testing.ts'), {
    execArgv: ['--expose-gc', '--disable-warning=ExperimentalWarning'],
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
  // Not `close`, which waits for the channel too and never comes once a test stands in for Electron.
  const ends = [once(child, 'exit'), ...(child.stderr === null ? [] : [once(child.stderr, 'end')])];
  const closed = Promise.all(ends).then(() => undefined);
  const prompt: Prompt = { child, closed, said: '' };
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    prompt.said += text;
  });
  return prompt;
}

after(async () => {
  if (opened === undefined) return;
  if (opened.child.connected) opened.child.disconnect();
  await opened.closed;
  // A warning of a file that was left open, for one.
  if (opened.said !== '') throw new Error(`the process said: ${opened.said}`);
});

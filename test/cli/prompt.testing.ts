import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { after } from 'node:test';
import type { Order, Ran } from './prompt-process.testing.ts';

/** The process, and what Node itself had to say in it. */
interface Prompt {
  readonly child: ChildProcess;
  said: string;
}

let opened: Prompt | undefined;
let last: Promise<unknown> = Promise.resolve();

/**
 * Runs a command line in a process that this test file shares, one after the other, each as in a process of its own:
 * starting one takes a third of a second, and there are hundreds to run.
 */
export function atPrompt(words: readonly string[], folder: string): Promise<Ran> {
  const ran = last.then(() => order({ words, folder }));
  last = ran.catch(() => undefined);
  return ran;
}

async function order(given: Order): Promise<Ran> {
  opened ??= open();
  const reply = once(opened.child, 'message');
  opened.child.send(given);
  const [ran] = (await reply) as [Ran];
  return ran;
}

function open(): Prompt {
  const child = fork(join(import.meta.dirname, 'prompt-process.testing.ts'), {
    execArgv: ['--expose-gc', '--disable-warning=ExperimentalWarning'],
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
  const prompt: Prompt = { child, said: '' };
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    prompt.said += text;
  });
  return prompt;
}

after(async () => {
  if (opened === undefined) return;
  const closed = once(opened.child, 'close');
  opened.child.disconnect();
  await closed;
  // A warning of a file that was left open, for one.
  if (opened.said !== '') throw new Error(`the process said: ${opened.said}`);
});

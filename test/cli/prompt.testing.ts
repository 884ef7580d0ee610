import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { Ran } from './hvrewind.testing.ts';
import type { Reply } from './prompt-process.testing.ts';

/**
 * A process in which many command lines run one after the other, each as in a process of its own: starting one takes a
 * third of a second, and there are hundreds of mistakes to make.
 */
export interface Prompt {
  run(words: readonly string[]): Promise<Ran>;
  /** Ends it; what Node itself had to say (a warning of a file that was left open) fails. */
  close(): Promise<void>;
}

export function openPrompt(folder: string): Prompt {
  const child = fork(join(import.meta.dirname, 'prompt-process.testing.ts'), {
    cwd: folder,
    execArgv: ['--expose-gc', '--disable-warning=ExperimentalWarning'],
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
  let said = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  return {
    async run(words) {
      const reply = once(child, 'message');
      child.send(words);
      const [{ exit, out, err }] = (await reply) as [Reply];
      return { exit, out, err };
    },
    async close() {
      const closed = once(child, 'close');
      child.disconnect();
      await closed;
      if (said !== '') throw new Error(`the process said: ${said}`);
    },
  };
}

import { isAbsolute } from 'node:path';
import { type IpcMainInvokeEvent, ipcMain } from 'electron';
import { type AppCall, readCall } from '../../engine/app/border.ts';
import { type Reply, readShellCall, type ShellCall } from '../../engine/app/shell.ts';
import { CHANNELS } from './channels.ts';
import { isOurs } from './scheme.ts';

/** Who answers requests that have been checked. */
export interface Answers {
  app(call: AppCall): Promise<Reply>;
  shell(call: ShellCall): Promise<Reply>;
  drop(path: string): void;
}

/** Takes requests from our page alone, checks each against the closed lists, and refuses in one line. */
export function answerPages(answers: Answers): void {
  handle(CHANNELS.app, 2, ([method, input]) => passOn(readCall(method, input), (call) => answers.app(call)));
  handle(CHANNELS.shell, 2, ([method, input]) =>
    passOn(readShellCall(method, input), (call) => answers.shell(call)),
  );
  handle(CHANNELS.drop, 1, async ([path]) => {
    if (typeof path !== 'string' || !isAbsolute(path)) return { problem: 'drop: not an absolute path' };
    answers.drop(path);
    return { value: {} };
  });
}

function handle(channel: string, count: number, answer: (words: readonly unknown[]) => Promise<Reply>): void {
  ipcMain.handle(channel, async (event, ...words: unknown[]): Promise<Reply> => {
    if (!fromOurPage(event)) return { problem: 'requests are taken from the app alone' };
    if (words.length !== count) return { problem: `${channel}: expected ${count} arguments` };
    return answer(words);
  });
}

async function passOn<C extends object>(
  read: C | { readonly problem: string },
  answer: (call: C) => Promise<Reply>,
): Promise<Reply> {
  return 'problem' in read ? { problem: read.problem } : answer(read);
}

/** The main frame of our page; a frame that has gone meanwhile is nobody. */
function fromOurPage({ senderFrame }: IpcMainInvokeEvent): boolean {
  return senderFrame !== null && senderFrame.parent === null && isOurs(senderFrame.url);
}

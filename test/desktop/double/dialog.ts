import type { Dialog as ElectronDialog } from 'electron';
import { control, type Dialog } from './control-state.ts';
import { strict } from './strict.ts';

type DialogMembers = Pick<ElectronDialog, 'showOpenDialog' | 'showSaveDialog'>;

/** Takes the next answer that the test has put there; without one a user would sit before the dialog for ever. */
function ask<T>(kind: Dialog['kind'], words: readonly unknown[]): Promise<T> {
  control.dialogs.push({ kind, options: words.at(-1) as object });
  const at = control.answers.findIndex((answer) => answer.kind === kind);
  const [found] = at === -1 ? [] : control.answers.splice(at, 1);
  if (found === undefined) throw new Error(`electron double: ${kind}, and no answer is there`);
  return Promise.resolve(found.answer as T);
}

export const dialog: DialogMembers = strict('dialog', {
  showOpenDialog: (...words: unknown[]) => ask<Electron.OpenDialogReturnValue>('showOpenDialog', words),
  showSaveDialog: (...words: unknown[]) => ask<Electron.SaveDialogReturnValue>('showSaveDialog', words),
});

import { focusedPanel } from '../app/focus.ts';
import type { Model } from '../model/model.ts';
import { type Command, runCommand } from './command.ts';
import { keyOf } from './keys.ts';
import { COMMANDS } from './table.ts';

const BY_KEY: ReadonlyMap<string, readonly Command[]> = new Map(
  COMMANDS.flatMap(({ keys }) => keys).map((key) => [key, COMMANDS.filter(({ keys }) => keys.includes(key))]),
);

/** What a key means where the focus is. */
function commandOf(key: string, model: Model): Command | undefined {
  const panel = focusedPanel(document);
  const possible = (BY_KEY.get(key) ?? []).filter((command) => command.possible?.(model) !== false);
  return (
    possible.find(({ within }) => within !== undefined && within === panel) ??
    possible.find(({ within }) => within === undefined)
  );
}

/** Runs the command of every key that no view has taken. Returns what stops it. */
export function listenForKeys(model: Model, window: Window): () => void {
  const listener = (event: KeyboardEvent): void => {
    if (event.defaultPrevented || event.isComposing) return;
    const key = keyOf(event);
    if (model.dialog.peek() !== 'none') return;
    if (isWriting(event.target) && !key.startsWith('Ctrl+') && !/^F\d+$/.test(key)) return;
    const command = commandOf(key, model);
    if (command === undefined) return;
    event.preventDefault();
    void runCommand(command, model);
  };
  window.addEventListener('keydown', listener);
  return () => window.removeEventListener('keydown', listener);
}

function isWriting(target: EventTarget | null): boolean {
  return target instanceof HTMLInputElement && target.type !== 'checkbox';
}

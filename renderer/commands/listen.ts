import type { Model } from '../model/model.ts';
import { type Command, runCommand } from './command.ts';
import { keyOf } from './keys.ts';
import { COMMANDS } from './table.ts';

const BY_KEY: ReadonlyMap<string, Command> = new Map(
  COMMANDS.flatMap((command) => command.keys.map((key): [string, Command] => [key, command])),
);

/** Runs the command of every key that no view has taken. Returns what stops it. */
export function listenForKeys(model: Model, window: Window): () => void {
  const listener = (event: KeyboardEvent): void => {
    if (event.defaultPrevented || event.isComposing) return;
    const key = keyOf(event);
    if (model.dialog.peek() !== 'none') return;
    if (isWriting(event.target) && !key.startsWith('Ctrl+') && !/^F\d+$/.test(key)) return;
    const command = BY_KEY.get(key);
    if (command === undefined || command.possible?.(model) === false) return;
    event.preventDefault();
    void runCommand(command, model);
  };
  window.addEventListener('keydown', listener);
  return () => window.removeEventListener('keydown', listener);
}

function isWriting(target: EventTarget | null): boolean {
  return target instanceof HTMLInputElement && target.type !== 'checkbox';
}

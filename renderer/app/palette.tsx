import { useSignal } from '@preact/signals';
import { type Command, possibleCommands, runCommand } from '../commands/command.ts';
import { COMMANDS } from '../commands/table.ts';
import { useModel } from '../model/model.ts';
import { Dialog } from './dialog.tsx';
import { found } from './find-command.ts';
import { Keys } from './key-caps.tsx';

/** Every command by its title: type, choose, run. */
export function Palette() {
  const model = useModel();
  const text = useSignal('');
  const chosen = useSignal(0);
  const commands = found(possibleCommands(COMMANDS, model), text.value);
  const active = Math.min(chosen.value, commands.length - 1);
  const run = (command: Command | undefined): void => {
    if (command === undefined) return;
    model.dialog.value = 'none';
    // After the dialog has given the focus back: commands work on what is focused.
    requestAnimationFrame(() => void runCommand(command, model));
  };
  return (
    <Dialog label="Commands" class="palette">
      <input
        type="text"
        role="combobox"
        aria-label="Command"
        aria-expanded="true"
        aria-controls="palette-list"
        aria-activedescendant={commands.length === 0 ? undefined : `command-${active}`}
        placeholder="what to do"
        spellcheck={false}
        autocomplete="off"
        value={text.value}
        onInput={(event) => {
          text.value = event.currentTarget.value;
          chosen.value = 0;
        }}
        onKeyDown={(event) => {
          if (event.key === 'ArrowDown') chosen.value = Math.min(active + 1, commands.length - 1);
          else if (event.key === 'ArrowUp') chosen.value = Math.max(active - 1, 0);
          else if (event.key === 'Enter') run(commands[active]);
          else return;
          event.preventDefault();
          document.getElementById(`command-${chosen.peek()}`)?.scrollIntoView({ block: 'nearest' });
        }}
      />
      <div id="palette-list" role="listbox" aria-label="Commands">
        {commands.map((command, i) => (
          <div
            key={command.id}
            id={`command-${i}`}
            class="command"
            role="option"
            tabIndex={-1}
            aria-selected={i === active}
            onClick={() => run(command)}
          >
            <span class="dim">{command.group}</span>
            <span>{command.title}</span>
            <Keys names={command.keys.slice(0, 1)} />
          </div>
        ))}
      </div>
      {commands.length === 0 ? <p class="empty">No command is called so.</p> : undefined}
    </Dialog>
  );
}

import type { PanelId } from '../app/panel-names.ts';
import type { Refusal } from '../model/go.ts';
import type { Model } from '../model/model.ts';

export type CommandGroup =
  | 'Move'
  | 'Findings'
  | 'What if'
  | 'Diff'
  | 'List'
  | 'Timeline'
  | 'Views'
  | 'Copy'
  | 'App';

/** One thing the app can do: a line of the palette and of the sheet, and the keys that do it. */
export interface Command {
  readonly id: string;
  readonly group: CommandGroup;
  readonly title: string;
  /** As {@link keyOf} prints them; the first one is shown. */
  readonly keys: readonly string[];
  /** Its keys mean this only while the focus is in that view, where they go before others. */
  readonly within?: PanelId;
  /** Whether it can be done here at all; always where it is missing. */
  possible?(model: Model): boolean;
  /** What it answers is told to the user: why nothing happened. */
  run(model: Model): Refusal | Promise<Refusal>;
}

/** The commands that can be done here. */
export function possibleCommands(commands: readonly Command[], model: Model): Command[] {
  return commands.filter((command) => command.possible?.(model) ?? true);
}

/** Runs a command and tells its answer. */
export async function runCommand(command: Command, model: Model): Promise<void> {
  const refusal = await command.run(model);
  if (refusal !== undefined) model.notice.value = refusal;
}

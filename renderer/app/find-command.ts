import type { Command } from '../commands/command.ts';

/** Commands whose group and title hold every word of the text; those whose title starts with it come first. */
export function found(commands: readonly Command[], text: string): Command[] {
  const wanted = text.trim().toLowerCase();
  const words = wanted.split(/\s+/);
  const holding = commands.filter(({ group, title }) => {
    const line = `${group} ${title}`.toLowerCase();
    return words.every((word) => line.includes(word));
  });
  const first = holding.filter(({ title }) => title.toLowerCase().startsWith(wanted));
  return [...first, ...holding.filter((command) => !first.includes(command))];
}

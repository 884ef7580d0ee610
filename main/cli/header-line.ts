import type { EventSource } from '../../engine/replay/source.ts';
import { formatStart } from '../../engine/replay/start-text.ts';
import { formatHeader, MAX_LINE_CHARACTERS } from '../../engine/trace/text/index.ts';
import { Problem } from './problem.ts';

/** Line 1 of the event text of a trace, with the state with which it starts. */
export function headerLine(
  command: string,
  { header, start }: Pick<EventSource, 'header' | 'start'>,
): string {
  const line = formatHeader(header, start === undefined ? undefined : formatStart(start));
  if (line.length > MAX_LINE_CHARACTERS)
    throw new Problem(`${command}: the state with which it starts is too large for a line; pack keeps it`);
  return line;
}

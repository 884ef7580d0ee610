/** The one public face of the event text. */

export { type TextContext, textContext } from './context.ts';
export {
  type FormatOptions,
  formatEvent,
  type LineContext,
  parseEventLine,
  type TextProblem,
} from './event-line.ts';
export { formatHeader, type HeaderLine, parseHeader } from './header.ts';
export { LineNumbers } from './line-numbers.ts';
export { EventLineReader, MAX_LINE_CHARACTERS } from './reader.ts';

import type { TraceEvent } from '../event.ts';
import { seqOf, type TimeNs, timeNs } from '../position.ts';
import type { Profile } from '../profile.ts';
import { type TextContext, textContext } from './context.ts';
import { parseEventLine, type TextProblem } from './event-line.ts';

/** Longest line that is read: a page list of the largest hypercall takes about 100 kB, a VP's XSAVE area 4 MB. */
export const MAX_LINE_CHARACTERS = 16 * 1024 * 1024;

/** Reads the lines after the header one by one; keeps only the last time and the number of events. */
export class EventLineReader {
  private readonly context: TextContext;
  private after: TimeNs = timeNs(0);
  private events = 0;

  constructor(profile: Profile) {
    this.context = textContext(profile);
  }

  /** Reads the next line. After a problem the reader is of no further use. */
  next(text: string): { readonly event: TraceEvent } | { readonly problem: TextProblem } {
    const seq = seqOf(this.events + 1);
    // Line 1 is the header, so event n stands on line n + 1.
    const read = parseEventLine(text, seq + 1, { ...this.context, seq, after: this.after });
    if ('event' in read) {
      this.events = seq;
      this.after = read.event.t;
    }
    return read;
  }
}

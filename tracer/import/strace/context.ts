import type { Dialect } from '../../../engine/trace/event.ts';
import type { Emitter } from '../../sources/emitter.ts';
import type { Tally } from '../tally.ts';
import type { DialectGuess } from './dialect-guess.ts';
import type { Handles } from './handles.ts';

/** What the calls of a trace are read against. */
export interface CallContext {
  readonly emitter: Emitter;
  readonly tally: Tally;
  readonly handles: Handles;
  readonly guess: DialectGuess;
  /** The dialect of events that name none. */
  readonly usual: Dialect;
}

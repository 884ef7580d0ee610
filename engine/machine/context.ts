import type { CellStore } from '../state/store.ts';
import type { IoctlEvent, TraceEvent } from '../trace/event.ts';
import type { Seq } from '../trace/position.ts';
import type { Profile } from '../trace/profile.ts';
import type { BindReason } from './bindable.ts';

/** What the rooms of the engine work on. They hold no state of their own: it is all in the store. */
export interface Context {
  readonly store: CellStore;
  readonly profile: Profile;
  /**
   * Takes a value that the engine cannot know from the recorded event when it has one, else the engine's own
   * choice; counted by reason (`replay` prints the counts).
   */
  bind(reason: BindReason, recorded: bigint | undefined, own: bigint): bigint;
  /**
   * The next event that the record has below a call, of those that can be seen from here; undefined where it has none, or nothing is
   * recorded. For a call of which the record alone tells how far it came.
   */
  nextBelow(call: Seq): TraceEvent | undefined;
  /** Calls that wait, or have waited, and have not returned yet. */
  waiting(): Iterable<IoctlEvent>;
}

import type { CellStore } from '../state/store.ts';
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
}

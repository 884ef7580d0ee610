import { dialectOf } from '../dialect.ts';
import type { Dialect } from '../event.ts';
import type { Profile } from '../profile.ts';

/** What a line means depends on: the numbers of ioctls belong to a dialect. */
export interface TextContext {
  /** Where an event names none. */
  readonly dialect: Dialect;
}

export function textContext(profile: Profile): TextContext {
  return { dialect: dialectOf(profile.kernel) };
}

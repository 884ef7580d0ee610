import type { TraceHeader } from '../../engine/trace/profile.ts';
import { parseProfile } from '../../engine/trace/profile-read.ts';
import type { JsonObject } from '../../engine/trace/text/json.ts';

/** A header with the profile that `given` makes. */
export function headerOf(given: JsonObject = {}): TraceHeader {
  const read = parseProfile(given);
  if ('problem' in read) throw new Error(read.problem.message);
  return { profile: read.profile, given };
}

import type { TraceHeader } from '../../trace/profile.ts';
import {
  type GivenProfile,
  overlayProfile,
  parseProfile,
  parseProfileOverlay,
} from '../../trace/profile-read.ts';

/** The header with `key=value` laid over its profile. A trace that starts with a stored state has been played by its own. */
export function headerWith(
  header: TraceHeader,
  text: string,
  hasState: boolean,
): { readonly header: TraceHeader } | { readonly problem: string } {
  if (hasState) {
    return { problem: 'the trace starts with a state that its own profile made; change events instead' };
  }
  const overlay = parseProfileOverlay(text);
  if ('problem' in overlay) return overlay;
  const given = overlayProfile(header.given as GivenProfile, overlay.given);
  const read = parseProfile(given);
  if (!('problem' in read)) return { header: { ...header, given, profile: read.profile } };
  const { path, atKey, message } = read.problem;
  return { problem: `${atKey || path.length === 0 ? '' : `${path.join('.')}: `}${message}` };
}

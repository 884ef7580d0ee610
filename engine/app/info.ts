import { hexOf } from '../abi/text.ts';
import type { EventSource } from '../replay/source.ts';
import { blindSpots } from '../trace/blind-spots.ts';
import { EVENT_KINDS, type EventKind } from '../trace/event.ts';
import { ENGINE_VERSION } from '../version.ts';
import type { TraceInfo } from './api.ts';

interface Known {
  readonly name: string;
  /** Name of the trace that it is compared with. */
  readonly other: string | undefined;
  readonly source: EventSource;
  /** Time of the last event. */
  readonly durationNs: number;
  readonly components: readonly string[];
  readonly kinds: { readonly [K in EventKind]?: number };
}

/** What a trace is, before one looks at its events. */
export function traceInfo({ name, other, source, durationNs, components, kinds }: Known): TraceInfo {
  const { profile } = source.header;
  return {
    name,
    ...(other === undefined ? {} : { other }),
    events: source.count,
    durationNs,
    profile: Object.fromEntries(Object.entries(profile).map(([key, value]) => [key, profileText(value)])),
    engine: ENGINE_VERSION,
    cpus: profile.cpus,
    kinds: EVENT_KINDS.flatMap((kind) => {
      const count = kinds[kind] ?? 0;
      return count === 0 ? [] : [{ kind, count }];
    }),
    components,
    unanswered: blindSpots(profile, { kinds }),
  };
}

function profileText(value: unknown): string {
  if (typeof value === 'string') return value;
  if (value instanceof Map) return value.size === 0 ? 'none' : `${value.size} leaves`;
  if (Array.isArray(value)) return value.length === 0 ? 'none' : value.join(', ');
  if (typeof value === 'object' && value !== null) {
    return Object.entries(value)
      .map(([key, member]) => `${key} ${profileText(member)}`)
      .join(', ');
  }
  return typeof value === 'bigint' ? hexOf(value) : String(value);
}

import { dialectOf } from '../trace/dialect.ts';
import type { TraceEvent } from '../trace/event.ts';
import { at } from '../trace/position.ts';
import type { Profile } from '../trace/profile.ts';
import { formatFilterError } from './error.ts';
import { eventAccess } from './event-access.ts';
import { eventFields } from './fields.ts';
import { readFilter } from './filter.ts';
import type { Leaf, Plan } from './plan.ts';
import { compilePredicate } from './predicate.ts';

/** A filter that is asked while a trace is being made. */
export interface CaptureFilter {
  /** The canonical text. */
  readonly text: string;
  /** It asks something that is only known when a call has returned. */
  readonly asksAnswer: boolean;
  holds(event: TraceEvent): boolean;
}

/** Fields that a call has from its return on; the rest is known at its entry (event-access.ts). */
const ANSWER_FIELDS: ReadonlySet<string> = new Set(['dur', 'ret', 'errno', 'status', 'fault']);
const ANSWER_PAYLOADS: ReadonlySet<string> = new Set(['out', 'output', 'payload']);

/**
 * Reads a filter for a recording of that profile. What speaks of a finished trace is refused: positions (they are given
 * when an event is written), and what only a replay tells.
 */
export function readCaptureFilter(
  text: string,
  profile: Profile,
): CaptureFilter | { readonly problem: string } {
  const dialect = dialectOf(profile.kernel);
  const table = eventFields({ dialect, replayed: true, components: [], rules: [], paths: [] });
  const read = readFilter(text, table);
  if (!read.ok) return { problem: formatFilterError(read.error) };
  const { plan } = read.value;
  const leaves = [...leavesOf(plan)];
  const late = leaves.map(ofFinishedTrace).find((word) => word !== undefined);
  if (late !== undefined)
    return {
      problem: `filter: ${late} can be asked of a finished trace only; record without it and use show`,
    };
  const access = eventAccess<TraceEvent>({
    dialect,
    eventOf: (event) => event,
    addressOf: (event) => at(event.seq),
    parentOf: () => undefined,
    rulesOf: () => [],
    changes: () => () => false,
  });
  return {
    text: read.value.text,
    asksAnswer: leaves.some(asksAnswer),
    holds: compilePredicate(plan, access),
  };
}

function* leavesOf(plan: Plan): Iterable<Leaf> {
  if (plan.kind === 'always') return;
  if ('terms' in plan) for (const term of plan.terms) yield* leavesOf(term);
  else yield plan;
}

function ofFinishedTrace(leaf: Leaf): string | undefined {
  if (leaf.kind === 'changes') return 'changes( )';
  if (leaf.kind === 'under') return 'under( )';
  return leaf.kind === 'field' && ['seq', 'sub', 'rule'].includes(leaf.field) ? leaf.field : undefined;
}

function asksAnswer(leaf: Leaf): boolean {
  if (leaf.kind === 'field') return ANSWER_FIELDS.has(leaf.field);
  return leaf.kind === 'payload' && ANSWER_PAYLOADS.has(leaf.root);
}

/** A filter that was read before, perhaps for another profile. */
export function captureFilterOf(text: string, profile: Profile): CaptureFilter {
  const filter = readCaptureFilter(text, profile);
  if ('problem' in filter) throw new Error(filter.problem);
  return filter;
}

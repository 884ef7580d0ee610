/** Samples in which nothing is wrong, as a recorder without the kernel's sources would have them: every access and call is a fact of its own. */
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TraceEvent } from '../../engine/trace/event.ts';
import type { TraceHeader } from '../../engine/trace/profile.ts';
import { parseHeader } from '../../engine/trace/text/index.ts';
import { played } from '../mutation/corpus.ts';

const ROOT = join(import.meta.dirname, '../..');
const PATTERNS = [
  'samples/scenarios/*.hvtrace.ndjson',
  'samples/bugs/*/fixed.hvtrace.ndjson',
  'test/rules/corpus/*-nearmiss.hvtrace.ndjson',
];

export interface Legal {
  readonly name: string;
  readonly header: TraceHeader;
  readonly events: readonly TraceEvent[];
  /** The same with its answers, and the kernel's sources known: replay compares it with what that kernel does. */
  readonly recorded: { readonly header: TraceHeader; readonly events: readonly TraceEvent[] };
}

/** The samples that must be silent, with all that happens in them; answers are left to the engine. */
export function legalSamples(): Legal[] {
  return PATTERNS.flatMap((pattern) => globSync(pattern, { cwd: ROOT }).sort()).flatMap((path) => {
    const [first = '', ...lines] = readFileSync(join(ROOT, path), 'utf8').trimEnd().split('\n');
    const read = parseHeader(first);
    if ('problem' in read) throw new Error(read.problem.message);
    if (read.header.expect?.findings.length !== 0) return [];
    const { events, header } = played(path, read.header, lines);
    const unknown = parseHeader(JSON.stringify({ profile: { ...header.given, kernel: 'unknown' } }));
    if ('problem' in unknown) throw new Error(unknown.problem.message);
    return [
      { name: path, header: unknown.header, events: events.map(unanswered), recorded: { header, events } },
    ];
  });
}

/** As a recorder saw it, which tells the begin of a step from its end; the engine's answer counts. */
function unanswered(played: TraceEvent): TraceEvent {
  const event = { ...played, provenance: 'observed' as const };
  switch (event.kind) {
    case 'msr': {
      const { fault: _fault, value, ...access } = event;
      return access.dir === 'read' || value === undefined ? access : { ...access, value };
    }
    case 'hypercall': {
      const { result: _result, fault: _fault, output: _output, ...call } = event;
      return call;
    }
    case 'lifecycle':
      return { ...event, phase: event.phase ?? 'begin' };
    default:
      return event;
  }
}

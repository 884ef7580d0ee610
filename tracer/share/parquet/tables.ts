import { errnos } from '../../../engine/abi/index.ts';
import type { FindingJson, Severity } from '../../../engine/rules/finding.ts';
import type { TraceEvent } from '../../../engine/trace/event.ts';
import type { TraceHeader } from '../../../engine/trace/profile.ts';
import { formatEvent, textContext } from '../../../engine/trace/text/index.ts';
import type { Column } from './table-file.ts';

/** An event, and its line of event text read back: names there are canonical. */
export interface EventRow {
  readonly file: string;
  readonly event: TraceEvent;
  readonly text: Readonly<Record<string, unknown>>;
}

export interface FindingRow {
  readonly file: string;
  readonly finding: FindingJson;
}

export interface TraceRow {
  readonly file: string;
  readonly header: TraceHeader;
  readonly events: number;
  readonly diverged: number;
  /** Of the journal, as this engine replayed it. */
  readonly hash: string;
  readonly engine: string;
  readonly findings: readonly FindingJson[];
}

/** Makes rows of the events of one trace. */
export function eventRows(file: string, header: TraceHeader): (event: TraceEvent) => EventRow {
  const context = textContext(header.profile);
  return (event) => ({ file, event, text: JSON.parse(formatEvent(event, context)) as EventRow['text'] });
}

export const EVENT_COLUMNS: readonly Column<EventRow>[] = [
  { name: 'file', type: 'string', of: ({ file }) => file },
  { name: 'seq', type: 'int64', of: ({ event }) => event.seq },
  { name: 'parent', type: 'int64', of: ({ event }) => event.parent },
  { name: 't_ns', type: 'int64', of: ({ event }) => event.t },
  { name: 'duration_ns', type: 'int64', of: ({ event }) => durationOf(event) },
  { name: 'kind', type: 'string', of: ({ event }) => event.kind },
  { name: 'provenance', type: 'string', of: ({ event }) => event.provenance },
  { name: 'component', type: 'string', of: ({ event }) => event.component },
  { name: 'cpu', type: 'int32', of: ({ event }) => event.cpu },
  { name: 'pid', type: 'int32', of: ({ event }) => event.pid },
  { name: 'tid', type: 'int32', of: ({ event }) => event.tid },
  { name: 'vp', type: 'string', of: ({ text }) => nameOf(text.vp) },
  { name: 'vtl', type: 'int32', of: ({ event }) => event.vtl },
  { name: 'handle', type: 'string', of: ({ text }) => nameOf(text.handle) },
  // As in the filter language: the ioctl, the direction of an MSR access, the type of an intercept, or what happened.
  { name: 'op', type: 'string', of: ({ text }) => nameOf(text.op ?? text.dir ?? text.type ?? text.what) },
  { name: 'code', type: 'string', of: ({ text }) => nameOf(text.code) },
  { name: 'msr', type: 'string', of: ({ text }) => nameOf(text.msr) },
  { name: 'value', type: 'uint64', of: ({ event }) => (event.kind === 'msr' ? event.value : undefined) },
  { name: 'status', type: 'string', of: ({ text }) => nameOf(resultOf(text).status) },
  {
    name: 'reps',
    type: 'int32',
    of: ({ event }) => (event.kind === 'hypercall' ? event.result?.reps : undefined),
  },
  { name: 'ret', type: 'int64', of: ({ event }) => retOf(event) },
  { name: 'errno', type: 'string', of: ({ event }) => errnoOf(event) },
  { name: 'fault', type: 'boolean', of: ({ event }) => ('fault' in event ? event.fault : undefined) },
  { name: 'event', type: 'json', of: ({ text }) => text },
];

export const FINDING_COLUMNS: readonly Column<FindingRow>[] = [
  { name: 'file', type: 'string', of: ({ file }) => file },
  { name: 'id', type: 'string', of: ({ finding }) => finding.id },
  { name: 'rule', type: 'string', of: ({ finding }) => finding.rule },
  { name: 'severity', type: 'string', of: ({ finding }) => finding.severity },
  { name: 'title', type: 'string', of: ({ finding }) => finding.title },
  { name: 'position', type: 'string', of: ({ finding }) => finding.at },
  // The event at a position, or above a derived one: what joins with `seq` of the events.
  { name: 'seq', type: 'int64', of: ({ finding }) => seqOf(finding.at) },
  { name: 'culprit_position', type: 'string', of: ({ finding }) => finding.culprit.at },
  { name: 'culprit_seq', type: 'int64', of: ({ finding }) => seqOf(finding.culprit.at) },
  { name: 'culprit', type: 'string', of: ({ finding }) => finding.culprit.component },
  { name: 'evidence', type: 'strings', of: ({ finding }) => finding.evidence },
  { name: 'cells', type: 'strings', of: ({ finding }) => finding.cells },
  { name: 'cpus', type: 'int32s', of: ({ finding }) => finding.cpus },
  {
    name: 'partition_id',
    type: 'uint64',
    of: ({ finding: { partition } }) => (partition === undefined ? undefined : BigInt(partition)),
  },
  { name: 'vp', type: 'int32', of: ({ finding }) => finding.vp },
  { name: 'fix', type: 'string', of: ({ finding }) => finding.fix },
];

export const TRACE_COLUMNS: readonly Column<TraceRow>[] = [
  { name: 'file', type: 'string', of: ({ file }) => file },
  { name: 'events', type: 'int64', of: ({ events }) => events },
  { name: 'errors', type: 'int32', of: (row) => countOf(row, 'error') },
  { name: 'warnings', type: 'int32', of: (row) => countOf(row, 'warning') },
  { name: 'infos', type: 'int32', of: (row) => countOf(row, 'info') },
  { name: 'divergences', type: 'int64', of: ({ diverged }) => diverged },
  { name: 'kernel', type: 'string', of: ({ header }) => header.profile.kernel },
  { name: 'role', type: 'string', of: ({ header }) => header.profile.role },
  { name: 'arch', type: 'string', of: ({ header }) => header.profile.arch },
  { name: 'cpus', type: 'int32', of: ({ header }) => header.profile.cpus },
  { name: 'profile', type: 'json', of: ({ header }) => header.given },
  { name: 'engine', type: 'string', of: ({ engine }) => engine },
  { name: 'hash', type: 'string', of: ({ hash }) => hash },
];

function durationOf(event: TraceEvent): number | undefined {
  const timed = event.kind === 'ioctl' || event.kind === 'hypercall';
  return timed && event.tEnd !== undefined ? event.tEnd - event.t : undefined;
}

/** A name, or a number without one, which the text has as `"0x…"` or as a number. */
function nameOf(value: unknown): string | undefined {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : undefined;
}

function resultOf({ result }: EventRow['text']): Readonly<Record<string, unknown>> {
  return typeof result === 'object' && result !== null ? (result as Record<string, unknown>) : {};
}

function retOf(event: TraceEvent): number | undefined {
  return 'ret' in event ? (event.ret ?? undefined) : undefined;
}

function errnoOf(event: TraceEvent): string | undefined {
  const ret = retOf(event);
  if (ret === undefined || ret >= 0) return undefined;
  return errnos.find(-ret)?.name ?? String(-ret);
}

/** `812.3` and `812r` stand below event 812. */
function seqOf(position: string): number {
  return Number.parseInt(position, 10);
}

function countOf({ findings }: TraceRow, severity: Severity): number {
  return findings.filter((finding) => finding.severity === severity).length;
}

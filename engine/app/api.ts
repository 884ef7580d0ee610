/**
 * What a view may ask, and what it gets: the one interface between the renderer and whoever holds the trace
 * (the Electron main process, the local web server, or the page itself). All values are plain JSON: positions
 * are text, 64-bit values are `0x…` text, times are integer nanoseconds.
 */

import type { FilterError } from '../filter/error.ts';
import type { FindingJson } from '../rules/finding.ts';
import type { BlindSpot } from '../trace/blind-spots.ts';
import type { AnalysisRequests } from './api-analysis.ts';
import type { CompareRequests } from './api-compare.ts';
import type { ExitRequests } from './api-exits.ts';
import type { MachineRequests } from './api-machine.ts';

export interface TraceInfo {
  readonly name: string;
  /** Name of the trace that it is compared with; none: it stands alone. */
  readonly other?: string;
  readonly events: number;
  readonly durationNs: number;
  /** Every parameter of the profile, defaults included, as text. */
  readonly profile: Readonly<Record<string, string>>;
  readonly engine: string;
  readonly cpus: number;
  /** Kinds of event that occur, in the order of EVENT_KINDS, with their number. */
  readonly kinds: readonly { readonly kind: string; readonly count: number }[];
  /** Components that occur; before the replay none where the file has no list of them. */
  readonly components: readonly string[];
  /** Questions that the kinds of its events leave open. */
  readonly unanswered: readonly BlindSpot[];
}

export interface ReplaySummary {
  readonly events: number;
  readonly derived: number;
  readonly checked: number;
  readonly bound: Readonly<Record<string, number>>;
  readonly divergences: readonly DivergenceView[];
  readonly hash: string;
}

export interface DivergenceView {
  readonly at: string;
  readonly field: string;
  readonly expected: string;
  readonly actual: string;
  readonly rule: string;
}

/** One row of the event grid. */
export interface EventRow {
  /** Place in the (filtered) list, from 0. */
  readonly index: number;
  readonly at: string;
  readonly parent?: string;
  readonly tNs: number;
  readonly kind: string;
  readonly provenance: string;
  readonly component?: string;
  /** CPU, VP or thread: `cpu 0`, `vp 2.0`, `100/101`. */
  readonly who: string;
  readonly handle?: string;
  /** Id of its lane in the timeline. */
  readonly lane: string;
  /** Canonical name of the call, MSR, message or step. */
  readonly op: string;
  /** Status, errno name, `#GP`, or the value of a read. */
  readonly result?: string;
  readonly failed: boolean;
  readonly summary: string;
  readonly durationNs?: number;
  /** Ids of findings that this event proves or causes. */
  readonly findings: readonly string[];
  readonly diverges: boolean;
}

export interface EventPage {
  readonly rows: readonly EventRow[];
  /** Rows in all that match, once counted. */
  readonly total: number;
}

/** What is wrong with a filter text, by column. */
export type FilterProblem = FilterError;

export interface FieldView {
  readonly path: string;
  readonly value: string;
  /** Meaning of the value where it has one: an enum's name, the flags set. */
  readonly meaning?: string;
  /** Place in the buffer: first byte and number of bytes; bits within for bit fields. */
  readonly offset: number;
  readonly size: number;
  readonly lsb?: number;
  readonly width?: number;
  readonly depth: number;
}

export interface BufferView {
  /** `arg`, `in`, `out.data`, `input`, `output`, `slot`, `value`, … */
  readonly name: string;
  readonly layout: string;
  readonly hex: string;
  readonly fields: readonly FieldView[];
}

export interface AnswerView {
  readonly field: string;
  readonly recorded?: string;
  readonly predicted: string;
  readonly verdict: 'checked' | 'bound' | 'diverges' | 'not recorded' | 'unmodelled';
}

export interface WriteView {
  readonly path: string;
  readonly at: string;
  readonly component: string;
  readonly old: string | null;
  readonly now: string;
}

export interface EventDetail {
  readonly row: EventRow;
  /** The event as a line of event text. */
  readonly text: string;
  readonly buffers: readonly BufferView[];
  /** False while only the file is known: answers, rule, writes and derived children are still to come. */
  readonly replayed: boolean;
  readonly answers: readonly AnswerView[];
  readonly rule?: string;
  readonly parent?: EventRow;
  readonly children: readonly EventRow[];
  readonly writes: readonly WriteView[];
}

export interface CellView {
  readonly path: string;
  /** Null where it is not known. */
  readonly value: string | null;
  readonly known: boolean;
  readonly type: string;
  readonly decoded: Readonly<Record<string, string>>;
  readonly writer?: { readonly at: string; readonly component: string };
  /** Written by the event at the cursor. */
  readonly changed: boolean;
}

export interface MatrixCell {
  readonly path: string;
  readonly value: string | null;
  readonly known: boolean;
  /** Decoded bits in short: `on 0x1234`, `masked`, `0xf3 auto_eoi`. */
  readonly short: string;
  readonly decoded: Readonly<Record<string, string>>;
  readonly writer?: { readonly at: string; readonly component: string };
  /** Component that enabled what the cell controls and has not released it. */
  readonly owner?: string;
  readonly changed: boolean;
}

export interface MsrMatrix {
  readonly at: string;
  readonly registers: readonly string[];
  readonly rows: readonly { readonly cpu: number; readonly cells: readonly MatrixCell[] }[];
}

/** A finding as `check --json` prints it. */
export type FindingView = FindingJson;

/** One lane of the timeline, cut into buckets of equal time (or events); only non-empty buckets are listed. */
export interface Lane {
  readonly id: string;
  readonly label: string;
  readonly group: 'cpu' | 'component' | 'thread' | 'vp' | 'hypervisor';
  readonly buckets: readonly LaneBucket[];
}

export interface LaneBucket {
  readonly bucket: number;
  readonly count: number;
  readonly failed: number;
  /** Of them, worked out by the engine. */
  readonly derived: number;
  /** Most frequent kind and component, for colour and letter. */
  readonly kind: string;
  readonly component: string;
  /** The only event of the bucket, or its first. */
  readonly at: string;
}

/** Something that stands at a place of the timeline, above the lanes. */
export interface TimelineSign {
  readonly what: 'divergence' | 'gap' | 'note';
  readonly at: string;
  readonly tNs: number;
  readonly text: string;
}

export interface TimelineView {
  readonly axis: 'time' | 'events';
  /** Of the answer: before the replay a coarser one than was asked for, around the window. */
  readonly from: number;
  readonly to: number;
  readonly buckets: number;
  /** Where each bucket begins on the axis and the last one ends, where they are not equally wide. */
  readonly edges?: readonly number[];
  readonly lanes: readonly Lane[];
  /** Those of the window, the first thousand. */
  readonly signs: readonly TimelineSign[];
}

/**
 * How far the replay of the open trace is. Until it has come to its end, requests are answered from the file where it
 * can tell (see engine/app/early), and put off where it cannot; after a failure they stay so.
 */
export type AppProgress =
  | { readonly state: 'replaying'; readonly done: number; readonly total: number }
  | { readonly state: 'replayed' }
  /** One line. */
  | { readonly state: 'failed'; readonly problem: string };

/** Requests by name: what goes in, what comes out. */
export interface AppRequests extends AnalysisRequests, CompareRequests, ExitRequests, MachineRequests {
  readonly info: { readonly in: Record<string, never>; readonly out: TraceInfo };
  /** Answered by whoever holds the trace, also while it is busy. */
  readonly progress: { readonly in: Record<string, never>; readonly out: AppProgress };
  readonly replay: { readonly in: Record<string, never>; readonly out: ReplaySummary };
  /** Rows `from` … of the events that match `filter` (empty: all); recorded events, or also derived ones. */
  readonly events: {
    readonly in: {
      readonly filter: string;
      readonly derived: boolean;
      readonly from: number;
      readonly count: number;
    };
    readonly out: EventPage | { readonly problem: FilterProblem };
  };
  /** Place of a position in the filtered list: the row itself, or the nearest before it. */
  readonly locate: {
    readonly in: { readonly filter: string; readonly derived: boolean; readonly at: string };
    readonly out: { readonly index: number };
  };
  /** The rows of single positions (the proof of a finding), in the order asked; null where the trace has none. */
  readonly rows: {
    readonly in: { readonly at: readonly string[] };
    readonly out: { readonly rows: readonly (EventRow | null)[] };
  };
  readonly event: { readonly in: { readonly at: string }; readonly out: EventDetail };
  readonly state: {
    readonly in: { readonly at: string; readonly path: string };
    readonly out: { readonly cells: readonly CellView[] };
  };
  readonly matrix: {
    readonly in: { readonly at: string; readonly nested: boolean };
    readonly out: MsrMatrix;
  };
  /** Writes of one cell, oldest first: those around `at`, with the previous and the next one. */
  readonly history: {
    readonly in: { readonly path: string; readonly at: string; readonly limit: number };
    readonly out: {
      readonly writes: readonly WriteView[];
      readonly total: number;
      readonly previous?: string;
      readonly next?: string;
    };
  };
  readonly findings: {
    readonly in: Record<string, never>;
    readonly out: { readonly findings: readonly FindingView[] };
  };
  readonly timeline: {
    readonly in: {
      readonly axis: 'time' | 'events';
      readonly from: number;
      readonly to: number;
      readonly buckets: number;
      /** Derived events as well; they stand where their event stands. */
      readonly derived: boolean;
    };
    readonly out: TimelineView;
  };
  readonly complete: {
    readonly in: { readonly filter: string; readonly cursor: number };
    readonly out: { readonly from: number; readonly to: number; readonly words: readonly string[] };
  };
}

export type AppMethod = keyof AppRequests;

/** The typed interface itself; transports (Electron IPC, HTTP and server-sent events, in page) implement it. */
export interface App {
  /** Fails with a `NotYet` for what only the replay will tell. */
  invoke<M extends AppMethod>(method: M, input: AppRequests[M]['in']): Promise<AppRequests[M]['out']>;
  /** Hears how the replay goes on, beginning with where it is or with the next news. */
  onProgress(listener: (progress: AppProgress) => void): () => void;
}

/** What a view may ask of two machines side by side, and what it gets. Part of `api.ts`. */

import type { EventRow, FindingView } from './api.ts';

/** What the trace is compared with: another trace (`with`: `trace`), or itself with edits made to it. */
export interface Against {
  readonly against: 'trace' | 'edits';
  readonly edits: readonly string[];
}

/** What a row says of its two events. `reordered`: the same event, which comes elsewhere in the other trace. */
export type BesideSign = 'same' | 'changed' | 'only A' | 'only B' | 'reordered' | 'remark';

/** How two traces compare, A and B. */
export interface CompareView {
  readonly a: string;
  readonly b: string;
  readonly equal: boolean;
  /** Runs of differences. */
  readonly differences: number;
  readonly rows: number;
  readonly counts: Readonly<Record<'same' | 'changed' | 'onlyA' | 'onlyB' | 'moved', number>>;
  /** Where they part first: its row, none where only the profiles differ; why, as `diff` has it. */
  readonly first?: {
    readonly row?: number;
    readonly reason: string;
    readonly fields: readonly { readonly field: string; readonly a: string; readonly b: string }[];
  };
  /** Findings that only one of them has. */
  readonly findings: { readonly onlyA: readonly FindingView[]; readonly onlyB: readonly FindingView[] };
}

export interface BesideRow {
  /** Place in the list that was asked for, from 0. */
  readonly index: number;
  /** Number of the row, as text: that of the whole list, also where it is folded. */
  readonly at: string;
  readonly sign: BesideSign;
  /** Fields differ as well: of an event that is reordered. */
  readonly differs: boolean;
  /** The first difference. */
  readonly first: boolean;
  readonly a?: EventRow;
  readonly b?: EventRow;
  /** Where the other one of a reordered event stands, in the other trace. */
  readonly elsewhere?: string;
  /** Rows that the folded list leaves out before this one. */
  readonly folded: number;
}

/** One member of an event's text in both traces. */
export interface BesideField {
  readonly path: string;
  readonly a: string | null;
  readonly b: string | null;
  /** `named`: another name, time or number for the same. */
  readonly verdict: 'same' | 'named' | 'differs';
}

/** A row with all there is to tell of it. */
export interface BesideDetail {
  readonly row: BesideRow;
  readonly fields: readonly BesideField[];
  /** The events as lines of event text. */
  readonly textA?: string;
  readonly textB?: string;
  /** Cells that differ when both machines have done the rows up to this one, the first thousand. */
  readonly state: readonly { readonly path: string; readonly a: string | null; readonly b: string | null }[];
  readonly stateInAll: number;
}

export interface CompareRequests {
  readonly compare: {
    readonly in: Against;
    readonly out: CompareView | { readonly problem: string };
  };
  /** Rows `from` … of the list; folded, of the differences and some rows around each. */
  readonly compareRows: {
    readonly in: Against & { readonly folded: boolean; readonly from: number; readonly count: number };
    readonly out: { readonly rows: readonly BesideRow[]; readonly total: number };
  };
  readonly compareDetail: { readonly in: Against & { readonly row: number }; readonly out: BesideDetail };
  /**
   * A row and its place in the list that is shown: of an event of A (`go` is `at`), or of the next or previous run of differences
   * as seen from a row. `of`: how many runs there are, `nth`: which one this is, from 1; 0: before the first.
   */
  readonly comparePlace: {
    readonly in: Against & {
      readonly folded: boolean;
      readonly go: 'at' | 'row' | 'next' | 'previous' | 'first';
      readonly at: string;
      readonly row: number;
    };
    readonly out: {
      readonly place?: { readonly row: number; readonly index: number; readonly at?: string };
      readonly nth: number;
      readonly of: number;
    };
  };
  /** Long work that is under way for a request, if any. */
  readonly work: {
    readonly in: Record<string, never>;
    readonly out: { readonly work: WorkView | null };
  };
  /** Ends it: the request that wanted it is refused. */
  readonly cancel: { readonly in: Record<string, never>; readonly out: { readonly cancelled: boolean } };
}

/** How far long work is, in its own units. */
export interface WorkView {
  readonly what: 'compare' | 'what-if' | 'suggest';
  readonly done: number;
  readonly total: number;
}

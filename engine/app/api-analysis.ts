/** What a view may ask of analysis/, and what it gets: blame and what-if. Part of `api.ts`. */

import type { EventRow, FindingView } from './api.ts';

/** One link of the chains behind a cell or an answer (analysis/blame.ts says what `why` means). */
export interface BlameLinkView {
  readonly why: 'wrote' | 'held' | 'answered' | 'caused' | 'failed' | 'decided';
  /** Links between it and what was asked: each link stands right below the one that it explains. */
  readonly depth: number;
  readonly at: string;
  readonly component?: string;
  readonly rule?: string;
  /** The cell as it was left; `old` null where it was not known. */
  readonly cell?: { readonly path: string; readonly old: string | null; readonly now: string };
  /** The event in short; none for what nobody wrote. */
  readonly row?: EventRow;
}

export interface BlameView {
  /** What was asked: a cell path, or the answer of an event such as `93.fault`. */
  readonly of: string;
  /** The state in which a cell was asked for, or the position of the answer. */
  readonly at: string;
  readonly links: readonly BlameLinkView[];
  /** There is more behind the last links. */
  readonly cut: boolean;
}

/** What comes of a trace with edits made to it; all positions are those of the trace as it is. */
export interface WhatIfView {
  readonly edits: readonly string[];
  readonly findings: {
    readonly before: readonly FindingView[];
    readonly after: readonly FindingView[];
    readonly added: readonly FindingView[];
    readonly removed: readonly FindingView[];
  };
  /** The first thousand, with the event each belongs to; null: not told, or it does not happen. */
  readonly answers: readonly {
    readonly at: string;
    readonly before: string | null;
    readonly after: string | null;
    readonly row?: EventRow;
  }[];
  readonly answersInAll: number;
  /** At the end of the trace, the first thousand. */
  readonly state: readonly {
    readonly path: string;
    readonly before: string | null;
    readonly after: string | null;
  }[];
  readonly stateInAll: number;
}

export interface AnalysisRequests {
  /** Replays the trace with edits as `whatif --edit` has them. */
  readonly whatIf: {
    readonly in: { readonly edits: readonly string[] };
    readonly out: WhatIfView | { readonly problem: string };
  };
  /** The smallest edits found that remove a finding and add none; empty where there are none. */
  readonly suggest: {
    readonly in: { readonly finding: string };
    readonly out: { readonly edits: readonly string[] };
  };
  /** What led to a cell's value at a position, or to the answer of an event: `of` is a path or `P.status`, `P.ret`, …. */
  readonly blame: { readonly in: { readonly of: string; readonly at: string }; readonly out: BlameView };
}

/** What the view of VP exits asks and gets; part of the interface in api.ts. */

import type { BufferView, EventRow, FilterProblem } from './api.ts';

/** One return of MSHV_RUN_VP, or a call that has not returned. */
export interface ExitRow {
  /** Place in the (filtered) list, from 0. */
  readonly index: number;
  /** Position of the call. */
  readonly at: string;
  readonly vp: string;
  /** When the VP was let run, and when it stopped. */
  readonly startNs: number;
  readonly endNs?: number;
  /** Canonical name of the message's type; undefined where there is no message. */
  readonly type?: string;
  /** `read`, `write`, `execute`. */
  readonly access?: string;
  /** `port 0x3f8`, `GPA 0xd0000000`, the MSR's name, `leaf 0x1`. */
  readonly place?: string;
  /** What a write carried. */
  readonly value?: string;
  /** Return value or errno of the call, `open` where it never returned. */
  readonly result?: string;
  readonly failed: boolean;
  /** From the exit to the VP's next entry: what the VMM took. */
  readonly answeredNs?: number;
  /** Calls that the VMM made in that time for this VP. */
  readonly calls: number;
}

export interface ExitPage {
  readonly rows: readonly ExitRow[];
  readonly total: number;
}

/** Exits of one kind that touched one place. */
export interface ExitGroup {
  readonly type?: string;
  readonly access?: string;
  readonly place?: string;
  readonly count: number;
  /** Time that guest and VMM took for all of them. */
  readonly ranNs: number;
  readonly answeredNs: number;
  /** The filter that finds them; empty where none does. */
  readonly filter: string;
}

/** A register at the entry, at the exit, and at the next entry; null where it is not known. */
export interface RegisterView {
  readonly name: string;
  readonly entry: string | null;
  readonly exit: string | null;
  readonly next: string | null;
  /** Changed by the guest, and by the VMM afterwards. */
  readonly byGuest: boolean;
  readonly byVmm: boolean;
}

export interface ExitDetail {
  readonly row: ExitRow;
  /** The message that came back, decoded. */
  readonly message?: BufferView;
  /** General registers, and of the others those that changed. */
  readonly registers: readonly RegisterView[];
  /** Calls of the VMM until the VP ran again, the first of `row.calls`. */
  readonly answer: readonly EventRow[];
  /** The VP's exits before and after this one. */
  readonly previous?: string;
  readonly next?: string;
}

export interface ExitRequests {
  /** Exits `from` … of those that match `filter` (that of events; empty: all). */
  readonly exits: {
    readonly in: { readonly filter: string; readonly from: number; readonly count: number };
    readonly out: ExitPage | { readonly problem: FilterProblem };
  };
  /** Counts by type, access and place, most frequent first. */
  readonly exitGroups: {
    readonly in: { readonly filter: string };
    readonly out: { readonly groups: readonly ExitGroup[]; readonly total: number };
  };
  /** Where a position stands in the filtered list: the exit at or before it, and those before and after. */
  readonly exitPlace: {
    readonly in: { readonly filter: string; readonly at: string };
    readonly out: {
      /** Undefined before the first exit. */
      readonly index?: number;
      readonly at?: string;
      readonly previous?: string;
      readonly next?: string;
    };
  };
  /** The exit at a position, or the last one before it; null before the first. */
  readonly exit: {
    readonly in: { readonly at: string };
    readonly out: { readonly exit: ExitDetail | null };
  };
}

import { type Signal, signal } from '@preact/signals';
import type { Theme } from '../theme/apply.ts';

export const AXES = ['events', 'time'] as const;
/** What the timeline runs along: event numbers, or nanoseconds. */
export type Axis = (typeof AXES)[number];

/** A stretch of the timeline in units of its axis. */
export interface Range {
  readonly from: number;
  readonly to: number;
}

/** All that a link can carry. */
export interface ViewState {
  /** Position of the cursor; empty before anything is known of the trace. */
  readonly at: string;
  readonly filter: string;
  readonly derived: boolean;
  /** Filter of the list of VP exits. */
  readonly exitFilter: string;
  /** The selected cell; empty for none. */
  readonly path: string;
  /** The view that lies on top where several share a place. */
  readonly panel: string;
  readonly axis: Axis;
  /** Undefined: the whole trace. */
  readonly range: Range | undefined;
  /** Id of the finding that is being shown; empty for none. */
  readonly finding: string;
  readonly nested: boolean;
  /** What is asked why: a cell's path, or an answer such as `93.fault`; empty for nothing. */
  readonly why: string;
  /** Edits of what-if, one a line. */
  readonly edits: string;
  /** What the trace is compared with; empty: the other trace where there is one, else the edits. */
  readonly against: '' | 'trace' | 'edits';
  /** The row of the comparison that is looked at; empty: that of the event at the cursor. */
  readonly row: string;
  /** Only the differences are listed, with some rows around each. */
  readonly folded: boolean;
  readonly theme: Theme;
}

/** The same, each as a signal. */
export type View = { readonly [K in keyof ViewState]: Signal<ViewState[K]> };

export const FIRST_VIEW: ViewState = {
  at: '',
  filter: '',
  derived: true,
  exitFilter: '',
  path: '',
  panel: 'findings',
  axis: 'events',
  range: undefined,
  finding: '',
  nested: false,
  why: '',
  edits: '',
  against: '',
  row: '',
  folded: false,
  theme: 'system',
};

export function newView(): View {
  return {
    at: signal(FIRST_VIEW.at),
    filter: signal(FIRST_VIEW.filter),
    derived: signal(FIRST_VIEW.derived),
    exitFilter: signal(FIRST_VIEW.exitFilter),
    path: signal(FIRST_VIEW.path),
    panel: signal(FIRST_VIEW.panel),
    axis: signal(FIRST_VIEW.axis),
    range: signal(FIRST_VIEW.range),
    finding: signal(FIRST_VIEW.finding),
    nested: signal(FIRST_VIEW.nested),
    why: signal(FIRST_VIEW.why),
    edits: signal(FIRST_VIEW.edits),
    against: signal(FIRST_VIEW.against),
    row: signal(FIRST_VIEW.row),
    folded: signal(FIRST_VIEW.folded),
    theme: signal(FIRST_VIEW.theme),
  };
}

/** The values; who calls this in an effect follows them all. */
export function viewState(view: View): ViewState {
  return {
    at: view.at.value,
    filter: view.filter.value,
    derived: view.derived.value,
    exitFilter: view.exitFilter.value,
    path: view.path.value,
    panel: view.panel.value,
    axis: view.axis.value,
    range: view.range.value,
    finding: view.finding.value,
    nested: view.nested.value,
    why: view.why.value,
    edits: view.edits.value,
    against: view.against.value,
    row: view.row.value,
    folded: view.folded.value,
    theme: view.theme.value,
  };
}

/** Puts a view in place, as one change. The caller batches. */
export function setView(view: View, state: ViewState): void {
  view.at.value = state.at;
  view.filter.value = state.filter;
  view.derived.value = state.derived;
  view.exitFilter.value = state.exitFilter;
  view.path.value = state.path;
  view.panel.value = state.panel;
  view.axis.value = state.axis;
  view.range.value = state.range;
  view.finding.value = state.finding;
  view.nested.value = state.nested;
  view.why.value = state.why;
  view.edits.value = state.edits;
  view.against.value = state.against;
  view.row.value = state.row;
  view.folded.value = state.folded;
  view.theme.value = state.theme;
}

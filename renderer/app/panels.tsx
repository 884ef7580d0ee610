import type { ComponentType } from 'preact';
import { Why } from '../blame/why.tsx';
import { Event } from '../detail/event.tsx';
import { Diff } from '../diff/diff.tsx';
import { DiffBar } from '../diff/diff-bar.tsx';
import { Exits } from '../exits/exits.tsx';
import { ExitsBar } from '../exits/exits-bar.tsx';
import { Findings } from '../findings/findings.tsx';
import { Events } from '../grid/events.tsx';
import { EventsBar } from '../grid/events-bar.tsx';
import { GpaMap } from '../machine/gpa-map.tsx';
import { Partitions } from '../machine/partitions.tsx';
import { Matrix } from '../matrix/matrix.tsx';
import { MatrixBar } from '../matrix/matrix-bar.tsx';
import { Timeline } from '../timeline/timeline.tsx';
import { TimelineBar } from '../timeline/timeline-bar.tsx';
import { State } from '../tree/state.tsx';
import { StateBar } from '../tree/state-bar.tsx';
import { WhatIf } from '../whatif/what-if.tsx';
import type { PanelId } from './panel-names.ts';

/** What a view draws: itself, and what stands beside its title. */
export interface Panel {
  readonly Body: ComponentType;
  readonly Bar?: ComponentType;
}

export const PANEL_PARTS: Readonly<Record<PanelId, Panel>> = {
  timeline: { Body: Timeline, Bar: TimelineBar },
  events: { Body: Events, Bar: EventsBar },
  matrix: { Body: Matrix, Bar: MatrixBar },
  event: { Body: Event },
  findings: { Body: Findings },
  state: { Body: State, Bar: StateBar },
  exits: { Body: Exits, Bar: ExitsBar },
  partitions: { Body: Partitions },
  memory: { Body: GpaMap },
  why: { Body: Why },
  whatif: { Body: WhatIf },
  diff: { Body: Diff, Bar: DiffBar },
};

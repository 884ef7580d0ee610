import { batch, computed, effect, type ReadonlySignal, type Signal, signal } from '@preact/signals';
import { createContext } from 'preact';
import { useContext } from 'preact/hooks';
import type { App, AppProgress, EventRow, FindingView } from '../../engine/app/api.ts';
import type { WorkView } from '../../engine/app/api-compare.ts';
import type { ExitRow } from '../../engine/app/api-exits.ts';
import { Pages } from '../data/pages.ts';
import { Slot } from '../data/slot.ts';
import type { Desk } from '../transport/bridge.ts';
import { ancestors } from '../tree/build.ts';
import { Comparing, watchWork } from './comparing.ts';
import { editsOf } from './edits.ts';
import { EventList } from './event-list.ts';
import { eventAt } from './place.ts';
import { newView, type Range, type View } from './view.ts';

/** Answers kept for stepping back and forth: small ones, and those with the whole state of the machine. */
const KEPT_SMALL = 256;
const KEPT_LARGE = 16;
const KEPT_ONE = 1;
/** Writes of one cell that its history strip shows. */
const HISTORY_WRITES = 200;
/** Positions of findings that are drawn; the border takes at most 1000. */
const MAX_PROOF = 1000;

/** Which dialog is open. */
export type Dialog = 'none' | 'palette' | 'sheet' | 'goto';

/** What the app looks at and what it knows of it: signals, and the query slots that follow them. */
export class Model {
  readonly app: App;
  /** The window around the app; undefined in a browser. */
  readonly desk: Desk | undefined;
  readonly view: View = newView();
  /** Counts the moves that "back" undoes. */
  readonly jumps: Signal<number> = signal(0);
  readonly dialog: Signal<Dialog> = signal('none');
  /** The view that fills the window; empty for none. */
  readonly maximised: Signal<string> = signal('');
  /** One line for the user, also read out: what was copied, why a move was not possible. */
  readonly notice: Signal<string> = signal('');
  /** How far the replay is; undefined without a trace. */
  readonly progress: Signal<AppProgress | undefined>;
  /** Rises when the replay is done: everything that was answered before is asked anew. */
  readonly epoch: ReadonlySignal<number>;
  /** Registers that nothing writes have a column in the matrix too. */
  readonly allRegisters: Signal<boolean> = signal(false);
  /** The tree of cells: open nodes, the filter by path, and the line that the keyboard is on. */
  readonly tree = {
    open: signal<ReadonlySet<string>>(new Set()),
    filter: signal(''),
    changedOnly: signal(false),
    line: signal(''),
  } as const;
  /** How many views show the state, which is long: it is not asked for while there are none. */
  readonly stateSeen: Signal<number> = signal(0);
  /** How many views show VP exits. */
  readonly exitsSeen: Signal<number> = signal(0);
  /** How many views show partitions, and guest memory. */
  readonly partitionsSeen: Signal<number> = signal(0);
  readonly gpaMapSeen: Signal<number> = signal(0);
  /** How many views show why, and what-if. */
  readonly blameSeen: Signal<number> = signal(0);
  readonly whatIfSeen: Signal<number> = signal(0);
  /** Suggestions that are searched for. */
  readonly searches: Signal<number> = signal(0);
  /** The event that is picked up to be put elsewhere; empty for none. */
  readonly picked: Signal<string> = signal('');
  /** Columns in which the timeline wants its answer; 0 while it has no size. */
  readonly buckets: Signal<number> = signal(0);

  readonly info: Slot<'info'>;
  readonly replay: Slot<'replay'>;
  readonly findings: Slot<'findings'>;
  readonly event: Slot<'event'>;
  readonly matrix: Slot<'matrix'>;
  /** The matrix at the end of the trace: tells which registers were ever written. */
  readonly matrixAtEnd: Slot<'matrix'>;
  readonly state: Slot<'state'>;
  readonly history: Slot<'history'>;
  readonly timeline: Slot<'timeline'>;
  readonly located: Slot<'locate'>;
  readonly partitions: Slot<'partitions'>;
  readonly gpaMap: Slot<'gpaMap'>;
  /** Of all exits, whatever the filter: so that one can go from group to group. */
  readonly exitGroups: Slot<'exitGroups'>;
  readonly exitPlace: Slot<'exitPlace'>;
  /** The exit at the cursor, or the last one before it. */
  readonly exit: Slot<'exit'>;
  readonly proof: Slot<'rows'>;
  readonly blame: Slot<'blame'>;
  readonly whatIf: Slot<'whatIf'>;
  readonly comparing: Comparing;
  /** Long work that somebody waits for. */
  readonly work: ReadonlySignal<WorkView | null>;

  /** The list that the grid shows. A filter with a mistake leaves the last good list in place. */
  readonly list: EventList;
  /** Its rows. */
  readonly pages: ReadonlySignal<Pages<EventRow>>;
  /** The list of VP exits. */
  readonly exits: ReadonlySignal<Pages<ExitRow>>;
  /** The finding that is being shown. */
  readonly shown: ReadonlySignal<FindingView | undefined>;
  /** Rows of the events that findings speak of, by position. */
  readonly proofRows: ReadonlySignal<ReadonlyMap<string, EventRow>>;
  /** The whole timeline, a little wider than the trace; undefined before the trace is known. */
  readonly extent: ReadonlySignal<Range | undefined>;
  /** Index of the cursor in the list, or of the nearest event before it. */
  readonly place: ReadonlySignal<number | undefined>;
  /** The cursor stands where it was put before findings were known. */
  #isPut = false;
  #lastMove: Promise<unknown> = Promise.resolve();

  constructor(app: App, desk?: Desk, progress?: AppProgress) {
    this.app = app;
    this.desk = desk;
    this.progress = signal(progress);
    this.epoch = computed(() => (this.progress.value?.state === 'replayed' ? 1 : 0));
    const asked = { app, epoch: this.epoch };
    const { at, filter, derived, exitFilter, path, nested, axis, range } = this.view;
    const nothing = (): Record<string, never> => ({});
    const known = (): string | undefined => (at.value === '' ? undefined : at.value);
    this.info = new Slot(asked, 'info', nothing, KEPT_ONE);
    this.replay = new Slot(asked, 'replay', nothing, KEPT_ONE);
    this.findings = new Slot(asked, 'findings', nothing, KEPT_ONE);
    this.list = new EventList(asked, this.view);
    this.pages = this.list.pages;
    this.exits = computed(() => {
      const { value } = exitFilter;
      this.epoch.value;
      return new Pages((from, count) => app.invoke('exits', { filter: value, from, count }));
    });
    const whereExitsAreSeen = <T>(input: () => T): T | undefined =>
      this.exitsSeen.value === 0 ? undefined : input();
    this.partitions = new Slot(
      asked,
      'partitions',
      () => (this.partitionsSeen.value === 0 ? undefined : ifKnown(known(), (at) => ({ at }))),
      KEPT_SMALL,
    );
    this.gpaMap = new Slot(
      asked,
      'gpaMap',
      () => (this.gpaMapSeen.value === 0 ? undefined : ifKnown(known(), (at) => ({ at }))),
      KEPT_SMALL,
    );
    this.exitGroups = new Slot(
      asked,
      'exitGroups',
      () => whereExitsAreSeen(() => ({ filter: '' })),
      KEPT_ONE,
    );
    this.exitPlace = new Slot(
      asked,
      'exitPlace',
      () =>
        whereExitsAreSeen(() => ifKnown(known(), (at) => ({ filter: exitFilter.value, at: eventAt(at) }))),
      KEPT_SMALL,
    );
    this.exit = new Slot(
      asked,
      'exit',
      () => whereExitsAreSeen(() => ifKnown(known(), (at) => ({ at: eventAt(at) }))),
      KEPT_SMALL,
    );
    this.event = new Slot(
      asked,
      'event',
      () => (at.value === '' || at.value === '0' ? undefined : { at: eventAt(at.value) }),
      KEPT_SMALL,
    );
    this.matrix = new Slot(
      asked,
      'matrix',
      () => ifKnown(known(), (at) => ({ at, nested: nested.value })),
      KEPT_SMALL,
    );
    this.matrixAtEnd = new Slot(asked, 'matrix', () => ({ at: '', nested: nested.value }), KEPT_ONE);
    this.state = new Slot(
      asked,
      'state',
      () => (this.stateSeen.value === 0 ? undefined : ifKnown(known(), (at) => ({ at, path: '' }))),
      KEPT_LARGE,
    );
    this.history = new Slot(
      asked,
      'history',
      () =>
        ifKnown(known(), (at) =>
          path.value === '' ? undefined : { path: path.value, at, limit: HISTORY_WRITES },
        ),
      KEPT_SMALL,
    );
    this.blame = new Slot(
      asked,
      'blame',
      () => {
        const of = this.view.why.value;
        if (this.blameSeen.value === 0 || of === '') return undefined;
        // An answer is asked where it was given, a cell where the cursor is.
        return /^[0-9]/.test(of) ? { of, at: '' } : ifKnown(known(), (at) => ({ of, at }));
      },
      KEPT_SMALL,
    );
    this.whatIf = new Slot(
      asked,
      'whatIf',
      () => (this.whatIfSeen.value === 0 ? undefined : { edits: editsOf(this.view.edits.value) }),
      KEPT_LARGE,
    );
    this.comparing = new Comparing(app, this.view, this.info.value, this.epoch);
    this.work = watchWork(
      app,
      computed(
        () =>
          this.searches.value > 0 ||
          (this.whatIfSeen.value > 0 && !this.whatIf.fresh.value) ||
          (this.comparing.seen.value > 0 && !this.comparing.compare.fresh.value),
      ),
    );
    this.extent = computed(() => {
      const info = this.info.value.value;
      if (info === undefined) return undefined;
      if (axis.value === 'events') return { from: 0.5, to: Math.max(info.events, 1) + 0.5 };
      const margin = Math.max(1, info.durationNs / 100);
      return { from: -margin, to: info.durationNs + margin };
    });
    this.timeline = new Slot(
      asked,
      'timeline',
      () => {
        const all = this.extent.value;
        if (all === undefined || this.buckets.value === 0) return undefined;
        const { from, to } = range.value ?? all;
        return { axis: axis.value, from, to, buckets: this.buckets.value, derived: derived.value };
      },
      KEPT_LARGE,
    );
    this.located = new Slot(
      { app, epoch: this.list.epoch },
      'locate',
      () => ifKnown(known(), (at) => ({ filter: filter.value, derived: derived.value, at: eventAt(at) })),
      KEPT_SMALL,
    );
    this.shown = computed(() =>
      this.findings.value.value?.findings.find((finding) => finding.id === this.view.finding.value),
    );
    this.proof = new Slot(asked, 'rows', () => proofOf(this.findings.value.value?.findings), KEPT_ONE);
    this.proofRows = computed(() => {
      const rows = this.proof.value.value?.rows ?? [];
      return new Map(rows.flatMap((row) => (row === null ? [] : [[row.at, row]])));
    });
    this.place = computed(() => {
      const known = this.list.placeOf(eventAt(at.value));
      if (known !== undefined) return known;
      return this.located.fresh.value ? this.located.value.value?.index : undefined;
    });
    effect(() => this.#start());
    effect(() => this.#unfold(path.value));
  }

  /** Makes a move that waits for an answer once the ones before it are made: keys may come faster than answers, and count from the cursor. */
  inTurn<T>(move: () => Promise<T>): Promise<T> {
    const made = this.#lastMove.then(move, move);
    this.#lastMove = made;
    return made;
  }

  /** Puts the cursor on a row of the list whose index is known: no request is needed to find it again. */
  moveTo(row: EventRow): void {
    batch(() => {
      this.#isPut = false;
      this.list.place(row);
      this.view.at.value = row.at;
    });
  }

  /** Puts the cursor somewhere as a move that "back" undoes. */
  jump(at: string): void {
    if (this.view.at.peek() === at) return;
    batch(() => {
      this.#isPut = false;
      this.jumps.value++;
      this.view.at.value = at;
    });
  }

  /** A cell that is selected anywhere is unfolded in the tree, with the keyboard on it. */
  #unfold(path: string): void {
    if (path === '') return;
    const { open, line } = this.tree;
    const missing = ancestors(path).filter((above) => !open.peek().has(above));
    if (missing.length > 0) open.value = new Set([...open.peek(), ...missing]);
    line.value = path;
  }

  /**
   * A trace opens on its first finding, else on its first event; on that too as long as findings are not known. Who has
   * done nothing until they are is taken to the first one.
   */
  #start(): void {
    const { at } = this.view;
    const info = this.info.value.value;
    const findings = this.findings.value.value?.findings;
    if (info === undefined || (at.value !== '' && !this.#isPut)) return;
    const first = info.events > 0 ? '1' : '0';
    if (findings !== undefined) {
      const isLeft = at.value === '' || (at.value === first && !this.#isTouched());
      this.#isPut = false;
      if (isLeft) at.value = findings[0]?.at ?? first;
    } else if (this.findings.waiting.value && at.value === '') {
      this.#isPut = true;
      at.value = first;
    }
  }

  /** The list was scrolled or filtered, or the timeline zoomed. */
  #isTouched(): boolean {
    return this.list.sight.from > 0 || this.view.filter.peek() !== '' || this.view.range.peek() !== undefined;
  }
}

function ifKnown<T>(at: string | undefined, input: (at: string) => T): T | undefined {
  return at === undefined ? undefined : input(at);
}

function proofOf(findings: readonly FindingView[] | undefined): { at: readonly string[] } | undefined {
  if (findings === undefined || findings.length === 0) return undefined;
  const places = findings.flatMap(({ at, culprit, evidence }) => [culprit.at, at, ...evidence]);
  return { at: [...new Set(places.map(eventAt))].slice(0, MAX_PROOF) };
}

export const ModelContext = createContext<Model | undefined>(undefined);

/** The model of the app; only below the provider of main.tsx. */
export function useModel(): Model {
  const model = useContext(ModelContext);
  if (model === undefined) throw new Error('useModel: no model above this component');
  return model;
}

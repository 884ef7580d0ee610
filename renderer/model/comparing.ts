import { batch, computed, effect, type ReadonlySignal, type Signal, signal } from '@preact/signals';
import type { App, TraceInfo } from '../../engine/app/api.ts';
import type { Against, BesideRow, WorkView } from '../../engine/app/api-compare.ts';
import { Pages } from '../data/pages.ts';
import { Slot } from '../data/slot.ts';
import { editsOf } from './edits.ts';
import type { Refusal } from './go.ts';
import type { View } from './view.ts';

const KEPT_VIEWS = 2;
const KEPT_DETAILS = 64;
const KEPT_PLACES = 256;
/** Often enough for a bar that moves. */
const WATCH_MS = 150;

/** What stands side by side: this trace and another one, or itself with edits. */
export class Comparing {
  /** How many views show it. */
  readonly seen: Signal<number> = signal(0);
  /** What is compared; undefined where there is nothing to compare with. */
  readonly against: ReadonlySignal<Against | undefined>;
  readonly compare: Slot<'compare'>;
  /** The rows of what was compared last; undefined before. */
  readonly pages: ReadonlySignal<Pages<BesideRow> | undefined>;
  readonly place: Slot<'comparePlace'>;
  readonly detail: Slot<'compareDetail'>;
  /** Row of the cursor in the whole list. */
  readonly row: ReadonlySignal<number | undefined>;
  readonly #app: App;
  readonly #view: View;
  /** Asked once more after it was ended. */
  readonly #tries = signal(0);

  constructor(
    app: App,
    view: View,
    info: ReadonlySignal<TraceInfo | undefined>,
    epoch: ReadonlySignal<number>,
  ) {
    this.#app = app;
    this.#view = view;
    const { at, row, folded, edits, against } = view;
    this.against = computed(() => {
      const made = editsOf(edits.value);
      const hasOther = info.value?.other !== undefined;
      const wanted = against.value === '' ? (hasOther ? 'trace' : 'edits') : against.value;
      if (wanted === 'trace') return hasOther ? { against: 'trace', edits: [] } : undefined;
      return made.length === 0 ? undefined : { against: 'edits', edits: made };
    });
    const asked = { app, epoch: computed(() => epoch.value + 2 * this.#tries.value) };
    this.compare = new Slot(
      asked,
      'compare',
      () => (this.seen.value === 0 ? undefined : this.against.value),
      KEPT_VIEWS,
    );
    const known = computed(() => {
      const answer = this.compare.answer.value;
      const isKnown = answer !== undefined && 'value' in answer && !('problem' in answer.value);
      const isWanted = JSON.stringify(answer?.input) === JSON.stringify(this.against.value);
      return isKnown && isWanted ? answer.input : undefined;
    });
    this.pages = computed(() => {
      const input = known.value;
      if (input === undefined) return undefined;
      const isFolded = folded.value;
      return new Pages((from, count) =>
        app.invoke('compareRows', { ...input, folded: isFolded, from, count }),
      );
    });
    this.place = new Slot(
      asked,
      'comparePlace',
      () => {
        const input = known.value;
        if (input === undefined || at.value === '') return undefined;
        const place =
          row.value === '' ? { go: 'at' as const, row: 0 } : { go: 'row' as const, row: Number(row.value) };
        return { ...input, ...place, folded: folded.value, at: at.value.replace(/r$/, '') };
      },
      KEPT_PLACES,
    );
    this.row = computed(() => this.place.value.value?.place?.row);
    this.detail = new Slot(
      asked,
      'compareDetail',
      () => {
        const input = known.value;
        return input === undefined || this.row.value === undefined
          ? undefined
          : { ...input, row: this.row.value };
      },
      KEPT_DETAILS,
    );
    let last = { at: at.peek(), row: row.peek() };
    effect(() => {
      const now = { at: at.value, row: row.value };
      // The cursor was moved elsewhere: the row follows it.
      if (now.at !== last.at && last.at !== '' && now.row === last.row && now.row !== '') row.value = '';
      last = now;
    });
  }

  /** Puts the cursor on a row, and where A has an event there, on that. */
  toRow(row: number, at: string | undefined): void {
    batch(() => {
      this.#view.row.value = String(row);
      if (at !== undefined) this.#view.at.value = at;
    });
  }

  /** To the first difference, or to the next or previous one. */
  async go(to: 'next' | 'previous' | 'first'): Promise<Refusal> {
    const input = this.against.peek();
    if (input === undefined || this.pages.peek() === undefined) return 'nothing is compared yet';
    const row = this.row.peek() ?? 0;
    const { place, of } = await this.#app.invoke('comparePlace', {
      ...{ ...input, go: to, row, at: '' },
      folded: this.#view.folded.peek(),
    });
    if (place === undefined) return of === 0 ? 'there is no difference' : `no ${to} difference`;
    this.toRow(place.row, place.at);
    return undefined;
  }

  /** Compares once more what was ended. */
  again(): void {
    this.#tries.value++;
  }
}

/** Long work of the other side while somebody waits for it: looked at now and then. */
export function watchWork(app: App, isWaiting: ReadonlySignal<boolean>): ReadonlySignal<WorkView | null> {
  const work = signal<WorkView | null>(null);
  effect(() => {
    if (!isWaiting.value) {
      work.value = null;
      return undefined;
    }
    const look = async (): Promise<void> => {
      const answer = await app.invoke('work', {}).catch(() => ({ work: null }));
      if (isWaiting.peek()) work.value = answer.work;
    };
    const timer = setInterval(() => void look(), WATCH_MS);
    return () => clearInterval(timer);
  });
  return work;
}

import { codeOf } from '../replay/describe.ts';
import type { Step } from '../replay/step.ts';
import type { CellStore } from '../state/store.ts';
import type { EventKind, TraceEvent } from '../trace/event.ts';
import type { Watch } from './rule.ts';

/** Whoever is handed steps. */
export interface Watcher {
  step(step: Step, store: CellStore): void;
}

interface Subscription {
  readonly watcher: Watcher;
  readonly watches: readonly Watch[];
}

/** The watchers of one kind of event. */
interface Route {
  /** Those of a number that somebody names. */
  readonly named: ReadonlyMap<number, readonly Watcher[]>;
  /** Those of any other. */
  readonly others: readonly Watcher[];
}

/** Which steps reach whom. Watchers of one step are called in the order in which they subscribed. */
export class Routing {
  readonly #subscriptions: Subscription[] = [];
  readonly #routes = new Map<EventKind, Route>();

  subscribe(watcher: Watcher, watches: readonly Watch[]): void {
    this.#subscriptions.push({ watcher, watches });
    this.#routes.clear();
  }

  /** Who watches this event. */
  watchersOf(event: TraceEvent): readonly Watcher[] {
    let route = this.#routes.get(event.kind);
    if (route === undefined) {
      route = this.#routeOf(event.kind);
      this.#routes.set(event.kind, route);
    }
    if (route.named.size === 0) return route.others;
    return route.named.get(numberOf(event)) ?? route.others;
  }

  #routeOf(kind: EventKind): Route {
    const numbers = new Set<number>();
    for (const { watches } of this.#subscriptions) {
      for (const watch of watches) for (const number of numbersOf(watch, kind)) numbers.add(number);
    }
    const interested = (wanted: (watch: Watch) => boolean): readonly Watcher[] =>
      this.#subscriptions.filter(({ watches }) => watches.some(wanted)).map(({ watcher }) => watcher);
    const named = new Map<number, readonly Watcher[]>();
    for (const number of numbers) {
      named.set(
        number,
        interested((watch) => watch === kind || numbersOf(watch, kind).includes(number)),
      );
    }
    return { named, others: interested((watch) => watch === kind) };
  }
}

function numberOf(event: TraceEvent): number {
  switch (event.kind) {
    case 'hypercall':
      return codeOf(event.control);
    case 'msr':
      return event.msr;
    case 'ioctl':
      return event.op;
    default:
      return 0;
  }
}

/** The numbers of `kind` that a watch names. */
function numbersOf(watch: Watch, kind: EventKind): readonly number[] {
  if (typeof watch === 'string' || watch.kind !== kind) return [];
  switch (watch.kind) {
    case 'hypercall':
      return watch.codes;
    case 'msr':
      return watch.msrs;
    case 'ioctl':
      return watch.ops;
  }
}

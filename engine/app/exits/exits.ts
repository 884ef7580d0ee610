import { lowerBound } from '../../replay/history.ts';
import { type Address, at } from '../../trace/position.ts';
import type { FilterProblem } from '../api.ts';
import type { ExitRequests } from '../api-exits.ts';
import type { ReadyFilter } from '../filtering.ts';
import type { Listed } from '../lists.ts';
import { type ExitGround, exitDetail, runsOf } from './exit-detail.ts';
import { exitRow } from './exit-row.ts';
import { exitGroups } from './groups.ts';

/** Lists that are kept; one of 100,000 exits takes 400 KB. */
const KEPT_LISTS = 4;
const MAX_ROWS = 10_000;

/** What a filter needs to be bound: the session knows. */
export interface Filters {
  read(text: string): ReadyFilter | { readonly problem: FilterProblem };
  bind(filter: ReadyFilter): (listed: Listed) => boolean;
}

type Out<M extends keyof ExitRequests> = ExitRequests[M]['out'];
type In<M extends keyof ExitRequests> = ExitRequests[M]['in'];

/** Exits that match a filter, ascending: their numbers, and the event numbers of their calls. */
interface ExitList {
  readonly numbers: Uint32Array;
  readonly seqs: Uint32Array;
}

/** Answers the requests about VP exits. */
export class Exits {
  readonly #ground: ExitGround;
  readonly #filters: Filters;
  readonly #lists = new Map<string, ExitList>();

  constructor(ground: ExitGround, filters: Filters) {
    this.#ground = ground;
    this.#filters = filters;
  }

  page({ filter, from, count }: In<'exits'>): Out<'exits'> {
    const list = this.#list(filter);
    if ('problem' in list) return list;
    const { index } = this.#ground;
    const shown = list.numbers.subarray(from, from + Math.min(count, MAX_ROWS));
    const rows = [...runsOf(shown, this.#ground)].map(({ exit, run }, i) =>
      exitRow(exit, run, index, from + i),
    );
    return { rows, total: list.numbers.length };
  }

  groups(filter: string): Out<'exitGroups'> {
    const list = this.#list(filter);
    if ('problem' in list) return { groups: [], total: 0 };
    return { groups: exitGroups(this.#ground.index, list.numbers), total: list.numbers.length };
  }

  place(filter: string, address: Address): Out<'exitPlace'> {
    const list = this.#list(filter);
    if ('problem' in list) return {};
    const { seqs } = list;
    const after = lowerBound(seqs, address.seq + 1);
    const here = after - 1;
    const [previous, next] = [seqs[seqs[here] === address.seq ? here - 1 : here], seqs[after]];
    return {
      ...(here < 0 ? {} : { index: here, at: String(seqs[here]) }),
      ...(previous === undefined ? {} : { previous: String(previous) }),
      ...(next === undefined ? {} : { next: String(next) }),
    };
  }

  exit(address: Address): Out<'exit'> {
    const { index } = this.#ground;
    const here = lowerBound(index.seqs, address.seq + 1) - 1;
    return { exit: here < 0 ? null : exitDetail(index.exit(here), this.#ground) };
  }

  #list(filter: string): ExitList | { readonly problem: FilterProblem } {
    const kept = this.#lists.get(filter);
    if (kept !== undefined) return kept;
    const { index } = this.#ground;
    let numbers = Uint32Array.from({ length: index.count }, (_, number) => number);
    if (filter.trim() !== '') {
      const ready = this.#filters.read(filter);
      if ('problem' in ready) return ready;
      const holds = this.#filters.bind(ready);
      const matching: number[] = [];
      for (const { exit, run } of runsOf(numbers, this.#ground)) {
        if (holds({ address: at(exit.seq), parent: undefined, event: run })) matching.push(exit.number);
      }
      numbers = Uint32Array.from(matching);
    }
    const list = { numbers, seqs: numbers.map((number) => index.exit(number).seq) };
    this.#lists.set(filter, list);
    const oldest = this.#lists.keys().next().value;
    if (this.#lists.size > KEPT_LISTS && oldest !== undefined) this.#lists.delete(oldest);
    return list;
  }
}

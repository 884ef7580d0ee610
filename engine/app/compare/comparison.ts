import {
  type Beside,
  beside,
  hasA,
  hasB,
  isDifference,
  type Matched,
  SIGN,
} from '../../analysis/diff/beside.ts';
import type { CellDifference, MachinePair } from '../../analysis/diff/state.ts';
import { lowerBound } from '../../replay/history.ts';
import { formatAddress, parseAddress } from '../../trace/position.ts';
import type { EventRow, FindingView } from '../api.ts';
import type { BesideDetail, BesideRow, BesideSign, CompareRequests, CompareView } from '../api-compare.ts';
import { NotThere } from '../session-parts.ts';
import { fieldsBeside } from './fields.ts';
import { numberOf, type Side } from './side.ts';

const MAX_ROWS = 10_000;
/** Cells of one answer. */
const MAX_CELLS = 1000;
/** Rows around a difference that a folded list shows. */
const CONTEXT_ROWS = 3;

const WORDS: Readonly<Record<number, BesideSign>> = {
  [SIGN.same]: 'same',
  [SIGN.changed]: 'changed',
  [SIGN.onlyA]: 'only A',
  [SIGN.onlyB]: 'only B',
  [SIGN.movedA]: 'reordered',
  [SIGN.movedB]: 'reordered',
  [SIGN.remarkA]: 'remark',
  [SIGN.remarkB]: 'remark',
};

/** Where two machines part first, by numbers of events. */
export interface FirstParting {
  readonly a: number | undefined;
  readonly b: number | undefined;
  readonly reason: string;
  readonly fields: readonly { readonly field: string; readonly a: string; readonly b: string }[];
}

export interface ComparisonParts {
  readonly a: Side;
  readonly b: Side;
  readonly matched: Matched;
  readonly machines: MachinePair;
  readonly first: FirstParting | undefined;
  readonly findings: CompareView['findings'];
  /** The fields in which a pair differs in meaning, by its number in A; undefined: all that differ. */
  fields(number: number): FirstParting['fields'] | undefined;
}

/** Two machines side by side: the rows, where they differ, and how the machines stand there. */
export class Comparison {
  readonly #parts: ComparisonParts;
  readonly #beside: Beside;
  readonly #first: number | undefined;
  #folded: Uint32Array | undefined;

  constructor(parts: ComparisonParts) {
    this.#parts = parts;
    const { first } = parts;
    const isOrder = first?.reason === 'order' && first.a !== undefined;
    this.#beside = beside(parts.matched, isOrder ? [first.a as number] : []);
    const { rowOfA, rowOfB, differences } = this.#beside;
    if (first?.a !== undefined && first.a > 0) this.#first = rowOfA[first.a];
    else if (first?.b !== undefined && first.b > 0) this.#first = rowOfB[first.b];
    else if (first === undefined) this.#first = differences[0];
  }

  view(): CompareView {
    const { a, b, first, findings } = this.#parts;
    const { rows, counts, differences } = this.#beside;
    const row = this.#first;
    const place = row === undefined ? {} : { row };
    const parting = first ?? (row === undefined ? undefined : { reason: this.#sign(row), fields: [] });
    return {
      ...{ a: a.name, b: b.name, rows, counts, findings },
      equal: first === undefined && differences.length === 0,
      differences: differences.length,
      ...(parting === undefined
        ? {}
        : { first: { ...place, reason: parting.reason, fields: parting.fields } }),
    };
  }

  /** Rows `from` … of the list, or of the folded list. */
  page(folded: boolean, from: number, count: number): CompareRequests['compareRows']['out'] {
    const list = folded ? this.#fold() : undefined;
    const total = list?.length ?? this.#beside.rows;
    const to = Math.min(total, from + Math.min(count, MAX_ROWS));
    const rows: number[] = [];
    for (let index = from; index < to; index++)
      rows.push(list === undefined ? index : (list[index] as number));
    const before = list === undefined ? from - 1 : from === 0 ? -1 : (list[from - 1] as number);
    return { rows: this.#rows(rows, from, before), total };
  }

  detail(row: number): BesideDetail {
    const { a, b, machines, matched } = this.#parts;
    const { signs, upToA, upToB, rows } = this.#beside;
    if (row >= rows) throw new NotThere(`there is no row ${row}; the last is ${rows - 1}`);
    const [numberA, numberB] = this.#pairOf(row);
    const [one, other] = [
      numberA > 0 ? a.text(numberA) : undefined,
      numberB > 0 ? b.text(numberB) : undefined,
    ];
    const isChanged = numberA > 0 && matched.differs[numberA] === 1;
    const known = numberA > 0 && numberB > 0 ? this.#parts.fields(numberA) : [];
    // An answer takes effect when the call returns.
    const returned = signs[row] === SIGN.changed && one?.lasts === true && other?.lasts === true;
    const state: CellDifference[] = machines.differences(
      a.standing(upToA[row] as number, returned),
      b.standing(upToB[row] as number, returned),
    );
    return {
      row: this.#rows([row], row, row - 1)[0] as BesideRow,
      fields: fieldsBeside(one?.line, other?.line, isChanged || known === undefined ? known : []),
      ...(one === undefined ? {} : { textA: one.line }),
      ...(other === undefined ? {} : { textB: other.line }),
      state: state.slice(0, MAX_CELLS),
      stateInAll: state.length,
    };
  }

  place(input: CompareRequests['comparePlace']['in']): CompareRequests['comparePlace']['out'] {
    const { differences } = this.#beside;
    const found = this.#wanted(input);
    const nth = found === undefined ? 0 : lowerBound(differences, found + 1);
    const counts = { nth, of: differences.length };
    if (found === undefined) return counts;
    const list = input.folded ? this.#fold() : undefined;
    const index =
      list === undefined ? found : Math.min(lowerBound(list, found), Math.max(0, list.length - 1));
    const [a] = this.#pairOf(found);
    const address = a > 0 ? this.#parts.a.events.address(a - 1) : undefined;
    const at = address === undefined ? {} : { at: formatAddress(address) };
    return { ...counts, place: { row: found, index, ...at } };
  }

  #wanted({ go, at, row }: CompareRequests['comparePlace']['in']): number | undefined {
    const { differences, rowOfA, rows } = this.#beside;
    switch (go) {
      case 'first':
        return this.#first;
      case 'row':
        return row < rows ? row : undefined;
      case 'next':
        return differences[lowerBound(differences, row + 1)];
      case 'previous':
        return differences[lowerBound(differences, row) - 1];
      case 'at': {
        const address = parseAddress(at);
        const { events } = this.#parts.a;
        if (address === undefined) return undefined;
        // An event that the list does not have stands below the one before it.
        const number = numberOf(events, address) || events.indexOf(address) + 1;
        return number < rowOfA.length ? rowOfA[number] : undefined;
      }
    }
  }

  /** Numbers of the events of a row, of a reordered one that of the other trace too. */
  #pairOf(row: number): readonly [a: number, b: number] {
    const { signs, upToA, upToB } = this.#beside;
    const { inA, inB } = this.#parts.matched;
    const sign = signs[row] as number;
    const a = hasA(sign) ? (upToA[row] as number) : 0;
    const b = hasB(sign) ? (upToB[row] as number) : 0;
    if (sign === SIGN.movedA) return [a, inB[a] as number];
    return sign === SIGN.movedB ? [inA[b] as number, b] : [a, b];
  }

  #sign(row: number): BesideSign {
    return WORDS[this.#beside.signs[row] as number] as BesideSign;
  }

  #rows(rows: readonly number[], from: number, before: number): BesideRow[] {
    const { a, b, matched } = this.#parts;
    const { signs } = this.#beside;
    const pairs = rows.map((row) => this.#pairOf(row));
    const left = a.rows(pairs.flatMap(([number]) => (number > 0 ? [number] : [])));
    const right = b.rows(pairs.flatMap(([, number]) => (number > 0 ? [number] : [])));
    return rows.map((row, i): BesideRow => {
      const sign = signs[row] as number;
      const [numberA, numberB] = pairs[i] as readonly [number, number];
      const [one, other] = [left.get(numberA), right.get(numberB)];
      const elsewhere = sign === SIGN.movedA ? other?.at : sign === SIGN.movedB ? one?.at : undefined;
      return {
        index: from + i,
        at: String(row),
        sign: this.#sign(row),
        differs: numberA > 0 && numberB > 0 && matched.differs[numberA] === 1,
        first: row === this.#first,
        ...shownIn('a', hasA(sign) ? one : undefined),
        ...shownIn('b', hasB(sign) ? other : undefined),
        ...(elsewhere === undefined ? {} : { elsewhere }),
        folded: row - 1 - (i === 0 ? before : (rows[i - 1] as number)),
      };
    });
  }

  /** The rows of differences, and some around each. */
  #fold(): Uint32Array {
    if (this.#folded !== undefined) return this.#folded;
    const { signs, rows, differences } = this.#beside;
    const begins = new Set(differences);
    const kept = new Uint8Array(rows);
    for (let row = 0; row < rows; row++) {
      if (!isDifference(signs[row] as number) && !begins.has(row)) continue;
      kept.fill(1, Math.max(0, row - CONTEXT_ROWS), Math.min(rows, row + CONTEXT_ROWS + 1));
    }
    const list: number[] = [];
    kept.forEach((keep, row) => {
      if (keep === 1) list.push(row);
    });
    this.#folded = Uint32Array.from(list);
    return this.#folded;
  }
}

function shownIn<K extends 'a' | 'b'>(side: K, row: EventRow | undefined): { readonly [P in K]?: EventRow } {
  return (row === undefined ? {} : { [side]: row }) as { readonly [P in K]?: EventRow };
}

/** Findings that only one of two lists has, by id. */
export function findingsApart(a: readonly FindingView[], b: readonly FindingView[]): CompareView['findings'] {
  const lacks = (list: readonly FindingView[], { id }: FindingView): boolean =>
    !list.some((each) => each.id === id);
  return { onlyA: a.filter((each) => lacks(b, each)), onlyB: b.filter((each) => lacks(a, each)) };
}

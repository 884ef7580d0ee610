import { type FdKind, findIoctl, type IoctlDialect, type IoctlRow } from '../../../engine/abi/index.ts';

/** The dialects that kernels speak; the others stand in libraries only. */
const SPOKEN: readonly IoctlDialect[] = ['upstream', 'rfc2020', 'vtl'];

/** Which dialect a program speaks, from its first calls: a number on a kind of handle that only one of them has tells. */
export class DialectGuess {
  #candidates: readonly IoctlDialect[];
  #why: string | undefined;

  /** `known`: what the user said. */
  constructor(known?: IoctlDialect) {
    this.#candidates = known === undefined ? SPOKEN : [known];
  }

  /** The only dialect that fits; undefined while several do. */
  get decided(): IoctlDialect | undefined {
    return this.#candidates.length === 1 ? this.#candidates[0] : undefined;
  }

  /** The dialect that is taken, and why, in words. */
  get verdict(): { readonly dialect: IoctlDialect; readonly why: string } {
    const [dialect = 'upstream', ...others] = this.#candidates;
    if (others.length === 0)
      return { dialect, why: this.#why === undefined ? 'as given' : `guessed from ${this.#why}` };
    return { dialect, why: `no call tells it from ${others.join(' and ')}` };
  }

  /** The meaning of a request on a handle of that kind, which also narrows the guess. */
  rowOf(kind: FdKind, op: number): IoctlRow | undefined {
    const rows = this.#candidates.flatMap((dialect) => findIoctl(dialect, kind, op) ?? []);
    // A number that none of them has tells nothing.
    const [row] = rows;
    if (row === undefined || rows.length === this.#candidates.length) return row;
    this.#candidates = rows.map(({ dialect }) => dialect);
    if (rows.length === 1) this.#why = row.name;
    return row;
  }
}

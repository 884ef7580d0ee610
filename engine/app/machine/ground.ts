import type { History } from '../../replay/history.ts';
import type { StateImage } from '../../replay/image.ts';
import type { ObjectKind } from '../../state/schema.ts';
import type { CellId, ObjectRow } from '../../state/store.ts';
import type { Address } from '../../trace/position.ts';
import type { Deeds } from './deeds.ts';

/** Objects by kind, and by kind and owner: a long trace has many, and views ask for few. */
export class ObjectIndex {
  readonly #byKind = new Map<ObjectKind, ObjectRow[]>();
  readonly #byOwner = new Map<ObjectKind, Map<number, ObjectRow[]>>();
  readonly #byId = new Map<number, ObjectRow>();

  constructor(history: History) {
    for (const row of history.tables.objects) {
      this.#byId.set(row.id, row);
      const all = this.#byKind.get(row.kind) ?? [];
      this.#byKind.set(row.kind, all);
      all.push(row);
      const owners = this.#byOwner.get(row.kind) ?? new Map<number, ObjectRow[]>();
      this.#byOwner.set(row.kind, owners);
      const below = owners.get(row.parent) ?? [];
      owners.set(row.parent, below);
      below.push(row);
    }
  }

  /** Objects of a kind in the order of their creation. */
  all(kind: ObjectKind): readonly ObjectRow[] {
    return this.#byKind.get(kind) ?? [];
  }

  /** Those that stand below one object. */
  below(kind: ObjectKind, owner: ObjectRow): readonly ObjectRow[] {
    return this.#byOwner.get(kind)?.get(owner.id) ?? [];
  }

  /** The object that another one stands below. */
  ownerOf(row: ObjectRow): ObjectRow | undefined {
    return this.#byId.get(row.parent);
  }
}

/** What the views of the machine are made from. */
export interface MachineGround {
  readonly history: History;
  /** Stands after `at`. */
  readonly image: StateImage;
  readonly at: Address;
  readonly deeds: Deeds;
  readonly objects: ObjectIndex;
}

/** The number in a cell of an object where the image stands. */
export function numberIn({ image }: MachineGround, row: ObjectRow, slot: number): number {
  return Number(image.get(cellIn(row, slot)));
}

export function cellIn(row: ObjectRow, slot: number): CellId {
  return (row.id + slot) as CellId;
}

/** Partitions that were there before the first event: the one that the trace is about. */
export function isOwn({ history }: MachineGround, partition: ObjectRow): boolean {
  const first = history.writesOf(cellIn(partition, 0))[0];
  return first !== undefined && history.write(first).at.seq === 0;
}

import type { ObjectKind } from './schema.ts';
import type { Key, ObjectId } from './store.ts';

/** Objects of one kind below one parent. */
interface Family {
  readonly kind: ObjectKind;
  /** By key, every path that ever had cells. */
  readonly placed: Map<Key, ObjectId>;
  /** Those that exist now, in order. */
  living: ObjectId[];
  /** Someone has the list: it is copied before it changes. */
  isShared: boolean;
}

const NONE: readonly ObjectId[] = [];

/** Which objects a store has and has had, by parent, kind and key. */
export class ObjectIndex {
  /** By parent; a parent has children of a few kinds, which are found one by one. */
  readonly #families = new Map<ObjectId, Family[]>();

  /** The object that has, or had, cells under this path. */
  placed(parent: ObjectId, kind: ObjectKind, key: Key): ObjectId | undefined {
    return this.#family(parent, kind)?.placed.get(key);
  }

  /** The path has cells from now on. */
  place(parent: ObjectId, kind: ObjectKind, key: Key, id: ObjectId): void {
    const known = this.#family(parent, kind);
    if (known !== undefined) {
      known.placed.set(key, id);
      return;
    }
    const family = { kind, placed: new Map([[key, id]]), living: [], isShared: false };
    const siblings = this.#families.get(parent);
    if (siblings === undefined) this.#families.set(parent, [family]);
    else siblings.push(family);
  }

  /** Kinds of which there are or were objects below this one. */
  kinds(parent: ObjectId): readonly ObjectKind[] {
    return this.#families.get(parent)?.map(({ kind }) => kind) ?? [];
  }

  /** Those that exist now, in the order in which they got their cells. */
  living(parent: ObjectId, kind: ObjectKind): readonly ObjectId[] {
    const family = this.#family(parent, kind);
    if (family === undefined) return NONE;
    family.isShared = true;
    return family.living;
  }

  /** A placed object exists from now on. */
  add(parent: ObjectId, kind: ObjectKind, id: ObjectId): void {
    const living = this.#own(parent, kind);
    let at = living.length;
    while (at > 0 && (living[at - 1] as number) > id) at--;
    living.splice(at, 0, id);
  }

  /** It exists no more. */
  remove(parent: ObjectId, kind: ObjectKind, id: ObjectId): void {
    const living = this.#own(parent, kind);
    const at = living.indexOf(id);
    if (at >= 0) living.splice(at, 1);
  }

  /** The list of those that exist, to be changed. */
  #own(parent: ObjectId, kind: ObjectKind): ObjectId[] {
    const family = this.#family(parent, kind);
    if (family === undefined) throw new Error(`no ${kind.name} was ever placed there`);
    if (family.isShared) family.living = family.living.slice();
    family.isShared = false;
    return family.living;
  }

  #family(parent: ObjectId, kind: ObjectKind): Family | undefined {
    const families = this.#families.get(parent);
    if (families === undefined) return undefined;
    for (const family of families) if (family.kind === kind) return family;
    return undefined;
  }
}

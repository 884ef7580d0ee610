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

/** A path that was looked for, and the object that has, or had, cells under it. */
interface Found {
  readonly parent: ObjectId;
  readonly kind: ObjectKind;
  readonly key: Key;
  readonly id: ObjectId;
}

const NONE: readonly ObjectId[] = [];
/** Paths of late that are found at once; a power of two. A stop of a VP looks a hundred times for a dozen objects. */
const REMEMBERED = 256;

/** Which objects a store has and has had, by parent, kind and key. */
export class ObjectIndex {
  /** By parent; a parent has children of a few kinds, which are found one by one. */
  readonly #families = new Map<ObjectId, Family[]>();
  /** A path keeps its cells for ever, so none of these becomes wrong. */
  readonly #found: (Found | undefined)[] = new Array(REMEMBERED).fill(undefined);

  /** The object that has, or had, cells under this path. */
  placed(parent: ObjectId, kind: ObjectKind, key: Key): ObjectId | undefined {
    // Of large keys the low bits count, of a bigint none: they share a place.
    const near = typeof key === 'number' ? key | 0 : 0;
    const place = (parent + kind.info.length * 37 + near) & (REMEMBERED - 1);
    const found = this.#found[place];
    if (found !== undefined && found.parent === parent && found.kind === kind && found.key === key)
      return found.id;
    const id = this.#family(parent, kind)?.placed.get(key);
    if (id !== undefined) this.#found[place] = { parent, kind, key, id };
    return id;
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

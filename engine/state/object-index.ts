import type { ObjectKind } from './schema.ts';
import type { ObjectId } from './store.ts';

/** Objects of one kind below one parent that exist now, in order. */
interface Family {
  readonly kind: ObjectKind;
  ids: ObjectId[];
  /** Someone has the list: it is copied before it changes. */
  isShared: boolean;
}

const NONE: readonly ObjectId[] = [];

/** Which objects a store has now, by parent and kind. */
export class ObjectIndex {
  /** By parent; a parent has children of a few kinds, which are found one by one. */
  readonly #families = new Map<ObjectId, Family[]>();

  /** Those that exist now, in the order in which they got their cells. */
  living(parent: ObjectId, kind: ObjectKind): readonly ObjectId[] {
    const family = this.#family(parent, kind);
    if (family === undefined) return NONE;
    family.isShared = true;
    return family.ids;
  }

  /** An object exists from now on. */
  add(parent: ObjectId, kind: ObjectKind, id: ObjectId): void {
    const family = this.#family(parent, kind);
    if (family === undefined) {
      const siblings = this.#families.get(parent);
      const first = { kind, ids: [id], isShared: false };
      if (siblings === undefined) this.#families.set(parent, [first]);
      else siblings.push(first);
      return;
    }
    const ids = own(family);
    let at = ids.length;
    while (at > 0 && (ids[at - 1] as number) > id) at--;
    ids.splice(at, 0, id);
  }

  /** It exists no more, nor does anything below it. */
  remove(parent: ObjectId, kind: ObjectKind, id: ObjectId): void {
    this.#families.delete(id);
    const family = this.#family(parent, kind);
    if (family === undefined) throw new Error(`no ${kind.name} is there`);
    const ids = own(family);
    const at = ids.indexOf(id);
    if (at >= 0) ids.splice(at, 1);
  }

  #family(parent: ObjectId, kind: ObjectKind): Family | undefined {
    const families = this.#families.get(parent);
    if (families === undefined) return undefined;
    for (const family of families) if (family.kind === kind) return family;
    return undefined;
  }
}

/** The list of those that exist, to be changed. */
function own(family: Family): ObjectId[] {
  if (family.isShared) family.ids = family.ids.slice();
  family.isShared = false;
  return family.ids;
}

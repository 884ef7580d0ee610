import { ByteTable } from '../../../engine/state/byte-table.ts';
import type { EventCommon } from '../../../engine/trace/event.ts';
import { formatHandle, formatVp, type Handle, type VpRef } from '../../../engine/trace/handle.ts';
import { checked } from './limits.ts';
import { toColumn64 } from './row.ts';

type Column = number | bigint | string | null;

/** A row of `actor`, in the order of its columns. */
export type ActorRow = readonly Column[];
/** A row of `handle`, in the order of its columns. */
export type HandleRow = readonly Column[];

/** Actors are looked for by CPU and thread first: comparing is cheaper than making a key of all they are. */
const SLOTS = 256;
/** Handles that are found by their name at once. */
const MOST_NAMES = 1024;

interface Recent {
  readonly of: EventCommon;
  readonly id: number;
}

/** Numbers for who did it (`actor`) and what it was done to (`handle`), each kept once. */
export class ActorIds {
  readonly #actors = new ByteTable();
  readonly #recent = new Array<Recent | undefined>(SLOTS).fill(undefined);
  readonly #handles = new ByteTable();
  readonly #recentHandles = new Map<string, number>();
  #lastHandle: Handle | undefined;
  #lastHandleId = 0;
  /** Rows that are still to be written. */
  pendingActors: ActorRow[] = [];
  pendingHandles: HandleRow[] = [];

  actor(event: EventCommon): number {
    const { cpu, component, pid, tid, vp, vtl } = event;
    const mixed = (cpu ?? -1) * 5 + (tid ?? -1) * 3 + (vp?.vp ?? -1) * 17 + (component?.length ?? 0) * 29;
    const slot = mixed & (SLOTS - 1);
    const recent = this.#recent[slot];
    if (recent !== undefined && sameActor(recent.of, event)) return recent.id;
    const id = this.#actorByKey(event);
    this.#recent[slot] = { of: { cpu, component, pid, tid, vp, vtl } as EventCommon, id };
    return id;
  }

  handle(handle: Handle): number {
    if (handle === this.#lastHandle) return this.#lastHandleId;
    const name = formatHandle(handle);
    const id = this.#recentHandles.get(name) ?? this.#handleByName(handle, name);
    this.#lastHandle = handle;
    this.#lastHandleId = id;
    return id;
  }

  #handleByName(handle: Handle, name: string): number {
    const { number: id, isNew } = this.#handles.number(Buffer.from(name));
    if (isNew) {
      const partition = 'partition' in handle ? column64(handle.partition) : null;
      const vp = handle.kind === 'vp' ? (handle.vp ?? null) : null;
      this.pendingHandles.push([id, handle.kind, name, partition, vp]);
    }
    if (this.#recentHandles.size >= MOST_NAMES) this.#recentHandles.clear();
    this.#recentHandles.set(name, id);
    return id;
  }

  #actorByKey(event: EventCommon): number {
    const { cpu, component, pid, tid, vp, vtl } = event;
    const vpName = vp === undefined ? undefined : formatVp(vp);
    const key = JSON.stringify([cpu, component, pid, tid, vpName, vtl]);
    const { number: id, isNew } = this.#actors.number(Buffer.from(key));
    if (!isNew) return id;
    this.pendingActors.push([
      id,
      component === undefined ? null : writeWord(component),
      cpu === undefined ? null : checked(cpu, 'u32'),
      pid === undefined ? null : checked(pid, 'u32'),
      tid === undefined ? null : checked(tid, 'u32'),
      vpName ?? null,
      column64(vp?.partition),
      vp?.vp ?? null,
      vtl === undefined ? null : checked(vtl, 'u8'),
    ]);
    return id;
  }
}

/** A word as TEXT. SQLite's text is UTF-8: what has no such form (a lone surrogate) stands as JSON. */
export function writeWord(word: string): string {
  return word.isWellFormed() && !word.startsWith('"') ? word : JSON.stringify(word);
}

/** Reads it back; undefined where it is no such text. */
export function readWord(text: string): string | undefined {
  if (!text.startsWith('"')) return text;
  try {
    const word: unknown = JSON.parse(text);
    return typeof word === 'string' ? word : undefined;
  } catch {
    return undefined;
  }
}

function column64(value: bigint | undefined): number | bigint | null {
  return value === undefined ? null : toColumn64(value);
}

function sameActor(a: EventCommon, b: EventCommon): boolean {
  return (
    a.cpu === b.cpu &&
    a.component === b.component &&
    a.tid === b.tid &&
    a.pid === b.pid &&
    a.vtl === b.vtl &&
    (a.vp === b.vp || sameVp(a.vp, b.vp))
  );
}

function sameVp(a: VpRef | undefined, b: VpRef | undefined): boolean {
  return a !== undefined && b !== undefined && a.partition === b.partition && a.vp === b.vp;
}

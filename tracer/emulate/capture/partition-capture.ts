import type { PageBytes } from '../../../engine/trace/event.ts';
import { viewOf } from '../../native/libc.ts';
import { mappingsWithin } from '../../process/mappings.ts';
import type { SharedRun } from '../memory/guest-ram.ts';
import { BackingFiles, type FilePart, filled, resident } from './backing-files.ts';
import { changedParts } from './delta.ts';
import { Given, PAGE_BYTES, type Piece } from './given.ts';
import { type PageRange, unlike } from './page-range.ts';
import { PageTables } from './page-tables.ts';
import { Shadow } from './shadow.ts';

/** After so long every page that is there is held against the copy, not only those that the program is known to have used. */
const WHOLE_LOOK_MS = 1000;
/** The part of all time that goes into that at most: where there is much to look at, it is more seldom. */
const WHOLE_LOOK_PART = 20;
/** Memory that was moved into a file of ours: nobody but the program has it (../memory/guest-ram.ts). */
const OURS = '/memfd:hvrewind-ram';

/** Memory that was given, with where this process has what the program sees, and its copy. */
interface Backed extends Piece {
  readonly pid: number;
  readonly realAddress: number;
  readonly real: Uint8Array;
  readonly copy: Uint8Array;
  /** The same two, to compare. */
  readonly pair: readonly [real: Buffer, copy: Buffer];
  /** What is behind it; undefined where that is not to be had. */
  readonly file: FilePart | undefined;
  /** Others may write to it whom nobody sees. */
  readonly open: boolean;
  /** What the program sees is not looked at any more. */
  release(): void;
}

/** A page that is not what it was; `by` says who made it so. */
export interface Change {
  readonly by: 'guest' | 'program';
  readonly page: number;
  readonly parts: readonly PageBytes[];
}

const views = new Map<number, Uint8Array>();

/** One view of each range, kept: a second one of the same memory may not be made while the first lives. */
function keptView(address: number, length: number): Uint8Array {
  let view = views.get(address);
  if (view === undefined || view.length < length) {
    view = viewOf(address, length);
    views.set(address, view);
  }
  return view;
}

function drop(pieces: readonly Backed[]): void {
  for (const piece of pieces) piece.release();
}

function bufferOf({ buffer, byteOffset, length }: Uint8Array): Buffer {
  return Buffer.from(buffer, byteOffset, length);
}

/** The memory of one partition's guest beside the program's: what each has changed since they were the same. */
export class PartitionCapture {
  readonly #given = new Given<Backed>();
  readonly #shadow = new Shadow();
  readonly #tables = new PageTables();
  readonly #files = new BackingFiles();
  /** Pages that the guest was about to write, by their address in the program: as they were. */
  readonly #touched = new Map<number, { readonly page: number; readonly before: Uint8Array }>();
  #nextLook = 0;
  #isFresh = true;

  /** The program gave memory: where the guest finds it. */
  give(pid: number, page: number, program: number, runs: readonly SharedRun[]): SharedRun[] {
    const copies: SharedRun[] = [];
    let [at, next] = [program, page];
    for (const run of runs) {
      const [mapping] = mappingsWithin(pid, at, PAGE_BYTES);
      const open = mapping?.path.startsWith(OURS) !== true;
      const view = keptView(run.address, run.length);
      const parts = this.#shadow.cover(at, run.length);
      let held = parts.length;
      const release = () => {
        if (--held > 0) return;
        views.delete(run.address);
        run.release();
      };
      let done = 0;
      for (const { address, length, copy } of parts) {
        const pages = length / PAGE_BYTES;
        const real = view.subarray(done, done + length);
        const file = mapping === undefined ? undefined : this.#files.open(pid, mapping, at);
        const piece = {
          ...{ page: next, pages, address: at, pid, realAddress: run.address + done, real, copy, open, file },
          pair: [bufferOf(real), bufferOf(copy)] as const,
          release: () => {
            file?.release();
            release();
          },
        };
        drop(this.#given.give(piece));
        // A copy stays: the program may give the same memory again.
        copies.push({ address, length, release: () => {} });
        done += length;
        at += length;
        next += pages;
      }
    }
    this.#isFresh = true;
    return copies;
  }

  take(page: number, pages: number): void {
    drop(this.#given.take(page, pages));
  }

  /** The partition is gone. */
  end(): void {
    this.take(0, Number.POSITIVE_INFINITY);
    this.#touched.clear();
    this.#tables.close();
    this.#shadow.release();
  }

  /** The guest is about to write to a page, whose copy has this address. */
  written(page: number, address: number): void {
    const program = this.#shadow.programOf(address);
    const copy = program === undefined ? undefined : this.#shadow.pageAt(program);
    if (program === undefined || copy === undefined || this.#touched.has(program)) return;
    this.#touched.set(program, { page, before: copy.slice() });
  }

  /** What the program has changed since the two were the same; the guest has it from here on. */
  takeOver(): Change[] {
    const before = performance.now();
    const isWhole = this.#isFresh || before >= this.#nextLook;
    this.#isFresh = false;
    const found = this.#given.pieces.flatMap((piece) => this.#changedIn(piece, isWhole));
    if (isWhole) {
      const now = performance.now();
      this.#nextLook = now + Math.max(WHOLE_LOOK_MS, WHOLE_LOOK_PART * (now - before));
    }
    return found;
  }

  #changedIn(piece: Backed, isWhole: boolean): Change[] {
    const found: Change[] = [];
    for (const n of unlike(...piece.pair, this.#candidates(piece, isWhole))) {
      const change = takeOne(piece, n);
      if (change !== undefined) found.push(change);
    }
    return found;
  }

  /** The pages that may have been changed. */
  #candidates({ pid, address, pages, realAddress, file, open }: Backed, isWhole: boolean): PageRange[] {
    const used = isWhole || open ? undefined : this.#tables.used(pid, address, pages);
    if (used !== undefined) return used;
    return file === undefined ? resident(realAddress, pages) : filled(file, pages);
  }

  /**
   * What the guest has written since the two were the same: the program sees it from here on. What the program has written meanwhile comes
   * behind; a byte that both have written is the guest's.
   */
  handBack(): Change[] {
    const touched = [...this.#touched].sort(([, one], [, other]) => one.page - other.page);
    this.#touched.clear();
    return [
      ...touched.flatMap(([program, { page, before }]) => this.#writtenTo(program, page, before)),
      ...this.takeOver(),
    ];
  }

  #writtenTo(program: number, page: number, before: Uint8Array): Change[] {
    const copy = this.#shadow.pageAt(program);
    const piece = this.#given.pieces.find(
      (one) => program >= one.address && program < one.address + one.pages * PAGE_BYTES,
    );
    if (copy === undefined) return [];
    const parts = changedParts(before, copy);
    if (parts.length === 0) return [];
    if (piece !== undefined) {
      const at = program - piece.address;
      const real = piece.real.subarray(at, at + PAGE_BYTES);
      for (const { offset, bytes } of parts)
        for (let n = offset; n < offset + bytes.length; n++)
          if (before[n] !== copy[n]) real[n] = copy[n] as number;
    }
    return [{ by: 'guest', page, parts }];
  }
}

/** A page of the program that is not as its copy, which becomes the same. */
function takeOne({ page, real, copy }: Backed, n: number): Change | undefined {
  const [start, end] = [n * PAGE_BYTES, (n + 1) * PAGE_BYTES];
  // Its threads may go on writing: one state of it is taken.
  const now = real.slice(start, end);
  const parts = changedParts(copy.subarray(start, end), now);
  copy.set(now, start);
  return parts.length === 0 ? undefined : { by: 'program', page: page + n, parts };
}

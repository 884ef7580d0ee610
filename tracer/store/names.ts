import {
  DIALECTS,
  type Dialect,
  EVENT_KINDS,
  FD_WHATS,
  LIFECYCLE_WHATS,
  MARK_WHATS,
  MESSAGE_WHATS,
  PAGE_KINDS,
  PAGE_WHATS,
  type TraceEvent,
} from '../../engine/trace/event.ts';
import type { HandleKind } from '../../engine/trace/handle.ts';

/** Canonical names of numbers, from the ABI tables; undefined for a number without one. */
export interface NameSource {
  ioctl(dialect: Dialect | undefined, handle: HandleKind, op: number): string | undefined;
  hypercall(code: number): string | undefined;
  msr(address: number): string | undefined;
  messageType(type: number): string | undefined;
  status(status: number): string | undefined;
  errno(number: number): string | undefined;
}

/** A row of `name`. */
export type NameRow = readonly [domain: string, number: number, name: string];

/** The words that are numbers in the file whatever the ABI: all of them stand in every file. */
export const FIXED_NAMES: readonly NameRow[] = [
  ...rows('kind', EVENT_KINDS),
  ...rows('message', MESSAGE_WHATS),
  ...rows('fd', FD_WHATS),
  ...rows('page', PAGE_WHATS),
  ...rows('page-kind', PAGE_KINDS),
  ...rows('lifecycle', LIFECYCLE_WHATS),
  ...rows('mark', MARK_WHATS),
];

function rows(domain: string, words: readonly string[]): NameRow[] {
  return words.map((word, number) => [domain, number, word]);
}

/**
 * Collects the names of the numbers that occur, each once, so that the views can print them. An ioctl's domain
 * holds the kind of its handle and its dialect as in the flags (0: the profile's).
 */
export class NameRows {
  readonly #source: NameSource;
  readonly #seen = new Map<string, Set<number>>();
  readonly #ioctlDomains = new Map<string, string>();
  pending: NameRow[] = [];

  constructor(source: NameSource) {
    this.#source = source;
  }

  collect(event: TraceEvent): void {
    const source = this.#source;
    switch (event.kind) {
      case 'ioctl': {
        const { op, ret, out } = event;
        const { kind } = event.handle;
        this.#add(this.#ioctlDomain(kind, event.dialect), op, () => source.ioctl(event.dialect, kind, op));
        if (ret !== undefined && ret !== null && ret < 0) this.#add('errno', -ret, () => source.errno(-ret));
        // The answer to RUN_VP is a message; no other ioctl of a VP has an output whose first word is a type.
        if (kind === 'vp' && out?.data !== undefined && out.data.length >= 4) {
          const type = Buffer.from(out.data.buffer, out.data.byteOffset, 4).readUInt32LE();
          this.#add('message-type', type, () => source.messageType(type));
        }
        return;
      }
      case 'hypercall': {
        const code = Number(BigInt.asUintN(16, event.control));
        this.#add('hypercall', code, () => source.hypercall(code));
        const status = event.result?.status;
        if (status !== undefined) this.#add('status', status, () => source.status(status));
        return;
      }
      case 'msr':
        this.#add('msr', event.msr, () => source.msr(event.msr));
        return;
      case 'intercept':
        this.#add('message-type', event.type, () => source.messageType(event.type));
        return;
      case 'fd':
      case 'lifecycle': {
        const { ret } = event;
        if (ret !== undefined && ret !== null && ret < 0) this.#add('errno', -ret, () => source.errno(-ret));
        return;
      }
      default:
        return;
    }
  }

  #ioctlDomain(kind: HandleKind, dialect: Dialect | undefined): string {
    const key = dialect === undefined ? kind : `${kind} ${dialect}`;
    let domain = this.#ioctlDomains.get(key);
    if (domain === undefined) {
      domain = `ioctl.${kind}.${dialect === undefined ? 0 : DIALECTS.indexOf(dialect) + 1}`;
      this.#ioctlDomains.set(key, domain);
    }
    return domain;
  }

  #add(domain: string, number: number, nameOf: () => string | undefined): void {
    let seen = this.#seen.get(domain);
    if (seen === undefined) {
      seen = new Set();
      this.#seen.set(domain, seen);
    }
    if (seen.has(number)) return;
    // A hostile or broken source may use any number: what has no name is asked for again, not remembered.
    const name = nameOf();
    if (name === undefined) return;
    seen.add(number);
    this.pending.push([domain, number, name]);
  }
}

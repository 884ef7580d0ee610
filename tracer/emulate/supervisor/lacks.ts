import type { LiveMachine } from '../../../engine/replay/live.ts';
import type { VpRef } from '../../../engine/trace/handle.ts';
import type { TimeNs } from '../../../engine/trace/position.ts';
import type { Guest } from './guest.ts';

/** Who met a limit of the emulation: a thread of the program, or a guest; which one is not always known. */
export type Meets =
  | { readonly component: 'vmm'; readonly pid: number; readonly tid: number }
  | { readonly component: 'hypervisor'; readonly vp?: VpRef };

/** Notes what the emulation cannot do, where it was asked for. */
export interface LackHost {
  lacks(who: Meets, text: string): void;
}

/** A guest has stopped: says so where its processor lacks what it executes. */
export function tellLacking(host: LackHost, { partition, index, processor: { lacking } }: Guest): void {
  if (lacking !== undefined) host.lacks({ component: 'hypervisor', vp: { partition, vp: index } }, lacking);
}

/** What the emulation could not do: a mark in the recording where it happened, and how often at its end. */
export class Lacks {
  readonly #counts = new Map<string, number>();

  note(live: LiveMachine, t: TimeNs, who: Meets, text: string): void {
    this.#counts.set(text, (this.#counts.get(text) ?? 0) + 1);
    live.feed({ kind: 'mark', what: 'unmodelled', t, provenance: 'emulated', ...who, text });
  }

  /** How often each thing was met; undefined where nothing was. */
  get counts(): Readonly<Record<string, number>> | undefined {
    return this.#counts.size === 0 ? undefined : Object.fromEntries(this.#counts);
  }
}

import type { TraceHeader } from '../../../engine/trace/profile.ts';
import type { Kept } from '../../sink/kept.ts';
import type { FdWindow } from '../filter/window.ts';
import type { VpThreadData } from '../vp/messages.ts';

/** What the supervisor is given. */
export interface SupervisorData {
  readonly window: FdWindow;
  /** Descriptor of the keeper's pipe. */
  readonly keeper: number;
  /** Shared with the launcher: ../launcher/messages.ts. */
  readonly control: Int32Array<SharedArrayBuffer>;
  readonly path: string;
  readonly header: TraceHeader;
  readonly force: boolean;
  /** Versions of the program and of the engine, for the file. */
  readonly tool: string;
  readonly engine: string;
  /** Wall clock at the start, ISO 8601. */
  readonly started: string;
  readonly command: readonly string[];
  readonly kept: Kept;
}

/** What a recording came to. */
export interface Recorded {
  readonly events: number;
  readonly hash: string;
  /** What the emulation could not do, and how often it was asked for. */
  readonly lacking?: Readonly<Record<string, number>>;
  /** Of a recording that can be executed again: pages of guest memory that the program wrote while a VP ran. */
  readonly memory?: { readonly writtenWhileRunning: number };
  /** Events that a filter did not match, or that a flight recorder let go. */
  readonly dropped?: number;
  /** The file took no more from some point on; the program was served all the same. */
  readonly failure?: string;
}

/** What the supervisor says: that the file exists or why not, and at the end what is in it. */
export type SupervisorMessage =
  | { readonly kind: 'ready' }
  /** A thread for VPs is to be started. */
  | { readonly kind: 'vp'; readonly data: VpThreadData }
  /** A flight recorder has written a copy because of a finding. */
  | { readonly kind: 'found'; readonly finding: string; readonly copy: string }
  | { readonly kind: 'refused'; readonly text: string }
  | { readonly kind: 'recorded'; readonly recorded: Recorded };

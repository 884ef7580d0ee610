import type { FdKind } from '../../abi/index.ts';
import type { DriverRun, Outcome } from '../../machine/child.ts';
import type { Context } from '../../machine/context.ts';
import type { IoctlEvent } from '../../trace/event.ts';
import type { Actor } from '../kernel/access.ts';

/** One ioctl that the upstream driver models. */
export interface IoctlRow {
  readonly fd: FdKind;
  readonly name: string;
  /** Bytes that the call reads at once; a shorter recorded argument tells too little. */
  readonly argBytes: number;
  /** What the call comes to: at once where nothing is asked of the hypervisor. */
  enter(context: Context, actor: Actor, event: IoctlEvent, arg: Uint8Array): DriverRun<Outcome> | Outcome;
  /** A call that waits: whether it can go on, and what it does then. */
  ready?(context: Context, event: IoctlEvent): boolean;
  wake?(context: Context, actor: Actor, event: IoctlEvent, signal: boolean): DriverRun<Outcome>;
  /** No signal ends the wait: EINTR comes from before it. */
  readonly uninterruptible?: boolean;
  /** Whether it goes on by itself too while it waits. */
  loops?(context: Context): boolean;
  /** What takes effect when the call has returned. */
  leave?(context: Context, event: IoctlEvent): void;
}

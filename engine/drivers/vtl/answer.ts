import { UNMODELLED } from '../../hypervisor/index.ts';
import type { HypercallAnswer, Outcome } from '../../machine/child.ts';
import type { IoctlEvent } from '../../trace/event.ts';
import { failure } from '../kernel/errno.ts';

/** What a call comes to whose hypercall the hypervisor of the engine does not answer: what was recorded, where it was. */
export function afterCall(event: IoctlEvent, answer: HypercallAnswer, outcome: Outcome): Outcome {
  if (answer.rule !== UNMODELLED) return outcome;
  return { ...outcome, ...(typeof event.ret === 'number' ? { ret: event.ret } : {}), rule: UNMODELLED };
}

/** What a pointer leads to could not be read: by the driver, or only by the recorder. */
export function unread({ ret }: IoctlEvent, rule: string): Outcome {
  if (ret === undefined || ret === failure('EFAULT')) return { ret: failure('EFAULT'), rule };
  return ret === null ? { rule: UNMODELLED } : { ret, rule: UNMODELLED };
}

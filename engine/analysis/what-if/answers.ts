import { errnos } from '../../abi/lookup/errnos.ts';
import { statuses } from '../../abi/lookup/statuses.ts';
import { hexOf } from '../../abi/text.ts';
import { describe } from '../../replay/describe.ts';
import type { Step } from '../../replay/step.ts';
import type { TraceEvent } from '../../trace/event.ts';
import { type Address, formatAddress } from '../../trace/position.ts';
import { contentOf } from './content.ts';

/** An answer that is another one now; null where the event does not happen. */
export interface AnswerDifference {
  readonly at: string;
  readonly before: string | null;
  readonly after: string | null;
}

interface Answered {
  readonly event: string;
  readonly answer: string | undefined;
  /** A hash of all that the event says but for its place and time. */
  readonly content: number;
}

/** What the events of a replay were told, by position. */
export class AnswerLog {
  readonly #answers = new Map<string, Answered>();

  /** `address` is the step's in the trace as it was. */
  note(step: Step, address: Address): void {
    // A call is asked at its return.
    const { kind } = step.event;
    if (!step.returned && (kind === 'ioctl' || kind === 'fd')) return;
    const { event } = step;
    const content = contentOf(event);
    this.#answers.set(formatAddress(address), { event: describe(event), answer: answerOf(event), content });
  }

  /** What an event was told; of a call what it was told at its return. Undefined where it was told nothing. */
  of(at: string): Answered | undefined {
    return this.#answers.get(at) ?? this.#answers.get(`${at}r`);
  }

  /**
   * Where this log has another answer than `before`, in the order of `before`. Derived events are compared where both have
   * the same one at the position.
   */
  differences(before: AnswerLog, gone: { has(at: string): boolean }): AnswerDifference[] {
    const found: AnswerDifference[] = [];
    for (const [at, { event, answer }] of before.#answers) {
      const now = this.#answers.get(at);
      if (now === undefined && gone.has(at)) found.push({ at, before: answer ?? 'happened', after: null });
      else if (now !== undefined && now.event === event && now.answer !== answer) {
        found.push({ at, before: answer ?? null, after: now.answer ?? null });
      }
    }
    return found;
  }
}

function answerOf(event: TraceEvent): string | undefined {
  switch (event.kind) {
    case 'msr':
      if (event.fault === true) return '#GP';
      return event.dir === 'write' ? 'done' : event.value === undefined ? undefined : hexOf(event.value);
    case 'hypercall': {
      if (event.fault === true) return '#UD';
      if (event.result === undefined) return undefined;
      const { status, reps } = event.result;
      return reps === 0 ? statuses.name(status) : `${statuses.name(status)}, ${reps} reps`;
    }
    case 'ioctl':
    case 'fd':
    case 'lifecycle': {
      const { ret } = event;
      if (typeof ret !== 'number') return ret === null ? 'never returned' : undefined;
      return ret < 0 ? `-${errnos.name(-ret)}` : String(ret);
    }
    default:
      return undefined;
  }
}

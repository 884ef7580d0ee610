import { fieldOf, hexOfBytes, hypercalls, lowHalf, readU32 } from '../abi/index.ts';
import type { HypercallEvent } from '../trace/event.ts';
import { CaseBook } from './case-book.ts';
import type { Moment } from './open-finding.ts';
import type { Judge, RuleInput } from './rule.ts';
import { SUCCESS, status } from './track/hypercall.ts';

const POST = hypercalls.number('POST_MESSAGE');
const CONNECTION = fieldOf('hv_input_post_message', 'connectionid');
const NO_BUFFER = status('INSUFFICIENT_BUFFERS');
/** Linux waits twice as long each time, 4.2 s at most (2^22 us; drivers/hv/connection.c, vmbus_post_msg). */
const PATIENCE_NS = 5_000_000_000;
/** Messages that wait at once. */
const MAX_WAITING = 256;

/** A message that was not taken. */
interface Refused {
  readonly component: string;
  readonly connection: number;
  readonly first: number;
  readonly culprit: Moment;
  last: number;
  tries: number;
  /** Another message of the same sender was taken long after the last try. */
  passed: { readonly moment: Moment; readonly waited: number } | undefined;
}

/** The part of R06 about a status that passes: the hypervisor has no buffer for a message now, and will have one. */
export function judgeTransientStatus(rule: string, input: RuleInput): Judge {
  const cases = new CaseBook(rule, input);
  /** By sender and message. */
  const waiting = new Map<string, Refused>();

  function posted(event: HypercallEvent, given: Uint8Array, answer: number): void {
    if (answer !== NO_BUFFER && waiting.size === 0) return;
    const component = event.component ?? (event.vp === undefined ? 'unknown' : 'guest');
    const sender = `${component} ${event.vp?.partition ?? ''}`;
    const key = `${sender} ${hexOfBytes(given)}`;
    const before = waiting.get(key);
    if (answer !== NO_BUFFER) {
      // Taken, or refused for good: the sender knows.
      if (before !== undefined) waiting.delete(key);
      if (answer === SUCCESS) overtaken(component, readU32(given, CONNECTION), event.t);
      return;
    }
    if (before !== undefined) {
      before.tries++;
      before.last = event.t;
      before.passed = undefined;
    } else if (component !== 'unknown' && waiting.size < MAX_WAITING) {
      const connection = readU32(given, CONNECTION);
      const now = { first: event.t, last: event.t, tries: 1, culprit: input.now(), passed: undefined };
      waiting.set(key, { component, connection, ...now });
    }
  }

  function overtaken(component: string, connection: number, t: number): void {
    for (const refused of waiting.values()) {
      if (refused.component !== component || refused.connection !== connection) continue;
      const waited = t - refused.last;
      if (waited >= PATIENCE_NS) refused.passed ??= { moment: input.now(), waited };
    }
  }

  return {
    step({ event }) {
      if (event.kind === 'hypercall') {
        if ((lowHalf(event.control) & 0xffff) !== POST) return;
        if (event.input !== undefined && event.result !== undefined)
          posted(event, event.input, event.result.status);
      } else if (event.kind === 'lifecycle' && waiting.size > 0) {
        // A start or a stop that fails says so; after a hand-over nobody is left to send.
        const over = event.what !== 'component-start' || (event.ret ?? 0) < 0;
        if (over)
          for (const [key, { component }] of waiting)
            if (component === (event.component ?? component)) waiting.delete(key);
      }
    },
    end() {
      for (const { component, connection, culprit, tries, first, last, passed } of waiting.values()) {
        if (passed === undefined) continue;
        const took = `${tries} ${tries === 1 ? 'try' : 'tries'} within ${BigInt(last - first) / 1_000_000n} ms`;
        const words = {
          title: `${component} gives up a message for which there was no buffer, after ${took}; others were taken later`,
          fix: `let ${component} send the message again until it is taken, waiting longer each time, or report that it failed`,
        };
        const root = {
          cause: [component, 'gave-up', String(connection)],
          severity: 'error',
          component,
        } as const;
        cases.open({ ...root, culprit, shown: passed.moment }, words);
      }
      cases.report();
    },
  };
}

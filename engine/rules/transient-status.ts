import { fieldOf, hexOfBytes, hypercalls, lowHalf, readU32, readU64, statuses } from '../abi/index.ts';
import type { HypercallEvent } from '../trace/event.ts';
import { CaseBook } from './case-book.ts';
import type { Moment } from './open-finding.ts';
import type { Judge, RuleInput } from './rule.ts';
import { SUCCESS, status } from './track/hypercall.ts';

const POST = hypercalls.number('POST_MESSAGE');
const CONNECTION = fieldOf('hv_input_post_message', 'connectionid');
/** No buffer, or no memory for one, now (Linux 7.2 drivers/hv/connection.c, vmbus_post_msg). */
const SHORT: ReadonlySet<number> = new Set(['INSUFFICIENT_BUFFERS', 'INSUFFICIENT_MEMORY'].map(status));
/** Of a connection that has taken messages: there were too many of late (same place). */
const THROTTLED = status('INVALID_CONNECTION_ID');
/** Connections that have taken a message. */
const MAX_CONNECTIONS = 256;
const START = hypercalls.number('START_VP');
const START_PARTITION = fieldOf('hv_enable_vp_vtl', 'partition_id');
const START_VP = fieldOf('hv_enable_vp_vtl', 'vp_index');
/** The VP could not be started in time: it is tried again (Linux 7.2 arch/x86/hyperv/ivm.c, hv_snp_boot_ap). */
const TIME_OUT = status('TIME_OUT');
/** Linux waits twice as long each time, 4.2 s at most (2^22 us; drivers/hv/connection.c, vmbus_post_msg). */
const PATIENCE_NS = 5_000_000_000;
/** Messages that wait at once. */
const MAX_WAITING = 256;

/** A message that was not taken. */
interface Refused {
  readonly component: string;
  readonly connection: number;
  readonly answer: number;
  readonly first: number;
  readonly culprit: Moment;
  last: number;
  tries: number;
  /** Another message of the same sender was taken long after the last try. */
  passed: { readonly moment: Moment; readonly waited: number } | undefined;
}

/** A VP that was to start, and what was answered. */
interface Start {
  readonly vp: string;
  readonly timedOut: Moment | undefined;
}

/** The part of R06 about statuses that pass: the hypervisor cannot do now what it will do at another try. */
export function judgeTransientStatus(rule: string, input: RuleInput): Judge {
  const cases = new CaseBook(rule, input);
  /** By sender and message. */
  const waiting = new Map<string, Refused>();
  /** Connections that have taken a message of the kernel. */
  const taking = new Set<number>();
  /** The last start of a VP, by component. */
  const starts = new Map<string, Start>();

  function posted(event: HypercallEvent, given: Uint8Array, answer: number): void {
    const isTaken = answer === SUCCESS && event.vp === undefined;
    if (isTaken && taking.size < MAX_CONNECTIONS) taking.add(readU32(given, CONNECTION));
    const isThrottled = answer === THROTTLED && event.vp === undefined;
    const passes = SHORT.has(answer) || (isThrottled && taking.has(readU32(given, CONNECTION)));
    if (!passes && waiting.size === 0) return;
    const component = event.component ?? (event.vp === undefined ? 'unknown' : 'guest');
    const sender = `${component} ${event.vp?.partition ?? ''}`;
    const key = `${sender} ${hexOfBytes(given)}`;
    const before = waiting.get(key);
    if (!passes) {
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
      waiting.set(key, { component, connection, answer, ...now });
    }
  }

  function overtaken(component: string, connection: number, t: number): void {
    for (const refused of waiting.values()) {
      if (refused.component !== component || refused.connection !== connection) continue;
      const waited = t - refused.last;
      if (waited >= PATIENCE_NS) refused.passed ??= { moment: input.now(), waited };
    }
  }

  /** The same VP again, or else the one before was given up. */
  function started({ component = 'unknown' }: HypercallEvent, given: Uint8Array, answer: number): void {
    const vp = `${readU64(given, START_PARTITION)} ${readU32(given, START_VP)}`;
    const before = starts.get(component);
    const again = before?.vp === vp;
    if (!again && before?.timedOut !== undefined && component !== 'unknown') {
      const words = {
        title: `${component} gives up a VP whose start timed out, without another try`,
        fix: `let ${component} make HVCALL_START_VP again after HV_STATUS_TIME_OUT, or report that the VP did not start`,
      };
      const root = { cause: [component, 'start-timed-out'], severity: 'warning', component } as const;
      cases.open({ ...root, culprit: before.timedOut, shown: input.now() }, words);
    }
    // Who has tried several times knows, and says so where the trace does not show it.
    starts.set(component, { vp, timedOut: answer === TIME_OUT && !again ? input.now() : undefined });
  }

  return {
    step({ event }) {
      if (event.kind === 'hypercall') {
        const code = lowHalf(event.control) & 0xffff;
        if ((code !== POST && code !== START) || event.input === undefined || event.result === undefined)
          return;
        const { status: answer } = event.result;
        if (code === POST) posted(event, event.input, answer);
        else started(event, event.input, answer);
        return;
      }
      if (event.kind === 'mark' && event.what === 'gap') {
        starts.clear();
        taking.clear();
      } else if (event.kind === 'lifecycle' && (event.ret ?? 0) < 0) starts.clear();
      if (event.kind === 'lifecycle' && waiting.size > 0) {
        // A start or a stop that fails says so; after a hand-over nobody is left to send.
        const over = event.what !== 'component-start' || (event.ret ?? 0) < 0;
        if (over)
          for (const [key, { component }] of waiting)
            if (component === (event.component ?? component)) waiting.delete(key);
      }
    },
    end() {
      for (const { component, connection, answer, culprit, tries, first, last, passed } of waiting.values()) {
        if (passed === undefined) continue;
        const took = `${tries} ${tries === 1 ? 'try' : 'tries'} within ${BigInt(last - first) / 1_000_000n} ms`;
        const words = {
          title: `${component} gives up a message that was answered with ${statuses.name(answer)}, after ${took}; others were taken later`,
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

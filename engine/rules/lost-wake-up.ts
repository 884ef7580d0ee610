import { fieldOf, readU32, readU64, registers } from '../abi/index.ts';
import type { HypercallEvent, MarkEvent } from '../trace/event.ts';
import { CaseBook } from './case-book.ts';
import type { Moment } from './open-finding.ts';
import type { Rule } from './rule.ts';
import { answered, call, isDone, SUCCESS } from './track/hypercall.ts';
import { isHost, PARTITIONS } from './track/partition-tracker.ts';
import { RUN_VP } from './track/requests.ts';
import { RUNS, type RunVp, vpKey } from './track/runs.ts';

const POST = call('POST_MESSAGE');
const SIGNAL = call('SIGNAL_EVENT');
const CONNECT = call('CONNECT_PORT');
const INSTALL = call('INSTALL_INTERCEPT');
const SET = call('SET_VP_REGISTERS');
const CONNECTION = fieldOf('hv_input_post_message', 'connectionid');
const CONNECTED_PARTITION = fieldOf('hv_input_connect_port', 'connection_partition_id');
const CONNECTED = fieldOf('hv_input_connect_port', 'connection_id');
const INTERCEPTED = fieldOf('hv_input_install_intercept', 'partition_id');
const TYPE = fieldOf('hv_input_install_intercept', 'intercept_type');
const ACCESS = fieldOf('hv_input_install_intercept', 'access_type');
/** HvInterceptTypeUnknownSynicConnection of OpenVMM's hvdef; the headers of Linux do not have it. */
const UNKNOWN_CONNECTION = 13;
const VP_PARTITION = fieldOf('hv_input_set_vp_registers', 'partition_id');
const VP = fieldOf('hv_input_set_vp_registers', 'vp_index');
const NAME = fieldOf('hv_input_set_vp_registers', 'elements.name');
const VALUE = fieldOf('hv_input_set_vp_registers', 'elements.value');
const NOTIFICATIONS = registers.number('HV_X64_REGISTER_DELIVERABILITY_NOTIFICATIONS');

/** A VP that stays inside longer while something waits for it was not told. */
const PATIENCE_NS = 5_000_000;
const MAX_KEPT = 4096;

/** R14: what waits for a VP is given to it before it blocks, and what is sent has somebody to receive it. */
export const lostWakeUp: Rule = {
  id: 'R14',
  severity: 'error',
  title: 'Something waits for a VP that blocks, or is sent where nobody can receive it',
  meaning:
    'MSHV_RUN_VP remembers no request to stop that came before it. A message, an event or a cancellation for the VP that a VMM ' +
    'queues after its last look at the queue waits until the VP exits for another reason, which may be never. And a VMM ' +
    'that is itself the other end of the guest’s messages asks for them: what the guest posts on a connection that nobody has ' +
    'made, without an intercept for unknown connections, is dropped.',
  silent: [
    'The queue is emptied before the VP runs, or a notification is registered for when it can take more.',
    'The VP comes back soon.',
    'A post on an unknown connection that is answered with an error: the guest knows.',
    'A connection, a partition or an intercept that the trace need not show.',
  ],
  source:
    'TLFS 2013, HvInstallIntercept and HvPostMessage; Linux 7.2 drivers/hv/mshv_root_main.c (mshv_run_vp_with_hv_scheduler); ' +
    'OpenVMM pull requests 3273 and 3917',
  watches: [
    { kind: 'hypercall', codes: [POST, SIGNAL, CONNECT, INSTALL, SET] },
    { kind: 'ioctl', ops: RUN_VP },
    'mark',
  ],
  needs: [],
  judge(input) {
    const runs = input.tracker(RUNS);
    const partitions = input.tracker(PARTITIONS);
    const cases = new CaseBook(lostWakeUp.id, input);
    /** What waits for a VP, and since when: a VMM’s own queues are in a trace as marks. */
    const queued = new Map<string, Map<number, Moment>>();
    /** VPs that tell their VMM when they can take more. */
    const notified = new Set<string>();
    const reachable = new Set<string>();

    function queue({ vp, sint = 0, depth }: MarkEvent): void {
      if (vp?.partition === undefined || vp.vp === undefined || depth === undefined) return;
      const key = vpKey(vp.partition, vp.vp);
      if (queued.size >= MAX_KEPT && !queued.has(key)) queued.clear();
      const waiting = queued.get(key) ?? new Map<number, Moment>();
      queued.set(key, waiting);
      if (depth === 0) waiting.delete(sint);
      else if (!waiting.has(sint)) waiting.set(sint, input.now());
    }

    /** The VP was inside from `since` until now, and perhaps still is. */
    function wasInside({ key, partition, vp }: RunVp, run: { component: string; moment: Moment }): void {
      const waiting = queued.get(key);
      const now = input.now();
      if (waiting === undefined || notified.has(key)) return;
      for (const [sint, queuedAt] of waiting) {
        const since = Math.max(queuedAt.t, run.moment.t);
        if (now.t - since < PATIENCE_NS) continue;
        const { component, moment: culprit } = run;
        const finding = cases.open(
          { cause: [component, 'queued'], severity: 'error', component, culprit, shown: now, partition, vp },
          {
            title: `${component} lets a VP run while something waits for it, and the VP does not come back`,
            fix: `let ${component} look at what waits for the VP once more after it has blocked signals, or make the stop sticky`,
          },
        );
        if (!finding.concerns(`partition[${partition}].vp[${vp}].synic.slot[${sint}]`)) continue;
        finding.prove(queuedAt);
        finding.prove(culprit);
      }
    }

    function sent({ vp, input: given, result }: HypercallEvent): void {
      const partition = vp?.partition;
      if (partition === undefined || given === undefined || result?.status !== SUCCESS) return;
      const life = partitions.life(partition);
      const connection = readU32(given, CONNECTION);
      if (life === undefined || reachable.has(`${partition}`) || reachable.has(`${partition} ${connection}`))
        return;
      const now = input.now();
      const finding = cases.open(
        {
          cause: ['vmm', 'unknown-connection'],
          severity: 'error',
          component: 'vmm',
          culprit: life.since,
          shown: now,
          partition,
        },
        {
          title: `what the guest sends on connection ${connection} is dropped: there is no such connection, and no intercept for it`,
          fix: 'let vmm install an intercept of type UNKNOWN_SYNIC_CONNECTION before the guest runs',
        },
      );
      if (finding.concerns(`partition[${partition}].connection[${connection}]`)) finding.prove(now);
    }

    function remember(key: string): void {
      if (reachable.size < MAX_KEPT) reachable.add(key);
    }

    function ofHost(event: HypercallEvent, code: number, given: Uint8Array, reps: number): void {
      if (code === CONNECT) remember(`${readU64(given, CONNECTED_PARTITION)} ${readU32(given, CONNECTED)}`);
      else if (code === INSTALL && readU32(given, TYPE) === UNKNOWN_CONNECTION) {
        const key = `${readU64(given, INTERCEPTED)}`;
        if (readU32(given, ACCESS) === 0) reachable.delete(key);
        else remember(key);
      } else if (code === SET && event.input !== undefined) {
        for (let i = 0; i < reps; i++) {
          if (readU32(given, NAME, i) !== NOTIFICATIONS) continue;
          const key = vpKey(readU64(given, VP_PARTITION), readU32(given, VP));
          if (readU64(given, VALUE, i) === 0n) notified.delete(key);
          else if (notified.size < MAX_KEPT) notified.add(key);
        }
      }
    }

    return {
      step(step) {
        const { event } = step;
        if (event.kind === 'mark') {
          if (event.what === 'queue') queue(event);
          else if (event.what === 'gap') {
            queued.clear();
            notified.clear();
          }
          return;
        }
        if (event.kind === 'ioctl') {
          const { left } = runs;
          if (left !== undefined && queued.size > 0) wasInside(left.vp, left.exit.entry);
          return;
        }
        if (event.kind !== 'hypercall') return;
        const code = Number(event.control & 0xffffn);
        if (!isHost(step)) {
          if (code === POST || code === SIGNAL) sent(event);
          return;
        }
        const hypercall = code === POST || code === SIGNAL ? undefined : answered(step);
        if (hypercall !== undefined && isDone(hypercall.status))
          ofHost(event, code, hypercall.input, hypercall.reps);
      },
      end() {
        for (const key of queued.keys()) {
          const [partition = '0', vp = '0'] = key.split('.');
          const run = runs.of(BigInt(partition), Number(vp));
          if (run?.inside !== undefined) wasInside(run, run.inside);
        }
        cases.report();
      },
    };
  },
};

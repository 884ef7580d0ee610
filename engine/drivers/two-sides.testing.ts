import assert from 'node:assert/strict';
import { encodeControl, fieldOf, hypercalls, statuses, structOf, writeField } from '../abi/index.ts';
import { CONNECTION, PORT } from '../hypervisor/cells/port.ts';
import { VP } from '../hypervisor/cells/vp.ts';
import { CPU, PARTITION, vpOfRef } from '../hypervisor/index.ts';
import { checkPages, Ids, Messages, Mirror } from '../hypervisor/ledger.testing.ts';
import { type LiveEvent, LiveMachine, type LiveReturn } from '../replay/live.ts';
import type { Step } from '../replay/step.ts';
import { TOP } from '../state/store.ts';
import type { LifecycleEvent, MessageEvent, TraceEvent } from '../trace/event.ts';
import { type Seq, timeNs } from '../trace/position.ts';
import type { TraceHeader } from '../trace/profile.ts';
import { readProfile } from '../trace/profile-read.ts';
import type { JsonObject } from '../trace/text/json.ts';
import type { Stimulus } from './any-stimuli.testing.ts';
import { DRIVER, MSHV, MSHV_PARTITION } from './cells/driver.ts';
import { FD, PROCESS } from './cells/system.ts';
import { SIDES } from './scenario.testing.ts';

const TIME_OUT = statuses.number('TIME_OUT');
/** Pages asked for in one call. */
const WITHDRAWN = 500;
const ENDING: ReadonlySet<LifecycleEvent['what']> = new Set([
  'component-stop',
  'kexec',
  'reboot',
  'crash',
  'power-off',
  'halt',
]);

/** The machine with drivers on it, and what must hold of both sides whatever comes from outside. */
export class TwoSides {
  readonly header: TraceHeader;
  /** Events as a recorder leaves them. */
  readonly recorded: TraceEvent[] = [];
  readonly #live: LiveMachine;
  readonly #mirror = new Mirror();
  readonly #messages = new Messages();
  readonly #ids = new Ids();
  /** Calls that have not returned. */
  readonly #open = new Set<Seq>();
  #time = 0;

  constructor(given: JsonObject) {
    this.header = { profile: readProfile(given), given };
    this.#live = new LiveMachine(this.header.profile, SIDES, {
      step: (step) => this.#saw(step),
      journal: (chunk) => {
        this.#mirror.sink(chunk);
        this.#messages.sink(chunk);
      },
      checkpoint: () => {},
    });
  }

  get hash(): string {
    return this.#live.machine.store.hash();
  }

  take(stimulus: Stimulus): TraceEvent | undefined {
    this.#time += 1_000_000;
    if (stimulus.kind === 'signal') {
      const [first] = this.#open;
      if (first !== undefined) this.#signal(first);
      return undefined;
    }
    const fed = { ...stimulus, t: timeNs(this.#time), provenance: 'authored' } as LiveEvent;
    const { seq, event, returned } = this.#live.feed(fed);
    if (event.kind === 'ioctl') this.#open.add(seq);
    this.#returned(returned);
    this.#check();
    return event;
  }

  /** The VP or the partition that it is about is there; a module is not put in twice, nor taken out while its files are open. */
  isLegal(stimulus: Stimulus): boolean {
    if (stimulus.kind === 'signal') return true;
    const { machine } = this.#live;
    if (stimulus.kind === 'lifecycle' && stimulus.what === 'component-stop') return this.#hasNoFiles();
    if (stimulus.kind === 'lifecycle' && stimulus.what === 'component-start') {
      const { component } = stimulus;
      const isSame = (event: TraceEvent) =>
        event.kind === 'lifecycle' && event.component === component && /^component-/.test(event.what);
      const last = this.recorded.findLast(isSame);
      return last?.kind !== 'lifecycle' || last.what === 'component-stop';
    }
    const { vp } = stimulus;
    if (vp !== undefined) return vpOfRef(machine, vp) !== undefined;
    const handle = 'handle' in stimulus ? stimulus.handle : undefined;
    if (handle?.kind === 'vp') return vpOfRef(machine, handle) !== undefined;
    return handle?.kind !== 'partition' || this.#partitions().includes(handle.partition ?? 0n);
  }

  #hasNoFiles(): boolean {
    const { store } = this.#live.machine;
    return store.children(TOP, PROCESS).every((process) => store.children(process, FD).length === 0);
  }

  #signal(seq: Seq): void {
    this.#returned(this.#live.interrupt(seq, timeNs(this.#time)));
    this.#open.delete(seq);
    this.#check();
  }

  #returned(calls: readonly LiveReturn[]): void {
    for (const { seq } of calls) this.#open.delete(seq);
  }

  #saw({ address, event }: Step): void {
    const isOpen = event.kind === 'ioctl' && event.ret === undefined;
    this.recorded[address.seq - 1] = isOpen ? { ...event, ret: null } : event;
    // What there was before a recording that began mid-life is not known, nor is it after a step that nobody could follow.
    const isWhole = this.header.profile.initial === 'reset';
    if (event.kind === 'hypercall' && isWhole) this.#ids.saw(event);
    // What a step of a life cycle took away is gone before what it causes.
    if (event.kind === 'lifecycle' && ENDING.has(event.what)) this.#live.machine.store.flush();
    if (event.kind === 'message') this.#message(event);
  }

  #message(event: MessageEvent): void {
    const { machine } = this.#live;
    const owner =
      event.vp === undefined ? machine.store.find(TOP, CPU, event.cpu ?? 0) : vpOfRef(machine, event.vp);
    assert.ok(owner !== undefined, 'a message to nobody');
    this.#messages.saw(owner, event);
  }

  #check(): void {
    const { store } = this.#live.machine;
    this.#messages.forget(store);
    this.#messages.check(this.#live.machine);
    checkPages(store, this.header.profile);
  }

  /** Programs end: the driver keeps nothing of theirs; what its kernel has left is taken away by its own calls. */
  end(): void {
    const { store } = this.#live.machine;
    for (const seq of [...this.#open]) this.#signal(seq);
    for (const pid of [7, 8]) this.take({ kind: 'lifecycle', what: 'process-exit', component: 'mshv', pid });
    const { profile } = this.header;
    if (profile.initial === 'reset') {
      if (!this.#isCutShort()) this.#checkDriver();
      this.#empty();
    }
    this.#live.finish();
    this.#mirror.check(store);
  }

  /** A kernel or a driver ended with files open. */
  #isCutShort(): boolean {
    return this.recorded.some((event) => event.kind === 'lifecycle' && ENDING.has(event.what));
  }

  #checkDriver(): void {
    const { machine } = this.#live;
    const { store } = machine;
    for (const process of store.children(TOP, PROCESS)) assert.deepEqual(store.children(process, FD), []);
    for (const driver of store.children(TOP, DRIVER)) {
      for (const mshv of store.children(driver, MSHV))
        assert.deepEqual(store.children(mshv, MSHV_PARTITION), []);
    }
    // A partition that takes several calls to finalize is left behind: the driver makes one.
    if (this.header.profile.finalizeCalls === 1) assert.deepEqual(this.#partitions(), [1n]);
  }

  #partitions(): bigint[] {
    const { store } = this.#live.machine;
    return store.children(TOP, PARTITION).map((id) => BigInt(store.key(id)));
  }

  /** Nothing remains but the own partition, without a port. */
  #empty(): void {
    const { store } = this.#live.machine;
    const [own] = store.children(TOP, PARTITION);
    for (const port of own === undefined ? [] : store.children(own, PORT))
      this.#call('DELETE_PORT', { port_partition_id: 1n, port_id: Number(store.key(port)) });
    for (const partition_id of this.#partitions().reverse()) {
      if (partition_id === 1n) continue;
      while (this.#call('FINALIZE_PARTITION', { partition_id }) === TIME_OUT);
      while (this.#call('WITHDRAW_MEMORY', { partition_id }, WITHDRAWN) === 0);
      assert.equal(this.#call('DELETE_PARTITION', { partition_id }), 0, `partition ${partition_id} goes`);
    }
    assert.deepEqual(this.#partitions(), [1n]);
    for (const kind of [PORT, CONNECTION, VP])
      assert.deepEqual(own === undefined ? [] : store.children(own, kind), []);
  }

  /** Its status. */
  #call(name: string, fields: Readonly<Record<string, number | bigint>>, repCount = 0): number | undefined {
    const struct = hypercalls.named(name)?.input;
    assert.ok(struct !== undefined);
    const input = new Uint8Array(structOf(struct).size);
    for (const [field, value] of Object.entries(fields)) writeField(input, fieldOf(struct, field), value);
    const control = encodeControl({ code: hypercalls.number(name), fast: false, repCount, repStart: 0 });
    const event = this.take({ kind: 'hypercall', cpu: 0, component: 'mshv', control, input });
    return event?.kind === 'hypercall' ? event.result?.status : undefined;
  }
}

import assert from 'node:assert/strict';
import { it } from 'node:test';
import fc from 'fast-check';
import { encodeControl, fieldOf, hypercalls, msrs, statuses, structOf, writeField } from '../abi/index.ts';
import type { Emitted } from '../machine/child.ts';
import { type ObjectId, TOP } from '../state/store.ts';
import type { HypercallEvent, InterceptEvent, MessageEvent, MsrEvent } from '../trace/event.ts';
import type { VpRef } from '../trace/handle.ts';
import { seqOf, timeNs } from '../trace/position.ts';
import type { JsonObject } from '../trace/text/json.ts';
import { type CallStep, type Fields, GUEST, type Step, steps } from './any-steps.testing.ts';
import { HypervisorBench } from './bench.testing.ts';
import { CPU } from './cells/cpu.ts';
import { PARTITION } from './cells/partition.ts';
import { PORT } from './cells/port.ts';
import { createHypervisor, vpOfRef } from './index.ts';
import { checkPages, Ids, Messages, Mirror } from './ledger.testing.ts';
import { anyPool } from './pools.testing.ts';

const HYPERVISOR = createHypervisor();
const TIME_OUT = statuses.number('TIME_OUT');

/** A machine, and what must hold of it whatever is asked. */
class Model {
  readonly mirror = new Mirror();
  readonly messages = new Messages();
  readonly ids = new Ids();
  readonly bench: HypervisorBench;
  #time = 0;

  constructor(given: JsonObject) {
    this.bench = new HypervisorBench({ role: 'root', cpus: 2, ...given }, this.mirror.sink);
  }

  take(given: Step): void {
    this.#time += 7_000;
    const common = {
      seq: seqOf(1),
      t: timeNs(this.#time),
      provenance: 'authored',
      component: 'test',
    } as const;
    const whose = given.vp === undefined ? {} : { vp: given.vp };
    const { context } = this.bench;
    if (given.kind === 'call') this.#call(given, { ...common, ...whose, cpu: 0 });
    else if (given.kind === 'msr') {
      const dir = given.value === undefined ? 'read' : 'write';
      const shown = given.value === undefined ? {} : { value: given.value };
      const event: MsrEvent = {
        ...common,
        ...whose,
        kind: 'msr',
        dir,
        msr: given.msr,
        cpu: given.cpu,
        ...shown,
      };
      this.#note(HYPERVISOR.msr(context, event).emitted);
    } else if (given.kind === 'stop') {
      const event: InterceptEvent = {
        ...common,
        kind: 'intercept',
        vp: given.vp ?? { partition: 2n, vp: 0 },
        type: 0x8001_0007,
      };
      this.#note(HYPERVISOR.intercept(context, event).emitted);
    } else {
      const to = given.vp === undefined ? { cpu: 0 } : { vp: given.vp };
      const event: MessageEvent = { ...common, ...to, kind: 'message', sint: given.sint, what: 'clear' };
      const owner = this.#owner(event);
      if (owner !== undefined) this.messages.saw(owner, event);
      HYPERVISOR.note(context, event);
    }
    this.#check();
  }

  /** A status, of a call that is right. */
  call(name: string, fields: Fields, options: Pick<CallStep, 'list'> = {}): number {
    return this.#call(
      { kind: 'call', name, fields, ...options },
      { seq: seqOf(1), t: timeNs(this.#time), provenance: 'authored', cpu: 0 },
    );
  }

  #call(given: CallStep, common: Omit<HypercallEvent, 'kind' | 'control'>): number {
    const row = hypercalls.named(given.name);
    if (row?.input === undefined) return 0;
    const { field = '', count = 0 } = given.list ?? {};
    const input = new Uint8Array(structOf(row.input).size + (field === '' ? 0 : count * 8));
    for (const [name, each] of Object.entries(given.fields))
      writeField(input, fieldOf(row.input, name), each);
    if (field !== '') {
      for (let i = 0; i < count; i++)
        writeField(input, fieldOf(row.input, field), BigInt((given.list?.from ?? this.#time) + i), i);
    }
    let control = encodeControl({
      code: hypercalls.number(given.name),
      fast: false,
      repCount: count,
      repStart: 0,
    });
    if (given.flaw !== undefined) {
      const { bit, byte, value: wrong } = given.flaw;
      if (bit >= 0) control ^= 1n << BigInt(bit);
      if (byte < input.length) input[byte] = wrong;
    }
    const { pointers = {} } = given;
    const event: HypercallEvent = { ...common, ...pointers, kind: 'hypercall', control, input };
    const answer = HYPERVISOR.hypercall(this.bench.context, event);
    assert.notEqual(answer.rule, '');
    this.ids.saw({ ...answer, control });
    this.#note(answer.emitted);
    return answer.result.status;
  }

  #owner(event: { readonly cpu?: number; readonly vp?: VpRef }): ObjectId | undefined {
    const { context } = this.bench;
    return event.vp === undefined ? context.store.find(TOP, CPU, event.cpu ?? 0) : vpOfRef(context, event.vp);
  }

  #note(emitted: readonly Emitted[] = []): void {
    for (const event of emitted) {
      if (event.kind !== 'message') continue;
      const owner = this.#owner(event);
      assert.ok(owner !== undefined, 'a message to nobody');
      this.messages.saw(owner, event);
      this.bench.message(event);
    }
  }

  #check(): void {
    const { store, profile } = this.bench.context;
    this.messages.forget(store);
    this.messages.check(this.bench.context);
    checkPages(store, profile);
  }

  /** Takes everything away by its own call; nothing is left but the own partition, with what was given to it. */
  empty(): void {
    const { store } = this.bench.context;
    // Those that guests have made first.
    const partitions = [...store.children(TOP, PARTITION)].reverse();
    for (const partition of partitions) {
      const key = BigInt(store.key(partition));
      for (const port of store.children(partition, PORT)) {
        this.call('DELETE_PORT', { port_partition_id: key, port_id: Number(store.key(port)) });
      }
      if (key === 1n) continue;
      while (this.call('FINALIZE_PARTITION', { partition_id: key }) === TIME_OUT);
      while (this.call('WITHDRAW_MEMORY', { partition_id: key }, { list: { field: '', count: 500 } }) === 0);
      assert.equal(
        this.call('DELETE_PARTITION', { partition_id: key }),
        0,
        `partition ${key} can be deleted`,
      );
    }
    const left = store.children(TOP, PARTITION).map((each) => store.key(each));
    assert.deepEqual(left, [1]);
    assert.deepEqual(store.children(store.children(TOP, PARTITION)[0] ?? TOP, PORT), []);
    this.#check();
    this.mirror.check(store);
  }
}

const profile = fc.record({
  messageBuffers: fc.constantFrom(0, 1, 16),
  reservedBits: fc.constantFrom('strict', 'warn'),
  synicPolicy: fc.constantFrom('permissive', 'strict-transition', 'kvm-like'),
  scontrolReset: fc.constantFrom('0', '1'),
  finalizeCalls: fc.constantFrom(1, 3),
  partitionDepth: fc.constantFrom(0, 1),
  activePartitions: fc.constantFrom(0, 2),
  asyncCalls: fc.constantFrom('never', 'at-once', 'later'),
  pointerErrors: fc.constantFrom('docs', 'openvmm'),
  pointerOverlap: fc.constantFrom('accept', 'reject'),
  unknownRegister: fc.constantFrom('0x05', '0x87'),
  repTimeout: fc.constantFrom(0, 0, 1, 100),
  hltExits: fc.constantFrom('without-lapic', 'always', 'never'),
  scheduler: fc.constantFrom('core-smt', 'root'),
  pool: anyPool(2),
});

/** Registers of a SynIC that takes messages and events on SINT 2. */
const LIVE: readonly (readonly [string, bigint])[] = [
  ['SIMP', 0x5001n],
  ['SIEFP', 0x6001n],
  ['SCONTROL', 1n],
  ['SINT2', 0x40n],
];

/**
 * A partition with two VPs, SynICs that listen, a port for messages and one for events: what is random then finds
 * something to work on. `flags`: HV_PARTITION_CREATION_FLAG_….
 */
function begun(model: Model, flags: bigint): void {
  const deposit = (partition_id: bigint, from: number) =>
    model.call('DEPOSIT_MEMORY', { partition_id }, { list: { field: 'gpa_page_list', count: 400, from } });
  deposit(1n, 0x80_0000);
  model.call('CREATE_PARTITION', { flags });
  deposit(2n, 0x81_0000);
  model.call('INITIALIZE_PARTITION', { partition_id: 2n });
  for (const vp_index of [0, 1]) model.call('CREATE_VP', { partition_id: 2n, vp_index });
  const guest = { vp: GUEST };
  for (const whose of [{}, guest]) {
    for (const [name, set] of LIVE) {
      model.take({ kind: 'msr', msr: msrs.number(name), value: set, cpu: 0, ...whose });
    }
  }
  model.take({ kind: 'msr', msr: msrs.number('GUEST_OS_ID'), value: 0x81n, cpu: 0, ...guest });
  for (const [port_id, type] of [
    [1, 'message'],
    [2, 'event'],
  ] as const) {
    model.call('CREATE_PORT', {
      port_partition_id: 1n,
      port_id,
      connection_partition_id: 2n,
      'port_info.port_type': port_id,
      [`port_info.${type}_port_info.target_sint`]: 2,
      ...(type === 'event' ? { 'port_info.event_port_info.flag_count': 4 } : {}),
    });
    model.call('CONNECT_PORT', {
      connection_partition_id: 2n,
      connection_id: port_id,
      port_partition_id: 1n,
      port_id,
      'connection_info.port_type': port_id,
    });
  }
}

it('whatever is asked: pages, ids, messages and the journal hold, and all of it can be taken away', () => {
  fc.assert(
    fc.property(profile, fc.boolean(), fc.array(steps, { maxLength: 40 }), (given, hasLapic, sequence) => {
      const model = new Model(given as JsonObject);
      begun(model, hasLapic ? 0x8_2000n : 0x8_0000n);
      for (const each of sequence.flat()) model.take(each);
      model.empty();
    }),
    { numRuns: Number(process.env.HVREWIND_RUNS ?? 120) },
  );
});

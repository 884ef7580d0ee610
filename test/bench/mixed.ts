import {
  encodeControl,
  hypercallInputFromObject,
  hypercalls,
  ioctlArgFromObject,
  ioctlNamed,
  msrs,
} from '../../engine/abi/index.ts';
import type { TraceEvent } from '../../engine/trace/event.ts';
import type { Handle } from '../../engine/trace/handle.ts';
import { seqOf, timeNs } from '../../engine/trace/position.ts';
import type { TraceHeader } from '../../engine/trace/profile.ts';
import { parseProfile } from '../../engine/trace/profile-read.ts';
import type { Json } from '../../engine/trace/text/json.ts';

/** Whose events an event belongs to: those of its stimulus. */
export type Share = 'msr' | 'hypercall' | 'ioctl' | 'rest';

/** How many of 100 recorded events are whose. */
export type Mix = readonly (readonly [share: Share, percent: number])[];
export const HOST: Mix = [
  ['msr', 30],
  ['hypercall', 40],
  ['ioctl', 20],
  ['rest', 10],
];
/** MSR accesses and hypercalls alone. */
export const MSRS_AND_HYPERCALLS: Mix = [
  ['msr', 50],
  ['hypercall', 50],
];
const CPUS = 4;
const PARTITIONS = 6;
/** A partition with so many VPs is closed, and another takes its place. */
const VPS = 12;
const PID = 100;
const DEVICE_FD = 3;
const STEP_NS = 2_000;

const GIVEN = { kernel: 'upstream-7.2', role: 'root', cpus: CPUS } as const;
const DEVICE: Handle = { kind: 'device', open: 1 };

/** A small generator of numbers from a seed (Lehmer), so that a run can be repeated. */
function numbers(seed: number): (below: number) => number {
  let state = (seed % 2_147_483_646) + 1;
  return (below) => {
    state = (state * 48_271) % 2_147_483_647;
    return state % below;
  };
}

/** Ids and descriptors are known once the calls that made them have returned. */
interface Partition {
  readonly id: bigint;
  readonly fd: number;
  readonly vps: { readonly index: number; readonly fd: number }[];
  /** VPs asked for, of which some may not have returned yet. */
  asked: number;
}

type Undated<E> = E extends TraceEvent ? Omit<E, 'seq' | 't' | 'provenance'> : never;
type Draft = Undated<TraceEvent>;

/**
 * The stimuli of a host that runs VMs, about `events` events once they are played: MSR accesses of mshv and timers,
 * hypercalls on registers and properties, ioctls with the hypercalls below them, and the rest: CPUs that come and
 * go, files opened and closed. Which stimulus comes next follows from what the ones before amounted to, so that the
 * shares hold whatever the engine makes of each.
 */
export class MixedLoad {
  readonly header: TraceHeader;
  readonly #events: number;
  readonly #mix: Mix;
  readonly #random: (below: number) => number;
  readonly #made: Record<Share, number> = { msr: 0, hypercall: 0, ioctl: 0, rest: 0 };
  readonly #partitions: Partition[] = [];
  #total = 0;
  #t = 0;
  #share: Share = 'rest';
  /** Descriptors of the device besides the first. */
  readonly #devices: number[] = [];
  #offline: number | undefined;

  constructor(events: number, mix: Mix = HOST, seed = 1) {
    const read = parseProfile(GIVEN);
    if ('problem' in read) throw new Error(read.problem.message);
    this.header = { profile: read.profile, given: GIVEN };
    this.#events = events;
    this.#mix = mix;
    this.#random = numbers(seed);
  }

  /** How many events of each share there are so far. */
  get made(): Readonly<Record<Share, number>> {
    return this.#made;
  }

  /** Tells the load of an event that was recorded. */
  recorded(event: TraceEvent): void {
    if (event.parent === undefined) this.#share = shareOf(event);
    this.#made[this.#share]++;
    this.#total++;
  }

  /** Tells the load what a call came to. */
  returned(event: TraceEvent): void {
    if ((event.kind !== 'fd' && event.kind !== 'ioctl') || typeof event.ret !== 'number' || event.ret < 0)
      return;
    if (event.kind === 'fd' && event.what === 'open') this.#devices.push(event.ret);
    const opened = event.kind === 'ioctl' ? event.out?.handle : undefined;
    if (opened?.kind === 'partition' && opened.partition !== undefined) {
      this.#partitions.push({ id: opened.partition, fd: event.ret, vps: [], asked: 0 });
    } else if (opened?.kind === 'vp' && opened.vp !== undefined) {
      const { partition, vp } = opened;
      this.#partitions.find(({ id }) => id === partition)?.vps.push({ index: vp, fd: event.ret });
    }
  }

  *stimuli(): Generator<TraceEvent, void, undefined> {
    for (const component of ['arch', 'mshv']) {
      yield this.#event({ kind: 'lifecycle', what: 'component-start', component });
    }
    yield this.#event({
      kind: 'fd',
      what: 'open',
      ...this.#thread(),
      path: '/dev/mshv',
      handle: DEVICE,
    });
    for (let i = 0; i < PARTITIONS; i++) yield* this.#newPartition();
    while (this.#total < this.#events) {
      switch (this.#wanting()) {
        case 'msr':
          yield this.#msr();
          break;
        case 'hypercall':
          yield this.#hypercall();
          break;
        case 'ioctl':
          yield* this.#ioctl();
          break;
        case 'rest':
          yield* this.#rest();
      }
    }
  }

  /** The share that has the least of what it should have. */
  #wanting(): Share {
    let [best, least] = ['msr' as Share, Number.POSITIVE_INFINITY];
    for (const [share, percent] of this.#mix) {
      const has = this.#made[share] / percent;
      if (has < least) [best, least] = [share, has];
    }
    return best;
  }

  #event(draft: Draft): TraceEvent {
    this.#t += STEP_NS + this.#random(STEP_NS);
    return { ...draft, seq: seqOf(1), t: timeNs(this.#t), provenance: 'authored' } as TraceEvent;
  }

  #thread() {
    return { pid: PID, tid: PID + this.#random(8), cpu: this.#cpu() };
  }

  #cpu(): number {
    const cpu = this.#random(CPUS);
    return cpu === this.#offline ? 0 : cpu;
  }

  #msr(): TraceEvent {
    const [name, component, value] = MSRS[this.#random(MSRS.length)] as (typeof MSRS)[number];
    const access = value === undefined ? { dir: 'read' as const } : { dir: 'write' as const, value };
    return this.#event({
      kind: 'msr',
      cpu: this.#cpu(),
      component,
      msr: msrs.number(name),
      ...access,
    });
  }

  #hypercall(): TraceEvent {
    const partition = this.#partition();
    const id = `0x${partition.id.toString(16)}`;
    const vps = partition.vps.length;
    const vp_index = this.#random(Math.max(1, vps));
    const value = `0x${this.#random(0x7fff_ffff).toString(16)}`;
    const count = 1 + this.#random(4);
    const names = Array.from({ length: count }, () => REGISTERS[this.#random(REGISTERS.length)] as string);
    const property_code = 'HV_PARTITION_PROPERTY_TIME_FREEZE';
    // Registers are those of a VP: a partition without one has properties alone.
    switch (this.#random(vps === 0 ? 2 : 10)) {
      case 0:
        return this.#call('HVCALL_SET_PARTITION_PROPERTY', {
          partition_id: id,
          property_code,
          property_value: '0x0',
        });
      case 1:
        return this.#call('HVCALL_GET_PARTITION_PROPERTY', { partition_id: id, property_code });
      case 2:
      case 3:
      case 4:
      case 5: {
        const elements = names.map((name) => ({ name, value }));
        return this.#call('HVCALL_SET_VP_REGISTERS', { partition_id: id, vp_index, elements });
      }
      default:
        return this.#call('HVCALL_GET_VP_REGISTERS', { partition_id: id, vp_index, names });
    }
  }

  #call(name: string, given: Json): TraceEvent {
    const code = hypercalls.number(name);
    const read = hypercallInputFromObject(code, given);
    if (!read.ok) throw new Error(`${name}: ${JSON.stringify(read.error)}`);
    const isRep = hypercalls.find(code)?.shape === 'rep';
    const control = encodeControl({ code, repCount: isRep ? (read.elements ?? 0) : 0 });
    return this.#event({
      kind: 'hypercall',
      cpu: this.#cpu(),
      component: 'mshv',
      control,
      input: read.bytes,
    });
  }

  *#ioctl(): Generator<TraceEvent, void, undefined> {
    const partition = this.#partition();
    if (this.#random(4) > 0) {
      // A VP that is there already: a call without children, as most ioctls are.
      yield this.#onPartition('MSHV_CREATE_VP', partition, { vp_index: 0 });
    } else if (partition.asked < VPS) {
      yield this.#onPartition('MSHV_CREATE_VP', partition, { vp_index: partition.asked++ });
    } else if (partition.vps.length === VPS) {
      yield* this.#close(partition);
      yield* this.#newPartition();
    }
  }

  *#newPartition(): Generator<TraceEvent, void, undefined> {
    const before = this.#partitions.length;
    yield this.#onHandle('MSHV_CREATE_PARTITION', DEVICE, DEVICE_FD, {});
    // Whoever plays the load may look one stimulus ahead of the one that it plays.
    while (this.#partitions.length === before) yield this.#msr();
    yield this.#onPartition('MSHV_INITIALIZE_PARTITION', this.#partitions.at(-1) as Partition);
  }

  /** Closing is no ioctl, but it belongs to the life of the partitions that the ioctls make. */
  *#close(partition: Partition): Generator<TraceEvent, void, undefined> {
    this.#partitions.splice(this.#partitions.indexOf(partition), 1);
    const { id, fd, vps } = partition;
    for (const vp of vps) yield this.#closing(vp.fd, { kind: 'vp', partition: id, vp: vp.index });
    yield this.#closing(fd, { kind: 'partition', partition: id });
  }

  #closing(fd: number, handle: Handle): TraceEvent {
    return this.#event({ kind: 'fd', what: 'close', ...this.#thread(), fd, handle });
  }

  *#rest(): Generator<TraceEvent, void, undefined> {
    if (this.#random(3) === 0) {
      const what = this.#offline === undefined ? 'cpu-offline' : 'cpu-online';
      const cpu = this.#offline ?? 1 + this.#random(CPUS - 1);
      this.#offline = this.#offline === undefined ? cpu : undefined;
      yield this.#event({ kind: 'lifecycle', what, cpu });
      return;
    }
    const open = this.#devices.length > 2 ? this.#devices.pop() : undefined;
    if (open !== undefined) yield this.#closing(open, DEVICE);
    else
      yield this.#event({
        kind: 'fd',
        what: 'open',
        ...this.#thread(),
        path: '/dev/mshv',
        handle: DEVICE,
      });
  }

  #partition(): Partition {
    return this.#partitions[this.#random(this.#partitions.length)] as Partition;
  }

  #onPartition(name: string, { id, fd }: Partition, arg?: Json): TraceEvent {
    return this.#onHandle(name, { kind: 'partition', partition: id }, fd, arg);
  }

  #onHandle(name: string, handle: Handle, fd: number, arg?: Json): TraceEvent {
    const row = ioctlNamed('upstream', handle.kind as 'device' | 'partition', name);
    if (row?.number === undefined) throw new Error(`no ${name}`);
    const given = arg === undefined ? undefined : ioctlArgFromObject(row, arg);
    if (given !== undefined && !given.ok) throw new Error(`${name}: ${JSON.stringify(given.error)}`);
    const argument = given === undefined ? {} : { arg: given.bytes };
    return this.#event({
      kind: 'ioctl',
      ...this.#thread(),
      handle,
      fd,
      op: row.number,
      ...argument,
    });
  }
}

function shareOf(event: TraceEvent): Share {
  if (event.kind === 'msr' || event.kind === 'hypercall' || event.kind === 'ioctl') return event.kind;
  // What closes a partition and its VPs undoes what ioctls made.
  return event.kind === 'fd' && event.handle?.kind !== 'device' ? 'ioctl' : 'rest';
}

const REGISTERS = [
  'HV_X64_REGISTER_RIP',
  'HV_X64_REGISTER_RAX',
  'HV_X64_REGISTER_RFLAGS',
  'HV_X64_REGISTER_CR3',
  'HV_REGISTER_EXPLICIT_SUSPEND',
];

/** What is read, and what is written. */
const MSRS: readonly (readonly [name: string, component: string, value?: bigint])[] = [
  ['HV_X64_MSR_EOM', 'mshv', 0n],
  ['HV_X64_MSR_EOM', 'mshv', 0n],
  ['HV_X64_MSR_SINT0', 'mshv'],
  ['HV_X64_MSR_SIMP', 'mshv'],
  ['HV_X64_MSR_SIEFP', 'mshv'],
  ['HV_X64_MSR_SCONTROL', 'mshv'],
  ['HV_X64_MSR_VP_INDEX', 'arch'],
  ['HV_X64_MSR_SINT3', 'timer'],
  ['HV_X64_MSR_STIMER0_CONFIG', 'timer'],
];

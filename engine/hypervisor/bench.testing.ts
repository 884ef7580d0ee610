import { encodeControl, fieldOf, hypercalls, msrs, statuses, structOf, writeField } from '../abi/index.ts';
import type { Emitted } from '../machine/child.ts';
import type { Context } from '../machine/context.ts';
import type { JournalSink } from '../state/journal.ts';
import { CellPaths } from '../state/path.ts';
import { CellStore } from '../state/store.ts';
import type { HypercallResult, MessageEvent } from '../trace/event.ts';
import type { VpRef } from '../trace/handle.ts';
import { seqOf, type TimeNs, timeNs } from '../trace/position.ts';
import { parseProfile } from '../trace/profile-read.ts';
import type { JsonObject } from '../trace/text/json.ts';
import { createHypervisor } from './index.ts';

const HYPERVISOR = createHypervisor();

/** What a write or read came to, in one word. */
export type Word = string;

export interface CallOptions {
  readonly reps?: number;
  readonly start?: number;
  readonly fast?: boolean;
  /** Bits put over the control word. */
  readonly control?: bigint;
  readonly list?: { readonly field: string; readonly values: readonly bigint[] };
  readonly inputGpa?: bigint;
  readonly output?: Uint8Array;
  /** The result that a record has. */
  readonly result?: HypercallResult;
  readonly cpu?: number;
  readonly t?: TimeNs;
  /** A guest calls. */
  readonly vp?: VpRef;
}

/** The hypervisor's side alone: accesses and calls by name, answers as words. */
export class HypervisorBench {
  readonly context: Context;
  readonly bound: string[] = [];
  readonly #paths: CellPaths;

  constructor(given: JsonObject = {}, sink?: JournalSink) {
    const read = parseProfile(given);
    if ('problem' in read) throw new Error(read.problem.message);
    const store = new CellStore(sink);
    this.context = {
      store,
      profile: read.profile,
      bind: (reason, recorded, own) => {
        if (recorded !== undefined) this.bound.push(reason);
        return recorded ?? own;
      },
      nextBelow: () => undefined,
      waiting: () => [],
    };
    HYPERVISOR.initialise(this.context);
    this.#paths = new CellPaths(store.tables.objects);
  }

  /** `path: value` of the cells that a pattern names and that belong to what exists now. */
  state(pattern: string): string[] {
    const { store } = this.context;
    return (this.#paths.find(pattern) ?? [])
      .filter((cell) => store.low(this.#paths.objectOf(cell).id as number as typeof cell) === 1)
      .map((cell) => `${this.#paths.path(cell)}: 0x${store.get(cell).toString(16)}`);
  }

  cell(path: string): bigint {
    const [cell] = this.#paths.find(path) ?? [];
    if (cell === undefined) throw new Error(`no cell ${path}`);
    return this.context.store.get(cell);
  }

  /** `0x1`, `#GP` or `?` (not modelled). */
  read(name: string | number, component = 'test', cpu = 0): Word {
    const answer = HYPERVISOR.msr(this.context, {
      kind: 'msr',
      dir: 'read',
      msr: address(name),
      cpu,
      component,
    });
    return word(answer.fault, answer.rule, answer.value);
  }

  write(name: string | number, value: bigint, component = 'test', cpu = 0): Word {
    const access = { kind: 'msr', dir: 'write', msr: address(name), value, cpu, component } as const;
    const answer = HYPERVISOR.msr(this.context, access);
    this.note(answer.emitted);
    return word(answer.fault, answer.rule, answer.value);
  }

  ruleOf(dir: 'read' | 'write', name: string, value = 0n, component = 'test'): string {
    return HYPERVISOR.msr(this.context, { kind: 'msr', dir, msr: address(name), value, cpu: 0, component })
      .rule;
  }

  /** Makes what the hypervisor announced take place, as a replay does; gives it in short. */
  note(emitted: readonly Emitted[] | undefined): string[] {
    const words: string[] = [];
    for (const event of emitted ?? []) {
      if (event.kind !== 'message') continue;
      this.message(event);
      words.push(event.what === 'drop' ? `drop ${event.reason}` : event.what);
    }
    return words;
  }

  message(given: Omit<MessageEvent, 'seq' | 't' | 'provenance'>): void {
    HYPERVISOR.note(this.context, { ...given, seq: seqOf(1), t: timeNs(0), provenance: 'authored' });
  }

  /** The status without HV_STATUS_, and the reps of a rep call. */
  call(name: string, fields: Readonly<Record<string, number | bigint>> = {}, options: CallOptions = {}) {
    const row = hypercalls.named(name);
    if (row === undefined) throw new Error(`no hypercall ${name}`);
    const list = options.list;
    const bytes = row.input === undefined ? 0 : structOf(row.input).size;
    const input = new Uint8Array(bytes + (list?.values.length ?? 0) * 8);
    const struct = row.input ?? '';
    for (const [field, value] of Object.entries(fields)) writeField(input, fieldOf(struct, field), value);
    list?.values.forEach((value, i) => {
      writeField(input, fieldOf(struct, list.field), value, i);
    });
    return this.raw(name, input, options);
  }

  raw(name: string, input: Uint8Array | undefined, options: CallOptions = {}) {
    const code = hypercalls.number(name);
    const { reps = 0, start = 0, fast = false } = options;
    const control = encodeControl({ code, fast, repCount: reps, repStart: start }) | (options.control ?? 0n);
    return this.word(control, input, options);
  }

  /** A call by its control word. */
  word(control: bigint, input: Uint8Array | undefined, options: CallOptions = {}) {
    const answer = HYPERVISOR.hypercall(this.context, {
      kind: 'hypercall',
      seq: seqOf(1),
      t: options.t ?? timeNs(0),
      provenance: 'authored',
      cpu: options.cpu ?? 0,
      component: 'test',
      control,
      ...(input === undefined ? {} : { input }),
      ...(options.vp === undefined ? {} : { vp: options.vp }),
      ...(options.inputGpa === undefined ? {} : { inputGpa: options.inputGpa }),
      ...(options.output === undefined ? {} : { output: options.output }),
      ...(options.result === undefined ? {} : { result: options.result }),
    });
    const status = statuses.name(answer.result.status).replace('HV_STATUS_', '');
    return {
      status: answer.rule === 'unmodelled' ? '?' : status,
      reps: answer.result.reps,
      output: answer.output,
      rule: answer.rule,
      emitted: this.note(answer.emitted),
    };
  }
}

function address(name: string | number): number {
  return typeof name === 'number' ? name : msrs.number(name);
}

function word(fault: boolean, rule: string, value: bigint): Word {
  if (rule === 'unmodelled') return '?';
  return fault ? '#GP' : `0x${value.toString(16)}`;
}

const CHILD = 2n;

/** A root partition with an active child 2 that has VP 0 and as many pages to spare as given. */
export function activeChild(given: JsonObject = {}, spare = 100): HypervisorBench {
  const bench = new HypervisorBench({ role: 'root', ...given });
  bench.call('CREATE_PARTITION', { flags: 0x8_0000n });
  for (let left = 208 + 90 + spare, at = 0x1000n; left > 0; ) {
    const pages = Math.min(left, 511);
    const values = Array.from({ length: pages }, (_, i) => at + BigInt(i));
    const list = { field: 'gpa_page_list', values };
    bench.call('DEPOSIT_MEMORY', { partition_id: CHILD }, { reps: pages, list });
    left -= pages;
    at += BigInt(pages);
  }
  bench.call('INITIALIZE_PARTITION', { partition_id: CHILD }, { fast: true });
  bench.call('CREATE_VP', { partition_id: CHILD, vp_index: 0 });
  return bench;
}

/** Rows of a table written as text: cells between bars; empty lines and a rule line are left out. */
export function tableOf(text: string): string[][] {
  return text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line.startsWith('|') && !/^\|[-| ]+\|$/.test(line))
    .map((line) =>
      line
        .slice(1, -1)
        .split('|')
        .map((cell) => cell.trim()),
    );
}

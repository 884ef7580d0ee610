import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { allIoctls, errnoNumber, hypercalls, type IoctlRow, ioctlsOf, msrs } from '../../engine/abi/index.ts';
import { CALL_ROWS } from '../../engine/hypervisor/call/dispatch.ts';
import { MSR_ROWS } from '../../engine/hypervisor/msr/dispatch.ts';
import { leaveUnmodelled } from '../../engine/hypervisor/msr/row.ts';
import { headerOf, playLines } from './play.ts';

/** What the engine decodes and does not model, by table of the ABI. */
export interface NotModelled {
  readonly ioctls: readonly string[];
  readonly hypercalls: readonly string[];
  readonly msrs: readonly string[];
}
export type Table = keyof NotModelled;
export const TABLES: readonly Table[] = ['ioctls', 'hypercalls', 'msrs'];

const LIST = join(import.meta.dirname, 'not-modelled.json');
const PAGE = join(import.meta.dirname, '../../docs/engine.md');
const COUNTS = /^Modelled: .*$/m;

const KERNELS: Readonly<Record<string, string>> = { rfc2020: 'rfc2020', vtl: 'vtl' };
/** A partition with a VP in each kernel, so that every kind of descriptor is there. */
const BEFORE: Readonly<Record<string, readonly object[]>> = {
  upstream: [
    { handle: 'device', op: 'MSHV_CREATE_PARTITION', arg: { pt_flags: 0 } },
    { handle: 'partition:2', op: 'MSHV_INITIALIZE_PARTITION' },
    { handle: 'partition:2', op: 'MSHV_CREATE_VP', arg: { vp_index: 0 } },
  ],
  rfc2020: [
    { handle: 'device', op: 'MSHV_REQUEST_VERSION', arg: 0 },
    { handle: 'device', op: 'MSHV_CREATE_PARTITION', arg: {} },
    { handle: 'partition:2', op: 'MSHV_CREATE_VP', arg: { vp_index: 0 } },
  ],
};
const HANDLES: Readonly<Record<string, string>> = {
  device: 'device',
  partition: 'partition:2',
  vp: 'vp:2.0',
};

/** How a call that waits, and has done nothing before, comes back. */
const INTERRUPTED = { tEnd: '1us', ret: -errnoNumber('EINTR') };

/** The driver answers the call by a rule of its own, on one of the descriptors that it is for. */
function isModelled({ dialect, fds, name, number }: IoctlRow): boolean {
  if (number === undefined) return false;
  const header = headerOf(
    JSON.stringify({ profile: { role: 'root', kernel: KERNELS[dialect] ?? 'upstream-7.2' } }),
  );
  const who = { t: '0', kind: 'ioctl', pid: 7, tid: 7 };
  const before = [{ t: '0', kind: 'fd', what: 'open', path: '/dev/mshv', pid: 7, tid: 7 }];
  const answers = fds.flatMap((fd) => [
    { fd, answer: {} },
    { fd, answer: INTERRUPTED },
  ]);
  return answers.some(({ fd, answer }) => {
    // A trace knows it as a file that is not ours.
    if (fd === 'passthru-device') return false;
    const asked = { ...who, handle: HANDLES[fd] ?? `${fd}:1`, dialect, op: name, ...answer };
    const stimuli = [...before, ...(BEFORE[dialect] ?? []).map((event) => ({ ...who, ...event })), asked];
    const { steps } = playLines(
      header,
      stimuli.map((event) => JSON.stringify(event)),
    );
    const last = steps.findLast(({ parent }) => parent === undefined);
    const isAnswered = last?.rule !== undefined && last.rule !== 'unmodelled';
    // A call that waits has no answer yet, but has done something.
    return isAnswered || steps.at(-1)?.parent?.seq === last?.address.seq;
  });
}

/** What is not modelled now: of an MSR neither reading nor writing. */
export function notModelled(): NotModelled {
  const calls = new Set(CALL_ROWS.map(({ name }) => name));
  const registers = new Set(
    MSR_ROWS.filter(({ read, write }) => read !== leaveUnmodelled || write !== leaveUnmodelled).map(
      ({ msr }) => msr,
    ),
  );
  return {
    ioctls: allIoctls()
      .filter((row) => !isModelled(row))
      .map(({ dialect, fds, name }) => `${dialect} ${fds.join(',')} ${name}`),
    hypercalls: hypercalls.all().flatMap(({ abiName, name }) => (calls.has(abiName) ? [] : [name])),
    msrs: msrs.all().flatMap(({ value, name }) => (registers.has(value) ? [] : [name])),
  };
}

export function readList(): NotModelled {
  return JSON.parse(readFileSync(LIST, 'utf8')) as NotModelled;
}

/** The line of docs/engine.md with the counts. */
export function countsLine(list: NotModelled): string {
  const ofDialect = (dialect: 'upstream' | 'rfc2020' | 'vtl'): string => {
    const missing = list.ioctls.filter((name) => name.startsWith(`${dialect} `)).length;
    const all = ioctlsOf(dialect).length;
    return `${dialect} ${all - missing} of ${all}`;
  };
  const of = (table: Table, all: number): string => `${all - list[table].length} of ${all}`;
  return [
    `Modelled: ${of('ioctls', allIoctls().length)} ioctls (${ofDialect('upstream')}, ${ofDialect('rfc2020')}, ${ofDialect('vtl')}),`,
    `${of('hypercalls', hypercalls.all().length)} hypercalls, ${of('msrs', msrs.all().length)} MSRs.`,
  ].join(' ');
}

/** The line of counts that docs/engine.md has. */
export function countsOnPage(): string {
  return COUNTS.exec(readFileSync(PAGE, 'utf8'))?.[0] ?? '';
}

/** Names that are not modelled any more or, which must not be, were modelled and are not now. */
export function changesOf(before: NotModelled, now: NotModelled): { gone: string[]; grown: string[] } {
  const without = (a: NotModelled, b: NotModelled): string[] =>
    TABLES.flatMap((table) => a[table].filter((name) => !b[table].includes(name)));
  return { gone: without(before, now), grown: without(now, before) };
}

/** Writes the list and the counts again after more has been modelled; the list never grows. */
function update(): number {
  const now = notModelled();
  const { grown } = changesOf(readList(), now);
  if (grown.length > 0) {
    console.error(`floors: was modelled, is not now: ${grown.join(', ')}`);
    return 1;
  }
  writeFileSync(LIST, `${JSON.stringify(now, undefined, 2)}\n`);
  writeFileSync(PAGE, readFileSync(PAGE, 'utf8').replace(COUNTS, countsLine(now)));
  return 0;
}

if (import.meta.main) process.exitCode = update();

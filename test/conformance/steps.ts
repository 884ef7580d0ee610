import { hypercalls, ioctlsOf } from '../../engine/abi/index.ts';
import { dialectOf } from '../../engine/trace/dialect.ts';
import type { Profile } from '../../engine/trace/profile.ts';
import type { Json, JsonObject } from '../../engine/trace/text/json.ts';
import { flow } from './flow.ts';

/** What an ioctl is made on, where the step does not say: the first of each kind. */
const HANDLES: Readonly<Record<string, string>> = {
  device: 'device',
  partition: 'partition:2',
  vp: 'vp:2.0',
  vtl: 'vtl:1',
  sint: 'sint:1',
  hvcall: 'hvcall:1',
  'vtl-low': 'vtl-low:1',
};
const WHO = { pid: 7, tid: 7 };
const LIFECYCLE: Readonly<Record<string, string>> = {
  online: 'cpu-online',
  offline: 'cpu-offline',
  start: 'component-start',
  stop: 'component-stop',
  exit: 'process-exit',
};

/**
 * The event text of a step as the tables write it (README.md): `MSHV_CREATE_VP vp_index: 0`, `CREATE_VP partition_id: 2
 * with fast: true`, `W SIMP 0x1001`, `start mshv`, `intercept HVMSG_X64_HALT`, `close 5`, `kexec`.
 */
export function stepLine(step: string, profile: Profile, index: number): string {
  const [said = '', extra = ''] = step.split(/(?:^| )with /);
  const [, what = '', rest = ''] = /^(\S+) ?(.*)$/s.exec(said.trim()) ?? [];
  const event = { t: `${index}us`, ...eventOf(what, rest, profile), ...flow(extra) };
  // A result that is given is that of a call which lasts until before the next step.
  const lasts = 'ret' in event && event.ret !== null ? { tEnd: `${index}500ns` } : {};
  return JSON.stringify({ ...lasts, ...event });
}

function eventOf(what: string, rest: string, profile: Profile): JsonObject {
  if (what === 'R') return { kind: 'msr', dir: 'read', cpu: 0, component: 'test', msr: rest };
  if (what === 'W') {
    const [msr = '', value = '0'] = rest.split(' ');
    return { kind: 'msr', dir: 'write', cpu: 0, component: 'test', msr, value };
  }
  if (what.startsWith('MSHV_') || what.startsWith('ioctl:'))
    return ioctl(what.replace('ioctl:', ''), rest, profile);
  if (hypercalls.named(what) !== undefined) {
    const input = rest === '' && hypercalls.named(what)?.input === undefined ? {} : { input: flow(rest) };
    return { kind: 'hypercall', cpu: 0, component: 'test', code: what, ...input };
  }
  if (what === 'open') return { kind: 'fd', what, path: `/dev/${rest === '' ? 'mshv' : rest}`, ...WHO };
  if (what === 'signal') {
    return { kind: 'fd', what: 'eventfd-signal', handle: `eventfd:${rest}`, value: 1, ...WHO };
  }
  if (what === 'close' || what === 'munmap') return { kind: 'fd', what, fd: Number(rest), ...WHO };
  if (what === 'mmap') return { kind: 'fd', what, ...flow(rest), ...WHO };
  if (what === 'intercept') {
    const [, type = '', payload = ''] = /^(\S+) ?(.*)$/.exec(rest) ?? [];
    return { kind: 'intercept', vp: '2.0', type, ...(payload === '' ? {} : { payload: flow(payload) }) };
  }
  if (what === 'message') return { kind: 'message', what: 'deliver', cpu: 0, ...flow(rest) };
  if (what === 'start' || what === 'stop') {
    return { kind: 'lifecycle', what: LIFECYCLE[what] ?? what, component: rest };
  }
  if (what === 'exit') return { kind: 'lifecycle', what: 'process-exit', pid: 7 };
  return { kind: 'lifecycle', what: LIFECYCLE[what] ?? what, ...(rest === '' ? {} : { cpu: Number(rest) }) };
}

/** Fields of a struct, or a number. */
function argumentOf(text: string): Json {
  return /^\d+$/.test(text) ? Number(text) : flow(text);
}

function ioctl(given: string, rest: string, profile: Profile): JsonObject {
  const [op = '', on] = given.split('@');
  const dialect = dialectOf(profile.kernel);
  const rows = ioctlsOf(dialect).filter(({ name }) => name === op);
  const kind = on?.replace(/:.*/, '') ?? rows[0]?.fds[0] ?? 'partition';
  const handle = on?.includes(':') ? on : (HANDLES[kind] ?? kind);
  return {
    kind: 'ioctl',
    ...WHO,
    handle,
    op,
    ...(rest === '' || rest === '-' ? {} : { arg: argumentOf(rest) }),
  };
}

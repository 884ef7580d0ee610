/** Programs that use partitions as they should, over kernels, roles and pools: nothing to find. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { check } from '../../engine/analysis/check.ts';
import { memorySource } from '../../engine/replay/source.ts';
import { findingToJson } from '../../engine/rules/finding.ts';
import type { TraceEvent } from '../../engine/trace/event.ts';
import { readProfile } from '../../engine/trace/profile-read.ts';
import type { JsonObject } from '../../engine/trace/text/json.ts';
import { EventLineReader } from '../../engine/trace/text/reader.ts';
import { SIDES } from '../../main/cli/sides.ts';

const PAGE = 4096;

type Line = Readonly<Record<string, unknown>>;
type Act = 'memory' | 'doorbell' | 'properties' | 'frozen' | 'run' | 'map page' | 'states' | 'registers';

/** What a program does with one partition, and how it leaves it. */
interface Life {
  readonly vps: number;
  readonly initialize: boolean;
  readonly acts: readonly Act[];
  readonly unmap: boolean;
  readonly end: 'close' | 'exit' | 'open';
  readonly vpsFirst: boolean;
}

const life: fc.Arbitrary<Life> = fc.record({
  vps: fc.nat({ max: 2 }),
  initialize: fc.constantFrom(true, true, true, false),
  acts: fc.array(
    fc.constantFrom<Act>(
      'memory',
      'doorbell',
      'properties',
      'frozen',
      'run',
      'map page',
      'states',
      'registers',
    ),
    { maxLength: 6 },
  ),
  unmap: fc.boolean(),
  end: fc.constantFrom('close', 'exit', 'open'),
  vpsFirst: fc.boolean(),
});

const profile = fc.record({
  kernel: fc.constantFrom('upstream-7.2', 'upstream-7.0', 'upstream-6.16'),
  role: fc.constantFrom('root', 'l1vh', 'nested-root'),
  scheduler: fc.constantFrom('core-smt', 'root'),
  initial: fc.constantFrom('reset', 'unknown'),
  mmuNotifier: fc.boolean(),
  pool: fc.constantFrom(
    {},
    { partition: 212, vp: 93 },
    { port: 1, connection: 1 },
    { mapPagesPerPoolPage: 64 },
  ),
});

/** What can be done with a partition that was never initialized. */
const EARLY: ReadonlySet<Act> = new Set(['properties']);

/** The program of a life: its ids are `id`, its process is `pid`. */
function program({ initialize, unmap, end, vpsFirst, ...life }: Life, id: number): Line[] {
  const vps = initialize ? life.vps : 0;
  const acts = life.acts.filter((act) => initialize || EARLY.has(act));
  const pid = 100 + id;
  const partition = `partition:${id}`;
  const ioctl = (handle: string, op: string, arg?: object, more: object = {}): Line => ({
    kind: 'ioctl',
    pid,
    tid: pid,
    handle,
    op,
    ...(arg === undefined ? {} : { arg }),
    ...more,
  });
  const fd = (what: string, handle: string, more: object = {}): Line => ({
    kind: 'fd',
    what,
    pid,
    tid: pid,
    handle,
    ...more,
  });
  const property = (name: string, value: number): Line => {
    const arg = { code: 'HVCALL_SET_PARTITION_PROPERTY', in_sz: 24, in_ptr: 0x1000 };
    return ioctl(partition, 'MSHV_ROOT_HVCALL', arg, {
      in: { property_code: `HV_PARTITION_PROPERTY_${name}`, property_value: value },
    });
  };
  const lines: Line[] = [ioctl('device', 'MSHV_CREATE_PARTITION', { pt_flags: ['LAPIC'] })];
  lines.push(property('SYNTHETIC_PROC_FEATURES', 5));
  if (initialize) lines.push(ioctl(partition, 'MSHV_INITIALIZE_PARTITION'));
  for (let vp = 0; vp < vps; vp++) lines.push(ioctl(partition, 'MSHV_CREATE_VP', { vp_index: vp }));
  const vp = `vp:${id}.0`;
  const undo: Line[] = [];
  let region = 0;
  let doorbell = 0;
  for (const act of acts) {
    switch (act) {
      case 'memory': {
        const at = {
          size: 16 * PAGE,
          guest_pfn: 16 * region,
          userspace_addr: 0x7f00_0000_0000 + 16 * PAGE * region,
        };
        region++;
        lines.push(ioctl(partition, 'MSHV_SET_GUEST_MEMORY', { ...at, flags: ['WRITABLE', 'EXECUTABLE'] }));
        if (unmap) undo.push(ioctl(partition, 'MSHV_SET_GUEST_MEMORY', { ...at, flags: ['UNMAP'] }));
        break;
      }
      case 'doorbell': {
        const arg = { addr: 0x1_0000_0000 + 8 * doorbell++, fd: 20, len: 4, datamatch: 0 };
        lines.push(ioctl(partition, 'MSHV_IOEVENTFD', arg));
        break;
      }
      case 'properties':
        lines.push(property('UNIMPLEMENTED_MSR_ACTION', 1));
        break;
      case 'frozen':
        lines.push(property('TIME_FREEZE', 1), property('REFERENCE_TIME', 77), property('TIME_FREEZE', 0));
        break;
      case 'map page':
        if (vps === 0) break;
        lines.push(fd('mmap', vp, { offset: 0, size: PAGE, addr: 0x7e00_0000_0000 }));
        undo.push(fd('munmap', vp, { offset: 0, size: PAGE, addr: 0x7e00_0000_0000 }));
        break;
      case 'states':
        lines.push(
          ioctl(partition, 'MSHV_GET_GPAP_ACCESS_BITMAP', {
            access_type: 'MSHV_GPAP_ACCESS_TYPE_DIRTY',
            access_op: 'MSHV_GPAP_ACCESS_OP_CLEAR',
            page_count: 16,
            gpap_base: 0,
            bitmap_ptr: 0x3000,
          }),
        );
        break;
      case 'run':
        if (vps > 0) lines.push(ioctl(vp, 'MSHV_RUN_VP', undefined, { ret: -4 }));
        break;
      case 'registers': {
        if (vps === 0) break;
        const arg = {
          code: 'HVCALL_GET_VP_REGISTERS',
          reps: 2,
          in_sz: 24,
          out_sz: 32,
          in_ptr: 1,
          out_ptr: 2,
        };
        const names = ['HV_X64_REGISTER_RIP', 'HV_X64_REGISTER_RSP'];
        lines.push(ioctl(vp, 'MSHV_ROOT_HVCALL', arg, { in: { vp_index: 0, names } }));
        break;
      }
    }
  }
  lines.push(...undo.reverse());
  if (end === 'open') return lines;
  if (end === 'exit') return [...lines, { kind: 'lifecycle', what: 'process-exit', pid }];
  const closed = Array.from({ length: vps }, (_, index) => fd('close', `vp:${id}.${index}`));
  const last = fd('close', partition);
  return [...lines, ...(vpsFirst ? [...closed, last] : [last, ...closed])];
}

function findingsOf(some: JsonObject, lives: readonly Life[]) {
  const given = { ...some, synicOwnership: 'merged', cpus: 1 };
  const header = { profile: readProfile(given), given };
  const reader = new EventLineReader(header.profile);
  const life = (what: string, component: string): Line => ({ kind: 'lifecycle', what, component });
  const components = ['arch', ...(header.profile.vmbus ? ['vmbus'] : []), 'mshv'];
  const lines: Line[] = [
    ...components.map((component) => life('component-start', component)),
    ...lives.flatMap((one, index) => program(one, index + 2)),
    life('component-stop', 'mshv'),
  ];
  const events = lines.map((line, index): TraceEvent => {
    const read = reader.next(JSON.stringify({ t: `${index * 10}us`, ...line }));
    if ('problem' in read) throw new Error(`${JSON.stringify(line)}: ${JSON.stringify(read.problem)}`);
    return read.event;
  });
  return check(memorySource(header, events), SIDES).findings.map(findingToJson);
}

test('programs that keep to the order give no finding, whatever kernel, role and pool', () => {
  fc.assert(
    fc.property(profile, fc.array(life, { minLength: 1, maxLength: 3 }), (given, lives) => {
      assert.deepEqual(findingsOf(given, lives), []);
    }),
    { numRuns: 150 },
  );
});

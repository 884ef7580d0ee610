import { type FdKind, findIoctl, IOCTL_DIALECTS, meaningsOfIoctl } from '../abi/index.ts';
import type { FdEvent, IoctlEvent } from '../trace/event.ts';
import { formatHandle, type Handle } from '../trace/handle.ts';
import { CaseBook } from './case-book.ts';
import type { Moment } from './open-finding.ts';
import type { Rule } from './rule.ts';
import { CALLERS } from './track/callers.ts';
import { callThatReturns } from './track/maker.ts';

/** Who wrote the trace down: the one to blame where a trace contradicts itself. */
const RECORDER = 'recorder';
/** Descriptors that are followed at once. */
const MAX_DESCRIPTORS = 65_536;

/** R30: a trace says itself on what a call was made; what it says must fit together. */
export const decoderIntegrity: Rule = {
  id: 'R30',
  severity: 'error',
  title: 'The trace names a call on a file that it was not made on',
  meaning:
    'All ioctls of the mshv drivers have type 0xB8, and one number means another call on a device, on a partition and on a VP. A call is known only by the file that its ' +
    'descriptor stands for: opened as /dev/mshv, or returned by MSHV_CREATE_PARTITION or MSHV_CREATE_VP. Where the descriptor of a call was given out for another file, or a call ' +
    'succeeded that the named file does not know, whoever wrote the trace has mixed files up, and what it says of the call cannot be relied upon.',
  silent: [
    'A descriptor is closed and its number given out again.',
    'A descriptor that the trace does not show being opened, or only in another process.',
    'A program tries a call on the wrong file and is refused.',
    'A handle of which the ids are not known yet.',
  ],
  source:
    'Linux 7.2 uapi linux/mshv.h; review of “Drivers: hv: Introduce mshv_root module”, v5 (ioctl numbers)',
  watches: ['ioctl', 'fd', 'lifecycle', 'mark'],
  needs: ['ioctl'],
  judge(input) {
    const callers = input.tracker(CALLERS);
    const cases = new CaseBook(decoderIntegrity.id, input);
    const opened = new Map<string, { readonly handle: Handle; readonly moment: Moment }>();

    function gave(pid: number | undefined, fd: number | undefined, handle: Handle | undefined): void {
      if (pid === undefined || fd === undefined || fd < 0) return;
      const key = `${pid} ${fd}`;
      opened.delete(key);
      if (opened.size >= MAX_DESCRIPTORS) opened.clear();
      if (handle !== undefined) opened.set(key, { handle, moment: input.now() });
    }

    function descriptor(event: FdEvent): void {
      const { what, pid, fd, from, handle, ret } = event;
      if (what === 'close') gave(pid, fd, undefined);
      else if (what === 'open' && typeof ret === 'number') gave(pid, ret, handle);
      else if (what === 'dup' && typeof ret === 'number')
        gave(pid, ret, opened.get(`${pid} ${from}`)?.handle ?? handle);
    }

    function called(event: IoctlEvent, moment: Moment): void {
      const { pid, fd, handle, ret, op } = event;
      const known = pid === undefined || fd === undefined ? undefined : opened.get(`${pid} ${fd}`);
      const root = { severity: 'error', component: RECORDER, culprit: moment } as const;
      if (known !== undefined && !agree(known.handle, handle)) {
        const [was, is] = [formatHandle(known.handle), formatHandle(handle)];
        const words = {
          title: `the trace has a call on ${is} under a descriptor that was given out for ${was}`,
          fix: 'decode a call by the file that its descriptor was given out for, not by its number',
        };
        cases
          .open({ ...root, cause: ['descriptor', known.handle.kind, handle.kind] }, words)
          .prove(known.moment);
      } else if (
        (ret ?? -1) >= 0 &&
        handle.kind !== 'foreign' &&
        handle.kind !== 'eventfd' &&
        isElsewhere(handle.kind, op)
      ) {
        const [meant] = meaningsOfIoctl(op);
        const words = {
          title: `the trace has ${meant?.name} on a ${handle.kind}, where it succeeded and no driver has it`,
          fix: `decode a call by the kind of file: ${meant?.name} is a call on a ${meant?.fds.join(' or ')}`,
        };
        cases.open({ ...root, cause: ['number', handle.kind, meant?.name ?? ''] }, words);
      }
    }

    return {
      step(step) {
        const { event } = step;
        if (event.kind === 'fd') descriptor(event);
        else if (event.kind === 'mark' ? event.what === 'gap' : event.kind === 'lifecycle') opened.clear();
        if (event.kind !== 'ioctl' || !step.returned) return;
        called(event, callThatReturns(callers, step)?.moment ?? input.now());
        if (event.out?.handle !== undefined && typeof event.ret === 'number')
          gave(event.pid, event.ret, event.out.handle);
      },
      end: () => cases.report(),
    };
  },
};

/** Two handles may be the same file: what is not known of one may be what the other says. */
function agree(a: Handle, b: Handle): boolean {
  if (a.kind !== b.kind) return false;
  if (a.kind === 'partition' && b.kind === 'partition') return fits(a.partition, b.partition);
  if (a.kind === 'vp' && b.kind === 'vp') return fits(a.partition, b.partition) && fits(a.vp, b.vp);
  return true;
}

function fits<T>(a: T | undefined, b: T | undefined): boolean {
  return a === undefined || b === undefined || a === b;
}

/** Some driver has the call on another kind of file, and none on this one. */
function isElsewhere(kind: FdKind, op: number): boolean {
  if (IOCTL_DIALECTS.some((dialect) => findIoctl(dialect, kind, op) !== undefined)) return false;
  return meaningsOfIoctl(op).length > 0;
}

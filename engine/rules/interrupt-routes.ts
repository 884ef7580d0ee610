import { fieldOf, readU32 } from '../abi/index.ts';
import type { Step } from '../replay/step.ts';
import type { FdEvent, IoctlEvent } from '../trace/event.ts';
import { CaseBook } from './case-book.ts';
import type { Moment } from './open-finding.ts';
import type { Rule } from './rule.ts';
import { CALLERS } from './track/callers.ts';
import { callThatReturns } from './track/maker.ts';
import { requests } from './track/requests.ts';

const IRQFD = requests('MSHV_IRQFD');
const SET_ROUTES = requests('MSHV_SET_MSI_ROUTING');
const FD = fieldOf('mshv_user_irqfd', 'fd');
const GSI = fieldOf('mshv_user_irqfd', 'gsi');
const FLAGS = fieldOf('mshv_user_irqfd', 'flags');
const DEASSIGN = 1;
const COUNT = fieldOf('mshv_user_irq_table', 'nr');
const ENTRY_GSI = fieldOf('mshv_user_irq_table', 'entries.gsi');
/** Linux 7.2 drivers/hv/mshv_root.h, MSHV_MAX_GUEST_IRQS. */
const MAX_ROUTES = 4096;
const MAX_PARTITIONS = 1024;

/** What interrupts of a partition are connected with. */
interface Lines {
  readonly partition: bigint;
  /** Undefined: nobody in the trace has said which routes there are. */
  routes: ReadonlySet<number> | undefined;
  /** Who said it last. */
  routed: Deed | undefined;
  /** By eventfd. */
  readonly armed: Map<number, Armed>;
}

interface Deed {
  readonly component: string;
  readonly moment: Moment;
}

interface Armed extends Deed {
  readonly gsi: number;
  /** A descriptor means nothing to another process. */
  readonly pid: number | undefined;
}

/** R16: an interrupt has a route when it is signalled; a routing table names each interrupt once. */
export const interruptRoutes: Rule = {
  id: 'R16',
  severity: 'error',
  title: 'An eventfd is signalled whose interrupt has no route, or a routing table has two for one',
  meaning:
    'MSHV_IRQFD connects an eventfd with an interrupt number (GSI), MSHV_SET_MSI_ROUTING says where each number goes; each ' +
    'routing call replaces the whole table. When the eventfd is signalled and its number has no route the kernel takes the ' +
    'event and drops it: the interrupt is lost. So a number is routed before its eventfd can be signalled, and its route ' +
    'stays as long as that is armed. In one table a number stands once: of two the last would win.',
  silent: [
    'Routes of which no eventfd is armed.',
    'An eventfd armed before its number is routed, and signalled after.',
    'The same number in two calls: each replaces the table.',
    'A table with a number twice that is refused (EINVAL).',
    'The partition’s routes are not in the trace, which began later.',
  ],
  source:
    'Linux 7.2 drivers/hv/mshv_irq.c and mshv_eventfd.c; OpenVMM pull request 3900; “mshv: Fix duplicate GSI detection for GSI 0”',
  watches: [{ kind: 'ioctl', ops: [...IRQFD, ...SET_ROUTES] }, 'fd', 'mark'],
  needs: ['ioctl'],
  judge(input) {
    const callers = input.tracker(CALLERS);
    const cases = new CaseBook(interruptRoutes.id, input);
    const partitions = new Map<bigint, Lines>();
    /** Of a partition that is not known yet nobody has routed anything. */
    let isFresh = input.profile.initial !== 'unknown';

    function linesOf(partition: bigint): Lines {
      const known = partitions.get(partition);
      if (known !== undefined) return known;
      if (partitions.size >= MAX_PARTITIONS) {
        partitions.clear();
        isFresh = false;
      }
      const routes = isFresh ? new Set<number>() : undefined;
      const made: Lines = { partition, routes, routed: undefined, armed: new Map() };
      partitions.set(partition, made);
      return made;
    }

    function arm(lines: Lines, arg: Uint8Array, { pid }: IoctlEvent, by: Deed): void {
      const fd = readU32(arg, FD);
      if ((readU32(arg, FLAGS) & DEASSIGN) !== 0) lines.armed.delete(fd);
      else if (lines.armed.size < MAX_ROUTES) {
        lines.armed.set(fd, { gsi: readU32(arg, GSI), pid, ...by });
      }
    }

    function route(lines: Lines, arg: Uint8Array, by: Deed): void {
      const routes = new Set<number>();
      for (const gsi of gsisOf(arg)) {
        if (routes.has(gsi)) foundTwice(lines, gsi, by.moment);
        routes.add(gsi);
      }
      lines.routes = routes;
      lines.routed = by;
    }

    function foundTwice({ partition }: Lines, gsi: number, moment: Moment): void {
      const finding = cases.open(
        { cause: ['mshv', 'twice'], severity: 'error', component: 'mshv', culprit: moment, partition },
        {
          title: `mshv takes a routing table with two routes for GSI ${gsi}, of which the last wins`,
          fix: 'let mshv refuse a table that names a GSI twice with EINVAL, GSI 0 too; let the VMM name each once',
        },
      );
      if (finding.concerns(`partition[${partition}].route[${gsi}]`)) finding.prove(moment);
    }

    function signalled(fd: number, pid: number | undefined): void {
      for (const { partition, armed, routes, routed } of partitions.values()) {
        const line = armed.get(fd);
        if (line === undefined || line.pid !== pid || routes === undefined || routes.has(line.gsi)) continue;
        // Whoever came last made it wrong: armed what has no route, or took the route away.
        const culprit = routed !== undefined && routed.moment.step > line.moment.step ? routed : line;
        const removed = culprit === routed;
        const { component, moment } = culprit;
        const finding = cases.open(
          {
            cause: [component, removed ? 'removed' : 'unrouted'],
            severity: 'error',
            component,
            culprit: moment,
            shown: input.now(),
            partition,
          },
          {
            title: `an interrupt is lost: GSI ${line.gsi} ${removed ? 'lost its route while' : 'has no route where'} its eventfd is armed`,
            fix: removed
              ? `let ${component} take the eventfd of GSI ${line.gsi} off before the table no longer names it`
              : `let ${component} give GSI ${line.gsi} a route before MSHV_IRQFD arms its eventfd`,
          },
        );
        if (!finding.concerns(`partition[${partition}].route[${line.gsi}]`)) continue;
        finding.prove(line.moment);
        finding.prove(input.now());
      }
    }

    function called(step: Step, event: IoctlEvent): void {
      const { handle, op, arg, ret } = event;
      if (handle.kind !== 'partition' || handle.partition === undefined) return;
      if (arg === undefined || ret !== 0) return;
      const lines = linesOf(handle.partition);
      const moment = callThatReturns(callers, step)?.moment ?? input.now();
      const by = { component: event.component ?? 'vmm', moment };
      if (IRQFD.includes(op)) arm(lines, arg, event, by);
      else route(lines, arg, by);
    }

    function file({ what, handle, fd, pid }: FdEvent): void {
      if (what === 'eventfd-signal' && handle?.kind === 'eventfd') signalled(handle.fd, pid);
      else if (what === 'close' && fd !== undefined) {
        for (const { armed } of partitions.values()) armed.delete(fd);
      }
    }

    return {
      step(step) {
        const { event, returned } = step;
        if (event.kind === 'fd') file(event);
        else if (event.kind === 'ioctl') {
          if (returned) called(step, event);
        } else if (event.kind === 'mark' && event.what === 'gap') {
          for (const lines of partitions.values()) lines.routes = undefined;
        }
      },
      end: () => cases.report(),
    };
  },
};

function gsisOf(arg: Uint8Array): readonly number[] {
  const asked = arg.length < COUNT.size ? 0 : readU32(arg, COUNT);
  const there = Math.floor((arg.length - ENTRY_GSI.offset) / ENTRY_GSI.stride);
  return Array.from({ length: Math.min(asked, there, MAX_ROUTES) }, (_, i) => readU32(arg, ENTRY_GSI, i));
}

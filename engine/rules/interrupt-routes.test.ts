import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findingToJson } from './finding.ts';
import { interruptRoutes } from './interrupt-routes.ts';
import { ioctl, type Line, told } from './told.testing.ts';
import { judge } from './traffic.testing.ts';

type Call = readonly Line[];
/** Each call returns at once. */
function findings(profile: Record<string, string>, ...calls: readonly Call[]) {
  let count = 0;
  const lines = calls.flatMap(([line, ...rest]) => {
    count++;
    return [line as Line, ...rest.map((back) => ({ ...back, returns: count }))];
  });
  return judge(told({ role: 'root', ...profile }, lines), [interruptRoutes]).map(findingToJson);
}
function silent(...calls: readonly Call[]): void {
  assert.deepEqual(findings({}, ...calls), []);
}

const back = (ret: number): Line => ({ returns: 0, ret });
const route = (gsis: readonly number[], ret = 0): Call => [
  ioctl('partition:2', 'MSHV_SET_MSI_ROUTING', {
    arg: { nr: gsis.length, entries: gsis.map((gsi) => ({ gsi })) },
  }),
  back(ret),
];
const irqfd = (gsi: number, flags: readonly string[] = [], ret = 0): Call => [
  ioctl('partition:2', 'MSHV_IRQFD', { arg: { fd: 9, gsi, flags } }),
  back(ret),
];
const file = (what: string, extra: object = {}): Call => [
  { kind: 'fd', what, pid: 7, tid: 7, handle: 'eventfd:9', value: 1, ...extra },
];
const signal = file('eventfd-signal');

test('an eventfd is signalled whose GSI has no route', () => {
  const [finding] = findings({}, route([41]), irqfd(40), signal);
  assert.equal(finding?.id, 'R16:vmm:unrouted');
  assert.deepEqual([finding?.culprit.at, finding?.at], ['2', '3']);
  silent(route([40]), irqfd(40), signal);
  silent(irqfd(40), route([40]), signal);
  silent(route([41]), irqfd(40));
});

test('the route is taken away under an armed eventfd', () => {
  const [finding] = findings({}, route([40]), irqfd(40), route([]), signal);
  assert.equal(finding?.id, 'R16:vmm:removed');
  assert.equal(finding?.culprit.at, '3');
  silent(route([40]), irqfd(40), irqfd(40, ['DEASSIGN']), route([]), signal);
  silent(route([40]), irqfd(40), route([], -22), signal);
  silent(route([40]), irqfd(40), file('close', { fd: 9 }), route([]), signal);
});

test('nothing is known of routes before the trace, in a gap, of another process’ descriptor', () => {
  assert.deepEqual(findings({ initial: 'unknown' }, irqfd(40), signal), []);
  silent(irqfd(40), [{ kind: 'mark', what: 'gap', lost: 1 }], signal);
  silent(irqfd(40), file('eventfd-signal', { pid: 8, tid: 8 }));
  silent(irqfd(40, [], -16), signal);
});

test('a table names a GSI once, GSI 0 too', () => {
  const [finding] = findings({}, route([0, 0]));
  assert.equal(finding?.id, 'R16:mshv:twice');
  silent(route([0, 0], -22));
  silent(route([0, 1]), route([0, 1]));
});

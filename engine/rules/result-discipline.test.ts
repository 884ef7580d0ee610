import assert from 'node:assert/strict';
import { test } from 'node:test';
import { enter, hypercall, leave } from './calls.testing.ts';
import { resultDiscipline } from './result-discipline.ts';
import { judging, Traffic } from './traffic.testing.ts';

const { only, silent } = judging([resultDiscipline]);

const VP = { partition_id: 2, vp_index: 1 };

/** MSHV_CREATE_VP with these hypercalls below it. */
function created(ret: number, calls: readonly (readonly [name: string, status?: string])[]): Traffic {
  const traffic = new Traffic();
  const below = enter(traffic, 'partition:2', 'CREATE_VP', { vp_index: 1 });
  for (const [name, status] of calls) {
    hypercall(traffic, name, name === 'DEPOSIT_MEMORY' ? { partition_id: 2, gpa_page_list: [1] } : VP, {
      below,
      ...(status === undefined ? {} : { status }),
    });
  }
  return leave(traffic, below, ret);
}

test('an ioctl succeeds only with what it created', () => {
  const finding = only(created(0, [['CREATE_VP'], ['DELETE_VP']]));
  assert.deepEqual(
    [finding.id, finding.culprit, finding.at],
    ['R06:mshv:success:MSHV_CREATE_VP', { at: '3', component: 'mshv' }, '1r'],
  );
  silent(created(-12, [['CREATE_VP'], ['DELETE_VP']]));
  silent(created(0, [['CREATE_VP'], ['MAP_VP_STATE_PAGE']])); // descriptor 0 is free
  // The deletion was refused: the VP is there.
  silent(created(5, [['CREATE_VP'], ['DELETE_VP', 'INVALID_PARTITION_STATE']]));
});

test('an ioctl succeeds only if the call that does its work did', () => {
  assert.match(
    only(created(5, [['CREATE_VP', 'INVALID_VP_INDEX']])).title,
    /although HVCALL_CREATE_VP failed$/,
  );
  silent(created(-22, [['CREATE_VP', 'INVALID_VP_INDEX']]));
  // Made again after a deposit.
  silent(created(5, [['CREATE_VP', 'INSUFFICIENT_MEMORY'], ['DEPOSIT_MEMORY'], ['CREATE_VP']]));
  // A status that has another way round.
  silent(created(5, [['CREATE_VP'], ['MAP_VP_STATE_PAGE', 'INVALID_PARAMETER']]));
});

const pages = (first: number, count = 8) => ({
  target_partition_id: 2,
  target_gpa_base: first,
  source_gpa_page_list: [{ from: first, count, step: 1 }],
});

test('an errno that only a status becomes, and no call that failed', () => {
  const mapped = (ret: number, extra: { status?: string; done?: number } = {}) => {
    const traffic = new Traffic();
    const below = enter(traffic, 'partition:2', 'SET_GUEST_MEMORY', { size: 0x8000 });
    return leave(hypercall(traffic, 'MAP_GPA_PAGES', pages(1), { below, ...extra }), below, ret);
  };
  assert.match(
    only(mapped(-5)).title,
    /MSHV_SET_GUEST_MEMORY fail although HVCALL_MAP_GPA_PAGES completed all/,
  );
  for (const reason of [-12, -4, -14]) silent(mapped(reason));
  silent(mapped(-5, { status: 'ACCESS_DENIED' }));
  silent(mapped(-5, { done: 3 }));
  silent(mapped(0));
});

test('what is completed is not done once more', () => {
  const twice = (second: object, extra: object = {}) =>
    hypercall(
      hypercall(new Traffic(), 'MAP_GPA_PAGES', pages(1)),
      'MAP_GPA_PAGES',
      { ...pages(1), ...second },
      extra,
    );
  assert.deepEqual(only(twice({})).culprit, { at: '2', component: 'mshv' });
  silent(twice(pages(9)));
  silent(twice({}, { component: 'vmbus' }));
  silent(twice({}, { cpu: 1 }));
  // It was cut short, or something was done in between.
  const short = hypercall(new Traffic(), 'MAP_GPA_PAGES', pages(1), { done: 3 });
  silent(hypercall(short, 'MAP_GPA_PAGES', pages(1)));
  const between = hypercall(
    hypercall(new Traffic(), 'MAP_GPA_PAGES', pages(1)),
    'UNMAP_GPA_PAGES',
    { target_partition_id: 2 },
    { reps: 8 },
  );
  silent(hypercall(between, 'MAP_GPA_PAGES', pages(1)));
});

test('registers are read, and set to the same, again and again', () => {
  const traffic = new Traffic();
  for (let i = 0; i < 3; i++) {
    hypercall(traffic, 'GET_VP_REGISTERS', { partition_id: 2, names: [1] });
    hypercall(traffic, 'GET_PARTITION_PROPERTY', { partition_id: 2 });
  }
  silent(traffic);
});

/** Posts these messages: their connection, content and answer, and the seconds before. */
function posts(
  list: readonly (readonly [content: string, status: string, seconds: number, connection?: number])[],
): Traffic {
  const traffic = new Traffic();
  let t = 0;
  for (const [payload, status, seconds, connectionid = 4] of list) {
    t += seconds * 1_000_000_000;
    hypercall(
      traffic,
      'POST_MESSAGE',
      { connectionid, message_type: 1, payload_size: 4, payload },
      { component: 'vmbus', status },
    );
    const step = traffic.steps.pop()!;
    traffic.steps.push({ ...step, event: { ...step.event, t: t as typeof step.event.t } });
  }
  return traffic;
}

test('a message for which there is no buffer is sent until it is taken', () => {
  const full = 'INSUFFICIENT_BUFFERS';
  const finding = only(
    posts([
      ['01', full, 0],
      ['01', full, 1],
      ['02', 'SUCCESS', 8],
    ]),
  );
  assert.deepEqual([finding.culprit.at, finding.at], ['1', '3']);
  assert.match(finding.title, /after 2 tries within 1000 ms/);
  silent(
    posts([
      ['01', full, 0],
      ['01', 'SUCCESS', 8],
      ['02', 'SUCCESS', 8],
    ]),
  );
  // It may be tried again still; another connection has other buffers.
  silent(
    posts([
      ['01', full, 0],
      ['02', 'SUCCESS', 4],
    ]),
  );
  silent(
    posts([
      ['01', full, 0],
      ['02', 'SUCCESS', 8, 5],
    ]),
  );
  silent(posts([['01', full, 0]]));
  // Tried again after all.
  silent(
    posts(
      [
        ['01', full, 0],
        ['02', 'SUCCESS', 8],
        ['01', 'SUCCESS', 1],
      ].map(([a, b, c]) => [a, b, c] as [string, string, number]),
    ),
  );
});

test('the preferred connection does not exist, and the other one is tried: silent', () => {
  silent(
    posts([
      ['01', 'INVALID_CONNECTION_ID', 0],
      ['02', 'SUCCESS', 9, 1],
    ]),
  );
});

test('no memory for a message passes as well, and a connection that has taken messages is there', () => {
  const memory = only(
    posts([
      ['01', 'INSUFFICIENT_MEMORY', 0],
      ['02', 'SUCCESS', 8],
    ]),
  );
  assert.match(memory.title, /HV_STATUS_INSUFFICIENT_MEMORY/);
  const missing = 'INVALID_CONNECTION_ID';
  const throttled = only(
    posts([
      ['00', 'SUCCESS', 0],
      ['01', missing, 0],
      ['02', 'SUCCESS', 8],
    ]),
  );
  assert.deepEqual([throttled.culprit.at, throttled.at], ['2', '3']);
  // Nothing says that the connection was there when the message was sent; it was sent again; the other connection was meant.
  silent(
    posts([
      ['01', missing, 0],
      ['02', 'SUCCESS', 8],
    ]),
  );
  silent(
    posts([
      ['00', 'SUCCESS', 0],
      ['01', missing, 0],
      ['01', 'SUCCESS', 1],
      ['02', 'SUCCESS', 8],
    ]),
  );
  silent(
    posts([
      ['00', 'SUCCESS', 0, 4],
      ['01', missing, 0, 1],
      ['02', 'SUCCESS', 8, 4],
    ]),
  );
});

test('a VP whose start timed out is started again', () => {
  const starts = (...tries: readonly (readonly [vp: number, status: string])[]): Traffic => {
    const traffic = new Traffic();
    for (const [vp_index, status] of tries)
      hypercall(
        traffic,
        'START_VP',
        { partition_id: '0xffffffffffffffff', vp_index },
        { component: 'arch', status },
      );
    return traffic;
  };
  const finding = only(starts([1, 'TIME_OUT'], [2, 'SUCCESS']));
  assert.deepEqual([finding.id, finding.culprit.at, finding.at], ['R06:arch:start-timed-out', '1', '2']);
  silent(starts([1, 'TIME_OUT'], [1, 'SUCCESS'], [2, 'SUCCESS']));
  // Several tries; another failure; nothing followed; its failure is reported; events are missing.
  silent(starts([1, 'TIME_OUT'], [1, 'TIME_OUT'], [2, 'SUCCESS']));
  silent(starts([1, 'INVALID_PARAMETER'], [2, 'SUCCESS']));
  silent(starts([1, 'TIME_OUT']));
  const between = (add: (traffic: Traffic) => Traffic): Traffic => {
    const traffic = add(starts([1, 'TIME_OUT']));
    hypercall(
      traffic,
      'START_VP',
      { partition_id: '0xffffffffffffffff', vp_index: 2 },
      { component: 'arch' },
    );
    return traffic;
  };
  only(between((traffic) => traffic.life('cpu-online', { cpu: 1, phase: 'end', ret: 0 })));
  silent(between((traffic) => traffic.life('cpu-online', { cpu: 1, phase: 'end', ret: -5 })));
  silent(between((traffic) => traffic.add({ kind: 'mark', what: 'gap', lost: 1 })));
});

test('a start that fails says so', () => {
  const refused = () => posts([['01', 'INSUFFICIENT_BUFFERS', 0]]);
  const later = (traffic: Traffic) => {
    traffic.steps.push({
      ...posts([['02', 'SUCCESS', 9]]).steps[0]!,
      address: traffic.steps.at(-1)!.address,
    });
    return traffic;
  };
  only(later(refused()));
  silent(later(refused().life('component-start', { component: 'vmbus', phase: 'end', ret: -110 })));
  only(later(refused().life('component-start', { component: 'vmbus', phase: 'end', ret: 0 })));
});

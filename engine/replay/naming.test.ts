import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SIDES, scenario } from '../drivers/scenario.testing.ts';
import { replay } from './replay.ts';
import { memorySource } from './source.ts';

/** Two partitions of a program, as a recorder saw them that learns an id when a message names it. */
const LINES = [
  '{"profile":{"kernel":"upstream-7.2"}}',
  '{"t":"1us","kind":"fd","what":"open","pid":9,"tid":9,"fd":3,"handle":"device","path":"/dev/mshv","ret":3}',
  '{"t":"2us","kind":"ioctl","pid":9,"tid":9,"handle":"device","fd":3,"op":"MSHV_CREATE_PARTITION","arg":{"pt_flags":[]},"out":{"handle":"partition:?"},"ret":4}',
  '{"t":"3us","kind":"ioctl","pid":9,"tid":9,"handle":"device","fd":3,"op":"MSHV_CREATE_PARTITION","arg":{"pt_flags":[]},"out":{"handle":"partition:?"},"ret":5}',
  '{"t":"4us","kind":"ioctl","pid":9,"tid":9,"handle":"partition:?","fd":5,"op":"MSHV_INITIALIZE_PARTITION","ret":0}',
  '{"t":"5us","kind":"ioctl","pid":9,"tid":9,"handle":"partition:?","fd":4,"op":"MSHV_INITIALIZE_PARTITION","ret":0}',
  '{"t":"6us","kind":"ioctl","pid":9,"tid":9,"handle":"partition:?","fd":4,"op":"MSHV_CREATE_VP","arg":{"vp_index":0},"out":{"handle":"vp:?.0"},"ret":6}',
  '{"t":"7us","kind":"ioctl","pid":9,"tid":9,"handle":"partition:?","fd":5,"op":"MSHV_CREATE_VP","arg":{"vp_index":1},"out":{"handle":"vp:?.1"},"ret":7}',
  '{"t":"8us","kind":"fd","what":"dup","pid":9,"tid":9,"handle":"vp:?.1","fd":8,"from":7,"ret":8}',
  '{"t":"9us","kind":"fd","what":"mmap","pid":9,"tid":9,"handle":"vp:?.1","fd":8,"offset":"0x0","size":"0x1000","addr":"0x7f0000010000","ret":0}',
  '{"t":"10us","kind":"fd","what":"close","pid":9,"tid":9,"handle":"partition:?","fd":4,"ret":0}',
  '{"t":"11us","kind":"ioctl","pid":9,"tid":9,"handle":"partition:?","fd":5,"op":"MSHV_CREATE_VP","arg":{"vp_index":0},"out":{"handle":"vp:?.0"},"ret":4}',
  '{"t":"12us","kind":"fd","what":"close","pid":9,"tid":9,"handle":"vp:17.0","fd":6,"ret":0}',
  '{"t":"13us","kind":"fd","what":"close","pid":9,"tid":9,"handle":"vp:23.1","fd":7,"ret":0}',
];

test('what a descriptor stands for gives calls their ids, and the first that knows an id gives it to the partition', () => {
  const { header, stimuli } = scenario('two partitions', LINES.join('\n'));
  const steps = new Map<number, string>();
  const report = replay(memorySource(header, stimuli), SIDES, {
    observe({ event }) {
      if ('handle' in event && event.handle !== undefined && 'partition' in event.handle)
        steps.set(event.seq, `${event.handle.partition}${'vp' in event.handle ? `.${event.handle.vp}` : ''}`);
    },
  });
  assert.deepEqual([report.divergences, report.unmodelled], [[], 0]);
  assert.deepEqual(report.bound['partition-id'], 2);
  assert.deepEqual([...steps.values()], ['23', '17', '17', '23', '23.1', '23.1', '17', '23', '17.0', '23.1']);
});

test('a partition whose id nobody learns has one of the engine, and its calls are compared all the same', () => {
  const { header, stimuli } = scenario('two partitions', LINES.slice(0, -2).join('\n'));
  const report = replay(memorySource(header, stimuli), SIDES);
  assert.deepEqual([report.divergences, report.unmodelled, report.bound['partition-id']], [[], 0, undefined]);
});

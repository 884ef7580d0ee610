import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { ALL_KINDS } from '../../engine/analysis/kinds.ts';
import { SIDES, scenario } from '../../engine/drivers/scenario.testing.ts';
import { kindPath } from '../../engine/state/kind-path.ts';
import type { TraceEvent } from '../../engine/trace/event.ts';
import { seqOf, timeNs } from '../../engine/trace/position.ts';
import { isProblem, openTrace, TraceWriter } from '../store/index.ts';
import { scratch } from '../store/scratch.testing.ts';
import { FollowedRing } from './followed.ts';

const folder = scratch();

/** A partition whose id the recorder learns with a message of its VP: only then do its calls name it. */
const LINES = [
  '{"profile":{"kernel":"upstream-7.2"}}',
  '{"t":"1us","kind":"fd","what":"open","pid":9,"tid":9,"fd":3,"handle":"device","path":"/dev/mshv","ret":3}',
  '{"t":"2us","kind":"ioctl","pid":9,"tid":9,"handle":"device","fd":3,"op":"MSHV_CREATE_PARTITION","arg":{"pt_flags":[]},"out":{"handle":"partition:?"},"ret":4}',
  '{"t":"3us","kind":"ioctl","pid":9,"tid":9,"handle":"partition:?","fd":4,"op":"MSHV_INITIALIZE_PARTITION","ret":0}',
  '{"t":"4us","kind":"ioctl","pid":9,"tid":9,"handle":"partition:?","fd":4,"op":"MSHV_CREATE_VP","arg":{"vp_index":0},"out":{"handle":"vp:?.0"},"ret":6}',
  '{"t":"5us","kind":"fd","what":"mmap","pid":9,"tid":9,"handle":"vp:77.0","fd":6,"offset":"0x0","size":"0x1000","addr":"0x7f0000010000","ret":0}',
];

test('an id that is learnt late is that of the partition in the state with which the ring starts', () => {
  const { header, stimuli } = scenario('late', LINES.join('\n'));
  const ring = new FollowedRing({ kind: 'events', most: 100 }, header.profile, SIDES);
  for (const event of stimuli) {
    if (event.kind !== 'ioctl') {
      ring.append(event);
      continue;
    }
    const { out, ret, ...entry } = event;
    ring.begin({ ...entry, ret: null });
    ring.complete(event.seq, { ret: ret as number, ...(out === undefined ? {} : { out }) });
  }
  for (let seq = stimuli.length + 1; seq < 600; seq++) {
    const mark = { kind: 'mark', what: 'note', text: 'and on', provenance: 'observed' } as const;
    ring.append({ ...mark, seq: seqOf(seq), t: timeNs(seq * 10_000) } satisfies TraceEvent);
  }
  const path = join(folder, 'late.hvtrace');
  const writer = TraceWriter.create(path, header);
  if (isProblem(writer)) assert.fail(writer.text);
  ring.writeTo(writer);
  writer.close();
  const trace = openTrace(path);
  if (isProblem(trace)) assert.fail(trace.text);
  const kinds = new Map(ALL_KINDS.map((kind) => [kindPath(kind), kind]));
  const start = trace.origin((kind) => kinds.get(kind));
  trace.close();
  const keys = start?.tables.objects
    .slice()
    .filter(({ kind }) => kindPath(kind) === 'partition')
    .map(({ key }) => key);
  assert.deepEqual(keys, [1, 77]);
});

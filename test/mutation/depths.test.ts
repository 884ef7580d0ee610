/**
 * Replay of every depth: a recording of which less is seen replays without a divergence, from its start and from any of
 * its stimuli on as the recording of a machine that was up already. Where it does not, it stands here: the list may only
 * become shorter.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { replay } from '../../engine/replay/replay.ts';
import { SIDES } from '../../main/cli/sides.ts';
import { type Recording, recordings, sourceOf } from './corpus.ts';
import { DEPTHS, midLife } from './depths.ts';
import { treesOf } from './order.ts';

/** Depths at which nothing shows what the drivers found when they began. */
const MID_LIFE = [
  'stimuli alone',
  'calls of programs alone',
  'hypercalls alone',
  'MSRs alone',
  'hypercalls and MSRs',
  'messages and MSRs',
];

const OPEN: readonly string[] = [
  // What a call below an ioctl that is not seen to end, or whose cause is not seen, came to is taken for another's.
  '03b-statistics: calls and hypercalls',
  '05a-calls-finished-at-once: calls and hypercalls',
  '05a-calls-finished-at-once: hypercalls alone',
  '05a-calls-finished-at-once: hypercalls alone, mid-life',
  '05a-calls-finished-at-once: hypercalls and MSRs, mid-life',
  '05b-calls-finished-later: calls and hypercalls',
  '05b-calls-finished-later: hypercalls alone',
  '05b-calls-finished-later: stimuli alone',
  // A stop of the VP that is not seen.
  '06-virtual-processor: calls and hypercalls',
  '11-driver-of-2020: calls and hypercalls',
  // That the program agreed on a version before is not known, and taken for not having happened.
  '11-driver-of-2020: calls of programs alone, mid-life',
  '11-driver-of-2020: stimuli alone, mid-life',
  // Whether SCONTROL was on decides whether a write faults, and is not known.
  'cpu5-of-8: MSRs alone, mid-life',
  'cpu5-of-8: hypercalls and MSRs, mid-life',
  'cpu5-of-8: messages and MSRs, mid-life',
  // So does the page that the hypervisor provided.
  'root-assist-page: MSRs alone, mid-life',
  'root-assist-page: hypercalls and MSRs, mid-life',
  'root-assist-page: messages and MSRs, mid-life',
  'root-assist-page: stimuli alone, mid-life',
  'teardown-l1vh-kexec-before: MSRs alone, mid-life',
  'teardown-l1vh-kexec-before: hypercalls and MSRs, mid-life',
  'teardown-l1vh-kexec-before: messages and MSRs, mid-life',
];

const diverges = (recording: Recording) => replay(sourceOf(recording, recording.events), SIDES).diverged > 0;

test('what less is seen of diverges no more', () => {
  const found = new Set<string>();
  for (const recording of recordings()) {
    const { name, events } = recording;
    for (const depth of DEPTHS) {
      if (diverges({ ...recording, events: depth.seen(events) })) found.add(`${name}: ${depth.name}`);
      if (!MID_LIFE.includes(depth.name)) continue;
      for (let from = 0; from < treesOf(events).length; from++) {
        if (diverges(midLife(recording, depth, from))) found.add(`${name}: ${depth.name}, mid-life`);
      }
    }
  }
  assert.deepEqual([...found].sort(), OPEN);
});

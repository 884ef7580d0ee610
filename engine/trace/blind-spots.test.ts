import assert from 'node:assert/strict';
import { test } from 'node:test';
import { blindSpots, DepthCounter, type TraceDepth } from './blind-spots.ts';
import { type GivenProfile, parseProfile } from './profile-read.ts';
import { EventLineReader } from './text/index.ts';

function profileOf(given: GivenProfile) {
  const read = parseProfile(given);
  assert.ok('profile' in read);
  return read.profile;
}

function depthOf(...lines: string[]): TraceDepth {
  const reader = new EventLineReader(profileOf({}));
  const counter = new DepthCounter();
  for (const line of lines) {
    const read = reader.next(line);
    assert.ok('event' in read, line);
    counter.add(read.event);
  }
  return counter.depth;
}

const unknown = profileOf({ kernel: 'unknown', initial: 'unknown' });
const questions = (depth: TraceDepth, profile = unknown): string[] =>
  blindSpots(profile, depth).map(({ question }) => question);

test('a trace of system calls alone says nothing of arguments, hypercalls and registers', () => {
  const depth = depthOf('{"t":"0","kind":"ioctl","handle":"vp:?.?","op":"MSHV_RUN_VP","ret":0}');
  assert.deepEqual(questions(depth), [
    'what the state was before the recording',
    'what the ioctls asked for',
    'why VPs stopped and what calls gave back',
    'which partition and VP a handle is',
    'which hypercalls were made',
    'who wrote a register of the SynIC',
    'what messages the SynIC delivered',
  ]);
});

test('reads of the SynIC without a write are said to be no proof', () => {
  const read = '{"t":"0","kind":"msr","dir":"read","cpu":0,"msr":"HV_X64_MSR_SINT2","value":"0x10000"}';
  const write = '{"t":"0","kind":"msr","dir":"write","msr":"HV_X64_MSR_SINT2","value":"0x10000"}';
  const other = '{"t":"0","kind":"msr","dir":"write","cpu":0,"msr":"HV_X64_MSR_EOM","value":"0x0"}';
  const question = 'what was written to the SynIC';
  assert.ok(questions(depthOf(read)).includes(question));
  assert.ok(!questions(depthOf(read, write)).includes(question));
  assert.ok(questions(depthOf(read, write)).includes('on which CPU a register was accessed'));
  assert.ok(!questions(depthOf(read, other)).includes('on which CPU a register was accessed'));
});

test('where the kernel is known its side is derived; without detail only kinds are judged', () => {
  const ioctl =
    '{"t":"0","kind":"ioctl","handle":"partition:2","op":"MSHV_CREATE_VP","arg":{"vp_index":0},"ret":3}';
  const known = profileOf({});
  assert.deepEqual(questions(depthOf(ioctl), known), ['why VPs stopped and what calls gave back']);
  assert.deepEqual(questions({ kinds: { ioctl: 1 } }, known), []);
  assert.deepEqual(questions({ kinds: { hypercall: 1, msr: 2 } }), [
    'what the state was before the recording',
    'what a VMM asked of the driver',
    'what messages the SynIC delivered',
  ]);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { HypercallEvent, IoctlEvent, MessageEvent, MsrEvent, TraceEvent } from '../event.ts';
import { at, type Seq } from '../position.ts';
import {
  EventLineReader,
  formatEvent,
  formatHeader,
  parseEventLine,
  parseHeader,
  type TextProblem,
  textContext,
} from './index.ts';

const HEADER =
  '{"profile":{"kernel":"upstream-7.0","role":"l1vh"},"expect":{"findings":[{"rule":"R01","component":"mshv","at":"812.3"}]}}';

const read = parseHeader(HEADER);
assert.ok('header' in read);
const { header } = read;
const context = textContext(header.profile);

function problemOf(line: string, number = 5): TextProblem {
  const parsed = parseEventLine(line, number, {
    ...context,
    seq: (number - 1) as Seq,
    after: 10_000 as MsrEvent['t'],
  });
  assert.ok('problem' in parsed, line);
  return parsed.problem;
}

function eventsOf(...lines: string[]): TraceEvent[] {
  const reader = new EventLineReader(header.profile);
  return lines.map((line) => {
    const next = reader.next(line);
    assert.ok('event' in next, 'problem' in next ? next.problem.message : '');
    return next.event;
  });
}

function eventOf<E extends TraceEvent>(line: string): E {
  return eventsOf(line)[0] as E;
}

test('a header comes back as it was given', () => {
  assert.equal(formatHeader(header), HEADER);
  assert.equal(header.profile.synicOwnership, 'before');
  assert.deepEqual(header.expect?.findings[0], { rule: 'R01', component: 'mshv', at: at(812, 3) });
  for (const line of [
    '{"profile":{}}',
    '{"profile":{"cpus":"0x2","pool":{"vp":1}},"expect":{"findings":[]}}',
  ]) {
    const parsed = parseHeader(line);
    assert.ok('header' in parsed);
    assert.equal(formatHeader(parsed.header), line);
  }
});

test('a wrong header is named by column', () => {
  const cases: [string, number, RegExp][] = [
    ['', 1, /JSON value/],
    ['[]', 1, /an object/],
    ['{}', 1, /expected the key "profile"/],
    ['{"t":"0","kind":"mark","what":"note"}', 2, /unknown key "t"; expected one of profile expect/],
    ['{"profile":{"kernal":"vtl"}}', 13, /unknown key "kernal"/],
    ['{"profile":{"kernel":"linux"}}', 22, /^profile.kernel: expected upstream-7.2/],
    ['{"profile":{},"expect":[]}', 24, /^expect: expected an object/],
    ['{"profile":{},"expect":{}}', 24, /expected the key "findings"/],
    ['{"profile":{},"expect":{"findings":[{"rule":"R01"}]}}', 37, /expected the key "component"/],
    [
      '{"profile":{},"expect":{"findings":[{"rule":"R01","component":"mshv","at":"x"}]}}',
      75,
      /a position such as/,
    ],
  ];
  for (const [line, column, message] of cases) {
    const parsed = parseHeader(line);
    assert.ok('problem' in parsed, line);
    assert.match(parsed.problem.message, message, line);
    assert.deepEqual([parsed.problem.line, parsed.problem.column], [1, column], line);
  }
});

test('what does not belong in a line is named by line and column', () => {
  const cases: [string, string, RegExp][] = [
    ['{"t":"1s","kind":"msr"', '', /expected "," or "}"/],
    ['[]', '[', /expected an object/],
    ['{"kind":"kexec","t":"1s"}', '"kexec"', /^kind: expected ioctl, hypercall, msr,/],
    ['{"t":"1s"}', '{', /expected the key "kind"/],
    ['{"kind":"mark","what":"note"}', '{', /expected the key "t"/],
    ['{"t":"9us","kind":"mark","what":"note"}', '"9us"', /from "10us" on, .* found "9us"/],
    ['{"t":"1","kind":"mark","what":"note"}', '"1"', /a time such as/],
    ['{"t":1,"kind":"mark","what":"note"}', '1,', /a time such as/],
    ['{"t":"1s","kind":"mark","what":"note","seq":5}', '5}', /^seq: expected 4, which/],
    ['{"t":"1s","kind":"mark","what":"note","parent":4}', '4}', /an event on an earlier line/],
    ['{"t":"1s","kind":"mark","what":"note","parent":0}', '0}', /an event on an earlier line/],
    ['{"t":"1s","kind":"mark","what":"say"}', '"say"', /note, gap, queue/],
    [
      '{"t":"1s","kind":"mark","what":"note","cpus":1}',
      '"cpus"',
      /unknown key "cpus"; expected one of t seq/,
    ],
    ['{"t":"1s","kind":"mark","what":"note","cpu":-1}', '-1', /from 0 to 4294967295/],
    ['{"t":"1s","kind":"mark","what":"note","cpu":"x"}', '"x"', /found "x"/],
    ['{"t":"1s","kind":"mark","what":"note","vp":"2"}', '"2"', /a VP such as/],
    ['{"t":"1s","kind":"mark","what":"note","provenance":"seen"}', '"seen"', /observed, emulated/],
    ['{"t":"1s","kind":"mark","what":"note","position":"4.1"}', '"position"', /unknown key/],
    ['{"t":"1s","kind":"msr","dir":"write","msr":"SIMPP"}', '"SIMPP"', /an MSR such as/],
    ['{"t":"1s","kind":"msr","dir":"write"}', '{', /expected the key "msr"/],
    ['{"t":"1s","kind":"msr","dir":"write","msr":"SIMP","value":"1ff"}', '"1ff"', /below 2\^64/],
    ['{"t":"1s","kind":"msr","dir":"read","msr":"SIMP","fault":1}', '1}', /true or false/],
    ['{"t":"1s","kind":"lifecycle","what":"kexec","phase":"start"}', '"start"', /begin or end/],
    ['{"t":"1s","kind":"intercept","type":"HVMSG_X64_HALT"}', '{', /expected the key "vp"/],
    ['{"t":"1s","kind":"hypercall","input":{}}', '{"t"', /expected the key "code"/],
    ['{"t":"1s","kind":"hypercall","code":"CREATE_VPS"}', '"CREATE_VPS"', /a hypercall such as/],
    ['{"t":"1s","kind":"hypercall","code":"CREATE_VP","input":{"vp":1}}', '1}', /^input.vp: .*partition_id/],
    [
      '{"t":"1s","kind":"hypercall","code":"CREATE_VP","input":{"vp_index":"0x100000000"}}',
      '"0x100000000"',
      /32 bits/,
    ],
    [
      '{"t":"1s","kind":"hypercall","code":"CREATE_VP","result":{"status":"HV_OK"}}',
      '"HV_OK"',
      /^result.status: expected a status/,
    ],
    ['{"t":"1s","kind":"hypercall","code":"CREATE_VP","result":{"state":0}}', '"state"', /unknown key/],
    ['{"t":"1s","kind":"ioctl","handle":"vp","op":"MSHV_RUN_VP"}', '"vp"', /a handle such as/],
    [
      '{"t":"1s","kind":"ioctl","handle":"vp:2.0","op":"MSHV_CREATE_VP"}',
      '"MSHV_CREATE_VP"',
      /of upstream on a vp/,
    ],
    [
      '{"t":"1s","kind":"ioctl","handle":"device","op":"0x1b800","arg":{}}',
      '{}',
      /nothing is known of this call/,
    ],
    ['{"t":"1s","kind":"ioctl","handle":"vp:2.0","op":"RUN_VP","ret":"ok"}', '"ok"', /whole number/],
    ['{"t":"1s","kind":"page","what":"write","page":"ram","fields":{}}', '{}', /no known fields/],
    ['{"t":"1s","kind":"page","what":"write","page":"ram","bytes":{"0x0":"0"}}', '"0"', /two digits each/],
    ['{"t":"1s","kind":"page","what":"write","page":"ram","bytes":{"0":"00","0x0":"00"}}', '"0x0"', /twice/],
  ];
  for (const [line, place, message] of cases) {
    const problem = problemOf(line);
    assert.match(problem.message, message, line);
    assert.equal(problem.line, 5);
    const column = place === '' ? line.length : line.lastIndexOf(place);
    assert.equal(problem.column, column + 1, `${line}: ${problem.message}`);
  }
});

test('a reader takes other names and forms, a writer has one', () => {
  const same: [string, string][] = [
    [
      '{"kind":"msr","msr":"0x40000083","t":"1000ns","seq":1,"dir":"write","value":"19087361"}',
      '{"t":"1us","kind":"msr","dir":"write","msr":"HV_X64_MSR_SIMP","value":"0x1234001"}',
    ],
    [
      '{"t":"0ns","kind":"msr","dir":"write","cpu":"0x1","msr":"SINT2","value":65536,"fault":false}',
      '{"t":"0","kind":"msr","dir":"write","cpu":1,"msr":"HV_X64_MSR_SINT2","value":"0x10000","fault":false}',
    ],
    [
      '{"t":"0","kind":"msr","dir":"write","msr":"EOM","provenance":"observed"}',
      '{"t":"0","kind":"msr","dir":"write","msr":"HV_X64_MSR_EOM","value":"0x0","provenance":"observed"}',
    ],
    [
      '{"t":"0","kind":"hypercall","code":64,"result":{}}',
      '{"t":"0","kind":"hypercall","code":"HVCALL_CREATE_PARTITION","result":{"status":"HV_STATUS_SUCCESS"}}',
    ],
    ['{"t":"0","kind":"hypercall","code":"0xfff0"}', '{"t":"0","kind":"hypercall","code":"0xfff0"}'],
    [
      '{"t":"0","kind":"ioctl","handle":"device:1","op":"0x4010b800","ret":"-22"}',
      '{"t":"0","kind":"ioctl","handle":"device","op":"MSHV_CREATE_PARTITION","ret":-22}',
    ],
  ];
  for (const [given, canonical] of same) {
    const event = eventOf(given);
    assert.equal(formatEvent(event, context), canonical);
    assert.deepEqual(eventOf(canonical), event);
  }
});

test('fault says nothing on what was written by hand and false elsewhere, unless it is given', () => {
  const line = (rest: string): MsrEvent => eventOf(`{"t":"0","kind":"msr","dir":"read","msr":"EOM"${rest}}`);
  assert.equal(line('').fault, undefined);
  assert.equal(line(',"provenance":"observed"').fault, false);
  assert.equal(line(',"provenance":"observed","fault":null').fault, undefined);
  assert.equal(line(',"fault":true').fault, true);
  assert.equal(line('').value, undefined);
});

test('an answer that is not there, one that never came, and one that came', () => {
  const ioctl = (rest: string): IoctlEvent =>
    eventOf(`{"t":"0","kind":"ioctl","handle":"vp:2.0","op":"RUN_VP"${rest}}`);
  assert.equal('ret' in ioctl(''), false);
  assert.equal(ioctl(',"ret":null').ret, null);
  assert.equal(ioctl(',"ret":0').ret, 0);
});

test('the rep count and the variable header follow from the input', () => {
  const control = (line: string): bigint => eventOf<HypercallEvent>(line).control;
  const deposit =
    '{"t":"0","kind":"hypercall","code":"DEPOSIT_MEMORY","input":{"partition_id":"0x2","gpa_page_list":[{"from":"0x100","count":8}]}';
  assert.equal(control(`${deposit}}`), 0x8_0000_0048n);
  assert.equal(control(`${deposit},"reps":3,"start":1}`), 0x1_0003_0000_0048n);
  assert.equal(control(`${deposit},"control":"0xf000000000000048"}`), 0xf000_0000_0000_0048n);
  const event = eventOf<HypercallEvent>(`${deposit}}`);
  assert.equal(event.input?.length, 8 + 8 * 8);
  assert.equal(
    formatEvent(event, context),
    '{"t":"0","kind":"hypercall","code":"HVCALL_DEPOSIT_MEMORY","reps":8,"input":{"partition_id":"0x2","gpa_page_list":[{"from":"0x100","count":8,"step":1}]}}',
  );
});

test('an exit of a VP carries its message', () => {
  const line =
    '{"t":"30us","kind":"ioctl","pid":100,"tid":101,"handle":"vp:2.0","op":"MSHV_RUN_VP","out":{"type":"HVMSG_X64_HALT","payload":{}},"ret":0,"tEnd":"38us"}';
  const event = eventOf<IoctlEvent>(line);
  const data = event.out?.data;
  assert.equal(data?.length, 256);
  // Type, and the payload's size of struct hv_x64_halt_message.
  assert.deepEqual([...(data ?? []).slice(0, 5)], [0x07, 0x00, 0x01, 0x80, 40]);
  assert.equal(event.tEnd, 38_000);
  assert.equal(formatEvent(event, context), line);
});

test('a slot is written as a message', () => {
  const event = eventOf<MessageEvent>(
    '{"t":"0","kind":"message","what":"deliver","cpu":0,"sint":5,"slot":{"message_type":"HVMSG_SYNIC_SINT_INTERCEPT","payload_size":4,"message_flags":{"msg_pending":1},"payload":{"sint_index":5}}}',
  );
  assert.equal(event.slot?.[5], 1);
  assert.equal(event.slot?.[16], 5);
  const cleared = eventOf<MessageEvent>(
    '{"t":"0","kind":"message","what":"clear","flags":{"msg_pending":1}}',
  );
  assert.deepEqual([cleared.sint, cleared.flags], [0, 1]);
});

test('a position is written where it is asked for', () => {
  const event = eventOf('{"t":"0","kind":"mark","what":"note"}');
  const text = (options: Parameters<typeof formatEvent>[2]): string => formatEvent(event, context, options);
  assert.equal(
    text({ position: at(7), parent: at(3) }),
    '{"t":"0","seq":7,"parent":3,"kind":"mark","what":"note"}',
  );
  assert.equal(
    text({ position: at(7, 2), parent: at(7, 1) }),
    '{"t":"0","position":"7.2","parent":"7.1","kind":"mark","what":"note"}',
  );
});

test('numbers, times and parents go on from line to line', () => {
  const events = eventsOf(
    '{"t":"0","kind":"lifecycle","what":"component-start","component":"vmbus"}',
    '{"t":"1us","seq":2,"parent":1,"kind":"msr","dir":"write","cpu":0,"component":"vmbus","msr":"SIMP","value":"0x1"}',
    '{"t":"1us","kind":"lifecycle","what":"kexec"}',
  );
  assert.deepEqual(
    events.map((event) => [event.seq, event.t, event.parent]),
    [
      [1, 0, undefined],
      [2, 1000, 1],
      [3, 1000, undefined],
    ],
  );
  const reader = new EventLineReader(header.profile);
  reader.next('{"t":"5us","kind":"lifecycle","what":"kexec"}');
  const next = reader.next('{"t":"4us","kind":"lifecycle","what":"kexec"}');
  assert.ok('problem' in next);
  assert.deepEqual([next.problem.line, next.problem.column], [3, 6]);
});

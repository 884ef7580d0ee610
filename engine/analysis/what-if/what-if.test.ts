import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { played, SIDES, scenario } from '../../drivers/scenario.testing.ts';
import { memorySource } from '../../replay/source.ts';
import { formatEvent, textContext } from '../../trace/text/index.ts';
import { type Edit, formatEdit, parseEdit } from './edit.ts';
import { type Original, originalOf } from './original.ts';
import { suggest } from './suggest.ts';
import { type WhatIf, whatIf } from './what-if.ts';

const SAMPLES = join(import.meta.dirname, '../../../samples');

function originalFrom(file: string, recorded: boolean): Original {
  const from = scenario(file, readFileSync(join(SAMPLES, file), 'utf8'));
  const events = recorded ? played(from, from.header.profile).events : from.stimuli;
  return originalOf(memorySource(from.header, events), SIDES);
}

function edit(text: string): Edit {
  const read = parseEdit(text);
  assert.ok('edit' in read, 'problem' in read ? read.problem : '');
  return read.edit;
}

function result(original: Original, ...edits: string[]): WhatIf {
  const made = whatIf(original, edits.map(edit));
  assert.ok(!('problem' in made), 'problem' in made ? made.problem : '');
  return made;
}

function refused(original: Original, ...edits: string[]): string {
  const made = whatIf(original, edits.map(edit));
  assert.ok('problem' in made);
  return made.problem;
}

const KEXEC = 'scenarios/teardown-l1vh-kexec-before.hvtrace.ndjson';
const kexec = originalFrom(KEXEC, true);
const R01 = 'R01:mshv:off:vmbus';
/** Position of the first event whose line holds these words. */
function find(original: Original, ...words: string[]): number {
  const context = textContext(original.source.header.profile);
  for (const event of original.source.range(1, original.source.count)) {
    const line = formatEvent(event, context);
    if (words.every((word) => line.includes(word))) return event.seq;
  }
  return assert.fail(`no event with ${words.join(' ')}`);
}

describe('what-if', () => {
  const stop = find(kexec, 'component-stop', '"mshv"');
  const vmbusStop = find(kexec, 'component-stop', '"vmbus"');
  const refusedWrite = find(kexec, 'SINT2', '0x300f3', '"vmbus"', '"cpu":0');

  test('an edit that changes nothing changes nothing', () => {
    const { findings, answers, state, edits } = result(kexec, 'set 1.note=nothing');
    assert.deepEqual(edits, ['set 1.note=nothing']);
    assert.deepEqual(findings.after, findings.before);
    assert.deepEqual([findings.added, findings.removed, answers, state], [[], [], [], []]);
  });

  test('without edits every sample comes out as it was, recorded or derived', () => {
    for (const recorded of [true, false]) {
      for (const name of ['init-error-l1vh-before', 'teardown-l1vh-offline-before', 'vmbus-channel-l1vh']) {
        const original = originalFrom(`scenarios/${name}.hvtrace.ndjson`, recorded);
        const { findings, answers, state } = result(original);
        assert.deepEqual([findings.added, findings.removed, answers, state], [[], [], [], []], name);
      }
    }
  });

  test('without edits a guest that runs comes out as it did: its calls, their hypercalls, its stops', () => {
    const original = originalFrom('../engine/app/corpus/guest.hvtrace.ndjson', true);
    const { findings, answers, state } = result(original);
    assert.deepEqual([findings.added, findings.removed, answers, state], [[], [], [], []]);
  });

  test('a step of a life cycle that is moved takes its writes along, and what followed from them is worked out anew', () => {
    const { findings, answers, state } = result(kexec, `move ${stop} after ${vmbusStop}`);
    assert.deepEqual(
      findings.removed.map(({ id }) => id),
      [R01],
    );
    assert.deepEqual(findings.after, []);
    const refusal = answers.find(({ at }) => at === String(refusedWrite));
    assert.deepEqual([refusal?.before, refusal?.after], ['#GP', 'done']);
    // The SynIC is off by then: now it is mshv whose writes are refused.
    const own = answers.find(({ at }) => at === String(find(kexec, 'SINT0', '0x300f3', '"mshv"')));
    assert.deepEqual([own?.before, own?.after], ['done', '#GP']);
    assert.ok(state.some(({ path, after }) => path === 'cpu[0].synic.sint[2]' && after === '0x300f3'));
    assert.ok(!state.some(({ path }) => path.startsWith('driver.') || path === 'system.kexec'));
  });

  test('a dropped write does not happen; who made it goes on as before', () => {
    const off = find(kexec, 'SCONTROL', '"0x0"', '"mshv"', '"cpu":0');
    const { findings, answers } = result(kexec, `drop ${off}`);
    assert.deepEqual(
      findings.after.map(({ id, culprit }) => [id, culprit.at]),
      [[R01, findings.before[0]?.culprit.at]],
    );
    assert.ok(!answers.some(({ at }) => at === String(off)));
    assert.ok(answers.some(({ at, after }) => at === String(refusedWrite) && after === 'done'));
  });

  test('another kernel does other things: what it does not do any more is said', () => {
    const { findings, answers } = result(kexec, 'profile synicOwnership=merged');
    assert.deepEqual(findings.after, []);
    const off = find(kexec, 'SCONTROL', '"0x0"', '"mshv"', '"cpu":0');
    assert.deepEqual(
      answers.find(({ at }) => at === String(off)),
      { at: String(off), before: 'done', after: null },
    );
  });

  test('positions go on naming the events of the trace as it was', () => {
    const { findings } = result(
      kexec,
      `insert before 2 '{"kind":"mark","what":"note","text":"x"}'`,
      'drop 2',
    );
    assert.deepEqual(findings.after, findings.before);
    const added = result(
      kexec,
      `insert after ${find(kexec, 'component-start', '"phase":"end"', '"mshv"')} '{"kind":"msr","dir":"write","cpu":0,"component":"mshv","msr":"HV_X64_MSR_SINT2","value":"0x300f3"}'`,
    ).findings.after[0];
    assert.equal(added?.culprit.at, '+1');
  });

  test('events that were derived can be changed too', () => {
    const derived = originalFrom(KEXEC, false);
    const { findings } = result(derived);
    const culprit = findings.before[0]?.culprit.at ?? '';
    assert.match(culprit, /^4\.[0-9]+$/);
    const { findings: after, answers } = result(derived, `drop ${culprit}`);
    assert.notEqual(after.after[0]?.culprit.at, culprit);
    assert.ok(answers.length > 0);
  });

  test('what cannot be done is one line: what, where, what to do', () => {
    assert.match(
      refused(kexec, 'drop 999'),
      /^edit "drop 999": the trace has no event 999; its last is [0-9]+$/,
    );
    assert.match(refused(kexec, 'drop 2', 'drop 2'), /2 is gone by an edit before this one/);
    assert.match(refused(kexec, `move ${stop} after ${stop + 1}`), /happens below/);
    assert.match(refused(kexec, 'set 2.msr=NONSENSE'), /edit "set 2\.msr=NONSENSE": .*expected/);
    assert.match(refused(kexec, 'set 2.t=5'), /t cannot be set; move the event/);
    assert.match(refused(kexec, 'profile cpus=many'), /expected/);
    assert.match(refused(kexec, 'profile nothing=1'), /expected key=value/);
    assert.match(refused(kexec, "insert before 2 '{}'"), /kind/);
    for (const text of [
      '',
      'drop',
      'drop x',
      'drop 5r',
      'drop 0',
      'move 1 2',
      'set 5=1',
      'insert 5 {}',
      'profile x',
    ]) {
      const read = parseEdit(text);
      assert.ok('problem' in read, text);
      assert.ok(!read.problem.includes('\n'));
    }
  });

  test('an edit is printed as it is read', () => {
    for (const text of [
      'drop 4.33',
      'move 62 after 88',
      'set 9.value=0x1',
      'set 9.arg.flags=["WRITABLE"]',
      'profile cpus=2',
    ]) {
      assert.equal(formatEdit(edit(text)), text);
    }
  });
});

describe('suggestions', () => {
  function suggested(original: Original): string[] | undefined {
    const [finding] = original.findings;
    assert.ok(finding !== undefined);
    const edits = suggest(original, finding);
    if (edits === undefined) return undefined;
    const { findings } = result(original, ...edits.map(formatEdit));
    assert.ok(!findings.after.some(({ id }) => id === finding.id), 'the finding is gone');
    assert.deepEqual(findings.added, [], 'and no other came');
    return edits.map(formatEdit);
  }

  test('the tear-down in the wrong order is put into the right one', () => {
    const edits = suggested(kexec);
    assert.equal(edits?.length, 1);
    assert.match(edits?.[0] ?? '', /^move [0-9]+ (before|after) [0-9]+$/);
    assert.deepEqual(suggested(kexec), edits);
  });

  test('a reserved field is set to zero, a page is switched off, one event does what two did', () => {
    const bug = (name: string): string[] | undefined =>
      suggested(originalFrom(`bugs/${name}/buggy.hvtrace.ndjson`, false));
    assert.deepEqual(bug('B10-input-not-zeroed'), [
      'set 2.input.partition_creation_properties.disabled_processor_xsave_features.reserved1=0',
    ]);
    assert.match(
      bug('B35-kexec-assist-page')?.[0] ?? '',
      /^insert before 11 '.*VP_ASSIST_PAGE","value":"0x5000000"\}'$/,
    );
    assert.deepEqual(bug('B01-synic-shared-disable'), ['set 11.value=0x1']);
  });

  test('what a developer would do comes before what merely hides a mistake', () => {
    const bug = (name: string): string[] | undefined =>
      suggested(originalFrom(`bugs/${name}/buggy.hvtrace.ndjson`, false));
    // The frame that was read stays; the call comes before the page goes; it goes on behind what was completed.
    assert.deepEqual(bug('B02-root-assist-page-relocated'), ['set 2.value=0x104000001']);
    assert.deepEqual(bug('B03-hypercall-after-page-off'), ['move 5 before 3']);
    assert.deepEqual(bug('B14-progress-by-what-was-asked-for'), ['set 6.input.hv_gpa_page_number=0x1028']);
    // To another pool, and not without the call that was refused.
    assert.deepEqual(bug('B40-deposit-goes-to-the-guest'), ['set 7.input.partition_id=0xffffffffffffffff']);
    // A call does not hide behind the guest's failure that shows it, nor behind a look at a page.
    assert.deepEqual(bug('B52-timer-mode-advertised'), ['drop 6']);
    assert.deepEqual(bug('B47-synic-pages-zeroed-on-restore'), ['drop 2']);
  });

  test('where one edit is not enough, each is one that is needed', () => {
    const original = originalFrom('scenarios/init-error-l1vh-before.hvtrace.ndjson', false);
    const edits = suggested(original) ?? assert.fail('nothing was found');
    assert.ok(edits.length > 1);
    const finding = original.findings[0]?.id;
    for (const left of edits) {
      const { findings } = result(original, ...edits.filter((each) => each !== left));
      assert.ok(
        findings.after.some(({ id }) => id === finding),
        `${left} is not needed`,
      );
    }
  });
});

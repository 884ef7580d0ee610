import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findingToJson } from './finding.ts';
import { interceptMessage } from './intercept-message.ts';
import { hypercall, type Line, told } from './told.testing.ts';
import { judge } from './traffic.testing.ts';
import { memoryExit, RUN } from './vp-exits.testing.ts';

function findings(...lines: readonly Line[]) {
  return judge(told({ role: 'root' }, lines), [interceptMessage]).map(findingToJson);
}
function silent(...lines: readonly Line[]): void {
  assert.deepEqual(findings(...lines), []);
}

const [READ, WRITE, EXECUTE] = [0, 1, 2];
const PAIR = { gva_valid: 1, gva_gpa_valid: 1 };
const NO_PAIR = { gva_valid: 1 };
const fault = (access: number, info: object, gva = '0x7f0014', gpa = '0x5014'): Line[] => [
  RUN,
  memoryExit(1, access, info, gva, gpa),
];
const VP = { partition_id: 2, vp_index: 0 };
const translate = (page: string, flags: number, to = '0x9'): Line =>
  hypercall(
    'TRANSLATE_VIRTUAL_ADDRESS',
    { ...VP, gva_page: page, control_flags: flags },
    { output: { gpa_page: to } },
  );
const read = (gpa: string, bytes = 4): Line =>
  hypercall('READ_GPA', { ...VP, base_gpa: gpa, byte_count: bytes });

test('memory is accessed through a pair that is none', () => {
  const [finding] = findings(...fault(READ, NO_PAIR), read('0x5014'), read('0x5018'));
  assert.equal(finding?.id, 'R21:mshv:pair');
  assert.deepEqual(finding?.evidence, ['1r', '2']);
  silent(...fault(READ, PAIR), read('0x5014'));
  silent(...fault(READ, NO_PAIR), translate('0x7f0', 1), read('0x9014'));
  silent(...fault(READ, NO_PAIR), read('0x6014'));
  // Code that lies in the same page was translated.
  silent(...fault(READ, NO_PAIR), translate('0x401', 4, '0x5'), read('0x5020'));
  silent(...fault(READ, {}), read('0x5014'));
});

test('a device is emulated by the physical address alone', () => {
  silent(...fault(WRITE, NO_PAIR), hypercall('SET_VP_REGISTERS', { ...VP, elements: [] }));
});

test('an instruction fetch is validated for EXECUTE', () => {
  const fetch = fault(EXECUTE, PAIR, '0x401000', '0x8000');
  assert.equal(findings(...fetch, translate('0x401', 3))[0]?.id, 'R21:mshv:access');
  silent(...fetch, translate('0x401', 4));
  silent(...fetch, translate('0x401', 0));
  silent(...fetch, translate('0x401', 4), translate('0x401', 1), translate('0x7f0', 3));
  silent(...fault(READ, PAIR), translate('0x7f0', 3));
});

test('the offset in the page is that of the virtual address', () => {
  const found = findings(...fault(WRITE, PAIR), translate('0x7f0', 2), read('0x9000'));
  assert.equal(found[0]?.id, 'R21:mshv:offset');
  silent(...fault(WRITE, PAIR), translate('0x7f0', 2), read('0x9014'));
  silent(...fault(WRITE, PAIR, '0x7f0000'), translate('0x7f0', 2), read('0x9000'));
  silent(...fault(WRITE, PAIR, '0x7f0004'), translate('0x7f0', 2), read('0x9000', 16));
  silent(...fault(WRITE, PAIR), translate('0x7f0', 2), RUN, read('0x9000'));
});

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { atPrompt } from '../cli/prompt.testing.ts';
import { build, events, LACKING } from './build.testing.ts';
import { stage } from './shows.testing.ts';

/** Ids of what the rules find in a trace. */
async function findings(trace: string, folder: string): Promise<string[]> {
  const { out } = await atPrompt(['check', '--json', trace], folder);
  return (JSON.parse(out) as { findings: { id: string }[] }).findings.map(({ id }) => id);
}

describe('pages of a VP', { skip: LACKING }, () => {
  const { folder, shows } = stage();
  const mapped = 'memory=ok\nregisters=ok\nmessages=ok\nghcb=ENODEV\nbeyond=EINVAL\nbefore=0\n';
  const said = 'by the page\nread d0000 d000\nwrite d0004 1234\nwrite e0002 1234\n';

  test('a run loop that has nothing but the register page and the intercept message page', async () => {
    const program = build('test/emulate/clients/register-page.c', folder);
    const trace = await shows([program], `${mapped}${said}message=80010007 bad=0 xmm0=5a\n`);
    assert.deepEqual(await events(trace, 'op == MSHV_ROOT_HVCALL'), []);
    const written = await events(trace, 'kind == page');
    // 13 bytes that are read, 12 that are written, three accesses to memory, one port for the VMM.
    assert.equal(written.length, 13 + 12 + 3 + 1);
    const [first] = written;
    // The first byte: RAX and RIP, marked as such.
    assert.deepEqual(
      [first?.what, first?.component, first?.bytes],
      ['write', 'vmm', { '0x0': '010001000300000062d0000000000000', '0x88': '09f0000000000000' }],
    );
    assert.deepEqual(await findings(trace, folder), []);
  });

  const run = 'run=ok\nmessage=80010000';
  /** What the program does, what it prints, what the rules say of it. */
  const WRONG: readonly (readonly [what: string, printed: string, finding: string | undefined])[] = [
    ['passed-by', `${run} valid=1\nget=ok\npage=fff2 vp=fff0\n`, 'R17:vmm:passed-by'],
    ['set', `${run} valid=1\nset=ok\nget=ok\npage=fff0 vp=fff0\n${run} rip=fff0\n`, undefined],
    ['unmarked', `${run} valid=1\n${run} rip=fff0\n`, 'R17:vmm:unmarked'],
    ['running', `${run} valid=1\nrun=EINTR\nvalid=1 dirty=0 rip=fff2\n`, 'R17:vmm:running'],
  ];
  for (const [what, printed, finding] of WRONG) {
    test(`${what}: ${finding ?? 'nothing to find'}`, async () => {
      const program = build('test/emulate/clients/register-page-wrong.c', folder, '-pthread');
      const trace = await shows([program, what], `memory=ok\n${printed}`);
      assert.deepEqual(await findings(trace, folder), finding === undefined ? [] : [finding]);
    });
  }

  test('a hypervisor without a register page leaves it empty', async () => {
    const program = build('test/emulate/clients/register-page-wrong.c', folder, '-pthread');
    const trace = await shows([program, 'invalid'], `memory=ok\n${run} valid=0\n`, {
      profile: 'registerPage=none',
    });
    assert.deepEqual(await findings(trace, folder), ['R17:vmm:invalid']);
  });
});

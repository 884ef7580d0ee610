import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { build, emulate, events, LACKING, results, scratch, verify } from './build.testing.ts';

async function agrees(trace: string): Promise<void> {
  const { divergences, verified, checked, bound } = await verify(trace);
  assert.deepEqual(divergences, []);
  assert.equal(verified, true);
  assert.ok(checked >= 3 * bound, `${checked} checked, ${bound} bound`);
}

describe('processes of a program', { skip: LACKING }, () => {
  const folder = scratch();

  describe('fork', () => {
    let program = '';
    before(() => {
      program = build('test/emulate/clients/fork.c', folder);
    });

    for (const [how, what] of [
      ['wait', 'parent and child share the partition'],
      ['close', 'the child has it when the parent closed it'],
      ['exit', 'the child has it when the parent has ended'],
    ] as const) {
      test(what, async () => {
        const { exit, out, trace } = await emulate(folder, [program, how]);
        assert.equal(exit, 0);
        assert.equal(results(out).child, 'ok');
        // The last one to go takes the partition with it.
        assert.equal((await events(trace, 'code == HVCALL_DELETE_PARTITION && status == 0')).length, 1);
        await agrees(trace);
      });
    }
  });

  test('a program that does not use the device is left alone', async () => {
    const { exit, out, trace } = await emulate(folder, ['sh', '-c', 'echo hello; exit 42']);
    assert.equal(exit, 42);
    assert.equal(out, 'hello\n');
    assert.deepEqual(await events(trace, 'kind == fd || kind == ioctl'), []);
  });

  test('a program that is killed: 128 and the signal', async () => {
    const { exit } = await emulate(folder, ['sh', '-c', 'kill -9 $$']);
    assert.equal(exit, 128 + 9);
  });

  test('a program without a number for a descriptor of the device, and one that was passed another', async () => {
    const program = build('test/emulate/clients/files.c', folder);
    const { out, trace } = await emulate(folder, [program]);
    const lines = [
      ...['limit=ok', 'partition=EMFILE', 'vp=EMFILE', 'index=EINVAL', 'open=EMFILE'],
      ...['limit=ok', 'vp=ok', 'partition=ok', 'received=ok', 'initialize=ok', 'vp=ok', ''],
    ];
    assert.equal(out, lines.join('\n'));
    const rets = await events(trace, 'op == MSHV_CREATE_PARTITION || op == MSHV_CREATE_VP');
    assert.deepEqual(
      rets.map(({ ret }) => (Number(ret) >= 0 ? 'ok' : ret)),
      ['ok', 'ok', -24, -24, -22, 'ok', 'ok', 'ok', 'ok'],
    );
    assert.equal((await events(trace, 'code == HVCALL_DELETE_VP && status == 0')).length, 1);
    await agrees(trace);
  });

  test('the same with the interface of 2020, where the descriptor comes before the partition and the VP', async () => {
    const program = build('test/emulate/clients/files-rfc2020.c', folder);
    const { out, trace } = await emulate(folder, [program], { profile: 'kernel=rfc2020' });
    const lines = ['version=ok', 'partition=ok', 'vp=ok', 'partition=EMFILE', 'vp=EMFILE', 'vp-again=EEXIST'];
    assert.equal(out, [...lines, 'open=EMFILE', ''].join('\n'));
    // Nothing was made for those that failed.
    assert.equal((await events(trace, 'code == HVCALL_CREATE_PARTITION && status == 0')).length, 1);
    assert.equal((await events(trace, 'code == HVCALL_CREATE_VP && status == 0')).length, 1);
    await agrees(trace);
  });

  test('what a slow reader has not read yet is not lost', async () => {
    const { exit, out } = await emulate(folder, ['sh', '-c', 'seq 1 200000']);
    assert.equal(exit, 0);
    assert.equal(out.length, 1_288_895);
  });

  test('trouble of its own: 2, and nothing is started', async () => {
    const { exit, err } = await emulate(folder, ['/nonexistent/program']);
    assert.equal(exit, 2);
    assert.match(err, /no such program/);
  });
});

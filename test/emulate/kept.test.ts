import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { isProblem, openTrace } from '../../tracer/store/index.ts';
import { build, emulate, events, LACKING, scratch } from './build.testing.ts';

describe('what of the events is kept', { skip: LACKING }, () => {
  const folder = scratch();

  test('--filter: exactly those events that show finds in a whole recording', async () => {
    const program = build('test/emulate/clients/errors.c', folder);
    const whole = await emulate(folder, [program]);
    for (const filter of [
      'kind == hypercall',
      'errno == EFAULT',
      'kind in {ioctl, fd} && handle ~ partition',
    ]) {
      const { exit, trace } = await emulate(folder, [program], { more: ['--filter', filter] });
      assert.equal(exit, 0);
      const plain = ({
        kind,
        op,
        what,
        code,
        arg,
        ret,
        input,
        result,
      }: Record<string, unknown>): unknown => ({
        ...{ kind, op, what, code, arg, ret, input, result },
      });
      const expected = (await events(whole.trace, filter)).map(plain);
      assert.ok(expected.length > 0, filter);
      assert.deepEqual((await events(trace, `kind != mark`)).map(plain), expected, filter);
      const marks = await events(trace, 'kind == mark');
      assert.match(String(marks[0]?.text), /^recorded with the filter/);
      const all = (await events(whole.trace, '')).length;
      const lost = marks.reduce((sum, { lost }) => sum + Number(lost ?? 0), 0);
      assert.equal(lost + expected.length, all);
      const reader = openTrace(trace);
      if (isProblem(reader)) assert.fail(reader.text);
      assert.equal(reader.header.profile.initial, 'unknown');
      reader.close();
    }
  });

  test('--filter: what is no filter is refused before anything runs', async () => {
    const { exit, out, err } = await emulate(folder, ['echo', 'ran'], { more: ['--filter', 'kind == mrs'] });
    assert.deepEqual([exit, out], [2, '']);
    assert.match(err, /^hvrewind: emulate: filter, column 9: .*\n$/);
  });
});

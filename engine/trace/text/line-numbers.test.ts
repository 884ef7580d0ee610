import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TraceEvent } from '../event.ts';
import { type Address, at, type Seq, type TimeNs } from '../position.ts';
import { parseProfile } from '../profile-read.ts';
import { EventLineReader, formatEvent, LineNumbers, textContext } from './index.ts';

const read = parseProfile({});
assert.ok('profile' in read);
const { profile } = read;

test('a text with derived events reads back with the same parents', () => {
  const tree: [Address, Address | undefined][] = [
    [at(1), undefined],
    [at(1, 1), at(1)],
    [at(1, 2), at(1, 1)],
    [at(2), undefined],
    [at(3), at(2)],
    [at(3, 1), at(3)],
  ];
  const numbers = new LineNumbers();
  const reader = new EventLineReader(profile);
  const parents = tree.map(([address, parent]) => {
    const event: TraceEvent = {
      seq: address.seq,
      t: 0 as TimeNs,
      kind: 'mark',
      what: 'note',
      provenance: address.sub === 0 ? 'observed' : 'derived',
      ...(parent === undefined ? {} : { parent: 999 as Seq }),
    };
    const position = numbers.add(address);
    const above = parent === undefined ? undefined : numbers.of(parent);
    const options = above === undefined ? { position } : { position, parent: above };
    const next = reader.next(formatEvent(event, textContext(profile), options));
    assert.ok('event' in next, 'problem' in next ? next.problem.message : '');
    return next.event.parent;
  });
  assert.deepEqual(parents, [undefined, 1, 2, undefined, 4, 5]);
  assert.equal(numbers.of(at(4)), undefined);
  assert.equal(numbers.of(at(2, 1)), undefined);
});

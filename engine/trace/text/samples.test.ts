import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { check } from '../schema/check.testing.ts';
import { EVENT_TEXT_SCHEMA } from '../schema/index.ts';
import { EventLineReader, formatEvent, formatHeader, parseHeader, textContext } from './index.ts';

const folder = join(import.meta.dirname, '../../../samples');
const files = globSync('**/*.hvtrace.ndjson', { cwd: folder }).sort();

test('every sample reads, fits the schema, and its canonical form reads the same', () => {
  assert.ok(files.length > 0);
  for (const file of files) {
    const [first = '', ...lines] = readFileSync(join(folder, file), 'utf8').trimEnd().split('\n');
    for (const line of [first, ...lines])
      assert.equal(check(EVENT_TEXT_SCHEMA, JSON.parse(line)), undefined, `${file}: ${line}`);
    const read = parseHeader(first);
    assert.ok('header' in read, `${file}: ${'problem' in read ? read.problem.message : ''}`);
    assert.equal(formatHeader(read.header), first, file);
    const { profile } = read.header;
    const [given, canonical] = [new EventLineReader(profile), new EventLineReader(profile)];
    for (const line of lines) {
      const next = given.next(line);
      assert.ok('event' in next, `${file}: ${'problem' in next ? next.problem.message : ''}`);
      assert.deepEqual(canonical.next(formatEvent(next.event, textContext(profile))), next, file);
    }
  }
});

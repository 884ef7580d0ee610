import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ANSWER_FIELDS } from '../../engine/analysis/blame.ts';
import { EVENT_KINDS } from '../../engine/trace/event.ts';
import { questionOf } from './question.ts';

test('every kind of event that has an answer is asked for one that blame knows', () => {
  for (const kind of EVENT_KINDS) {
    const asked = questionOf({ at: '4.33', kind });
    const known = (ANSWER_FIELDS[kind] ?? []).map((field) => `4.33.${field}`);
    if (known.length === 0) assert.equal(asked, undefined);
    else assert.ok(known.includes(asked ?? ''), `${kind}: ${asked}`);
  }
});

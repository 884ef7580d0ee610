import assert from 'node:assert/strict';
import { test } from 'node:test';
import { judging, Traffic } from './traffic.testing.ts';
import { unusableTimer } from './unusable-timer.ts';

const { only, silent } = judging([unusableTimer]);
const config = (value: bigint, extra = {}) => new Traffic().write('timer', 0, 'STIMER0_CONFIG', value, extra);
const ENABLE = 1n;
const AUTO_ENABLE = 8n;
const DIRECT = 0x1000n;

test('a timer is switched on with SINT 0, now or with its next count', () => {
  assert.equal(only(config(ENABLE)).id, 'R46:timer:sint');
  assert.equal(only(config(AUTO_ENABLE).write('timer', 1, 'STIMER0_CONFIG', AUTO_ENABLE)).cells.length, 2);
  silent(config(ENABLE | 0x20000n));
  silent(config(0n));
  silent(config(2n));
});

test('direct mode needs a vector, and no SINT', () => {
  assert.equal(only(config(ENABLE | DIRECT | 0x0f0n)).id, 'R46:timer:vector');
  silent(config(ENABLE | DIRECT | 0x100n));
  silent(config(ENABLE, { fault: true }));
  silent(new Traffic().write(undefined, 0, 'STIMER0_CONFIG', ENABLE));
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { bytesNear, bytesUpTo, forEach, someByte, throughText } from '../abi.testing.ts';
import { hypercalls } from '../lookup/hypercalls.ts';
import { allIoctls } from '../lookup/ioctls.ts';
import { MESSAGE_BYTES, messageTypes } from '../lookup/messages.ts';
import { encode } from './encode.ts';
import {
  decodeHypercallInput,
  decodeHypercallOutput,
  hypercallInputFromObject,
  hypercallInputToObject,
  hypercallOutputFromObject,
  hypercallOutputToObject,
} from './hypercall.ts';
import {
  decodeIoctlArg,
  decodeIoctlIn,
  decodeIoctlOut,
  ioctlArgFromObject,
  ioctlArgToObject,
  ioctlInFromObject,
  ioctlInToObject,
} from './ioctl.ts';
import { ioctlOutFromObject, ioctlOutToObject } from './ioctl-out.ts';
import {
  decodeMessage,
  payloadFromObject,
  payloadToObject,
  runMessageFromObject,
  runMessageToObject,
  slotFromObject,
  slotToObject,
} from './message.ts';
import { encodeControl } from './words.ts';

const runs = { numRuns: 12 };

test('any input and output of any hypercall come back from fields and from the event text', () => {
  forEach(
    hypercalls.all(),
    (row) => row.name,
    (row) => {
      const variable = fc.integer({ min: 0, max: 6 });
      fc.assert(
        fc.property(bytesUpTo(120), bytesUpTo(80), variable, (input, output, qwords) => {
          const control = encodeControl({
            code: row.value,
            variableHeaderQwords: row.variableHeader ? qwords : 0,
          });
          const decodedInput = decodeHypercallInput(control, input);
          if (decodedInput !== undefined) assert.deepEqual(encode(decodedInput), input);
          const inputText = throughText(hypercallInputToObject(control, input));
          const read = hypercallInputFromObject(row.value, inputText);
          assert.ok(read.ok, JSON.stringify(inputText));
          assert.deepEqual(read.bytes, input, JSON.stringify(inputText));
          const decodedOutput = decodeHypercallOutput(control, input, output);
          if (decodedOutput !== undefined) assert.deepEqual(encode(decodedOutput), output);
          const outputText = throughText(hypercallOutputToObject(control, input, output));
          assert.deepEqual(hypercallOutputFromObject(row.value, outputText), { ok: true, bytes: output });
        }),
        runs,
      );
    },
  );
});

test('any argument and buffers of any ioctl come back from fields and from the event text', () => {
  forEach(
    allIoctls(),
    (row) => `${row.dialect} ${row.fds} ${row.name}`,
    (row) => {
      const arg = row.size === 3334 ? bytesUpTo(40) : bytesNear(row.size ?? 16);
      fc.assert(
        fc.property(arg, bytesUpTo(300), arg, bytesUpTo(300), (before, input, after, data) => {
          const decoded = decodeIoctlArg(row, before);
          if (decoded !== undefined) assert.deepEqual(encode(decoded), before);
          const argText = throughText(ioctlArgToObject(row, before));
          assert.deepEqual(
            ioctlArgFromObject(row, argText),
            { ok: true, bytes: before },
            JSON.stringify(argText),
          );
          const buffers = { arg: before, in: input };
          const decodedIn = decodeIoctlIn(row, buffers);
          if (decodedIn !== undefined) assert.deepEqual(encode(decodedIn), input);
          const inText = throughText(ioctlInToObject(row, buffers));
          const readIn = ioctlInFromObject(row, before, inText);
          assert.ok(readIn.ok, JSON.stringify(inText));
          assert.deepEqual(readIn.bytes, input, JSON.stringify(inText));
          const decodedOut = decodeIoctlOut(row, buffers, data);
          if (decodedOut !== undefined) assert.deepEqual(encode(decodedOut), data);
          for (const answer of [{ arg: after, data }, { arg: before, data }, { arg: before }, { data }]) {
            const outText = throughText(ioctlOutToObject(row, buffers, answer)) as Record<string, unknown>;
            const readOut = ioctlOutFromObject(row, buffers, outText);
            assert.ok(readOut.ok, JSON.stringify(outText));
            assert.deepEqual(
              { arg: undefined, ...readOut.answer },
              { arg: undefined, ...answer },
              JSON.stringify(outText),
            );
          }
        }),
        runs,
      );
    },
  );
});

test('any message comes back from fields and from the three forms of the event text', () => {
  forEach(
    messageTypes.all(),
    (row) => row.name,
    (row) => {
      const message = fc
        .array(someByte, { minLength: MESSAGE_BYTES - 4, maxLength: MESSAGE_BYTES - 4 })
        .map((rest) =>
          Uint8Array.from([row.value, row.value >>> 8, row.value >>> 16, row.value >>> 24, ...rest]),
        );
      fc.assert(
        fc.property(message, bytesUpTo(250), (whole, payload) => {
          assert.deepEqual(encode(decodeMessage(whole)), whole);
          assert.deepEqual(slotFromObject(throughText(slotToObject(whole))), { ok: true, bytes: whole });
          const run = throughText(runMessageToObject(whole));
          assert.deepEqual(runMessageFromObject(run), { ok: true, bytes: whole }, JSON.stringify(run));
          const alone = throughText(payloadToObject(row.value, payload));
          assert.deepEqual(payloadFromObject(row.value, alone), { ok: true, bytes: payload });
        }),
        runs,
      );
    },
  );
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { fieldReader, parseFormat, parsePageLayout } from './format.ts';
import { type PageResult, readPage } from './page.ts';
import { entry, formatText, LAYOUT, page, recordBytes, special } from './pages.testing.ts';

interface Read extends PageResult {
  readonly found: readonly { readonly t: number; readonly data: readonly number[] }[];
}

function read(view: DataView): Read {
  const found: { t: number; data: number[] }[] = [];
  const result = readPage(view, LAYOUT, (t, at, length) => {
    found.push({ t, data: [...new Uint8Array(view.buffer, view.byteOffset + at, length)] });
  });
  return { ...result, found };
}

const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values);

test('records have the time of the page and all deltas before them', () => {
  const { found, t, badBytes, lost, records } = read(
    page(1000, [entry(0, bytes(1, 2, 3, 4)), entry(7, bytes(5, 6, 7, 8, 9, 10, 11, 12))]),
  );
  assert.deepEqual(found, [
    { t: 1000, data: [1, 2, 3, 4] },
    { t: 1007, data: [5, 6, 7, 8, 9, 10, 11, 12] },
  ]);
  assert.deepEqual({ t, badBytes, lost, records }, { t: 1000, badBytes: 0, lost: 0, records: 2 });
});

test('a time extend adds, a time stamp sets, a discarded record takes its time and its place', () => {
  const data = bytes(1, 1, 1, 1);
  const { found, badBytes } = read(
    page(5, [
      special(30, 3, 2),
      entry(1, data),
      special(29, 10, 12, 8),
      entry(1, data),
      special(31, 9, 1),
      entry(2, data),
    ]),
  );
  const extended = 5 + 3 + 2 * 2 ** 27;
  assert.deepEqual(
    found.map(({ t }) => t),
    [extended + 1, extended + 12, 9 + 2 ** 27 + 2],
  );
  assert.equal(badBytes, 0);
});

test('long data have a length word; padding without time ends the page', () => {
  const long = new Uint8Array(200).fill(3);
  const { found, badBytes } = read(page(0, [entry(1, long), special(29, 0, 0, 40)]));
  assert.deepEqual(found, [{ t: 1, data: [...long] }]);
  assert.equal(badBytes, 0);
});

test('lost events are counted, or known to be many', () => {
  assert.equal(read(page(0, [entry(0, bytes(1, 2, 3, 4))], 77)).lost, 77);
  assert.equal(read(page(0, [entry(0, bytes(1, 2, 3, 4))], 'many')).lost, undefined);
});

test('what is cut off is counted and ends the page', () => {
  const cut = entry(0, bytes(1, 2, 3, 4)).slice(0, 6);
  const { records, badBytes } = read(page(0, [entry(0, bytes(1, 2, 3, 4)), cut]));
  assert.deepEqual({ records, badBytes }, { records: 1, badBytes: 6 });
  assert.deepEqual(read(new DataView(new ArrayBuffer(7))), {
    t: 0,
    records: 0,
    lost: 0,
    badBytes: 7,
    found: [],
  });
});

test('any bytes decode: records lie inside the page and never overlap, the rest is counted', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 600 }), fc.nat(700), fc.boolean(), (noise, commit, honest) => {
      const view = new DataView(noise.slice().buffer);
      if (honest && view.byteLength >= 16) view.setUint32(8, commit, true);
      let last = 16;
      let visited = 0;
      const result = readPage(view, LAYOUT, (t, at, length) => {
        assert.ok(at >= last + 4 && at + length <= view.byteLength && t >= 0);
        last = at + length;
        visited += 1;
      });
      assert.equal(result.records, visited);
      assert.ok(result.badBytes >= 0);
    }),
  );
});

test('what was written as a page is read back', () => {
  const one = fc.record({ delta: fc.nat(1000), words: fc.integer({ min: 1, max: 40 }), fill: fc.nat(255) });
  fc.assert(
    fc.property(fc.nat(), fc.array(one, { maxLength: 20 }), fc.nat(9), (start, parts, lost) => {
      const entries = parts.map(({ delta, words, fill }) =>
        entry(delta, new Uint8Array(words * 4).fill(fill)),
      );
      const { found, ...result } = read(page(start, entries, lost));
      assert.deepEqual(
        { records: result.records, lost: result.lost, badBytes: result.badBytes },
        { records: parts.length, lost, badBytes: 0 },
      );
      let t = start;
      for (const [index, { delta, words, fill }] of parts.entries()) {
        t += delta;
        assert.deepEqual(found[index], { t, data: new Array<number>(words * 4).fill(fill) });
      }
    }),
  );
});

test('a format file says where fields lie', () => {
  const text = `${formatText('kernel_stack', 4, [['int', 'size']])}
\tfield:unsigned long caller[8];\toffset:16;\tsize:64;\tsigned:0;
\tfield:__data_loc char[] name;\toffset:80;\tsize:4;\tsigned:0;
\tfield:struct eventfd_ctx * eventfd;\toffset:88;\tsize:8;\tsigned:0;
\tfield:u8 raw[];\toffset:96;\tsize:0;\tsigned:0;`;
  const format = parseFormat(text);
  assert.ok(format !== undefined);
  assert.equal(format.id, 4);
  assert.deepEqual(
    format.fields.slice(4).map(({ name, type, count }) => [name, type, count]),
    [
      ['size', 'int', undefined],
      ['caller', 'unsigned long', 8],
      ['name', '__data_loc char[]', undefined],
      ['eventfd', 'struct eventfd_ctx *', undefined],
      ['raw', 'u8', 0],
    ],
  );
  const record = recordBytes(format, -1, { size: -3, caller: [1n, 0xffff_ffff_8123_4567n] });
  const view = new DataView(record.buffer);
  const value = (name: string, index = 0) => fieldReader(format, name, index)?.(view, 0, record.length);
  assert.equal(value('common_pid'), -1n);
  assert.equal(value('size'), -3n);
  assert.equal(value('caller', 1), 0xffff_ffff_8123_4567n);
  assert.equal(value('raw'), undefined);
  assert.equal(fieldReader(format, 'nothing'), undefined);
  assert.equal(fieldReader(format, 'caller', 8), undefined);
  assert.equal(fieldReader(format, 'caller', 7)?.(view, 0, 40), undefined);
  assert.equal(parseFormat('name: x\n'), undefined);
});

test('the header of pages, of 64-bit and 32-bit kernels', () => {
  const header = (size: number, data: number) => `\tfield: u64 timestamp;\toffset:0;\tsize:8;\tsigned:0;
\tfield: local_t commit;\toffset:8;\tsize:${size};\tsigned:1;
\tfield: int overwrite;\toffset:8;\tsize:1;\tsigned:1;
\tfield: char data;\toffset:${data};\tsize:4080;\tsigned:0;\n`;
  assert.deepEqual(parsePageLayout(header(8, 16)), LAYOUT);
  assert.deepEqual(parsePageLayout(header(4, 12)), { commitAt: 8, commitBytes: 4, dataAt: 12 });
  assert.equal(parsePageLayout('nothing'), undefined);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findingToJson } from './finding.ts';
import { liveConnection } from './live-connection.ts';
import { hypercall, type Line, told } from './told.testing.ts';
import { judge } from './traffic.testing.ts';

function findings(...lines: readonly Line[]) {
  return judge(told({ role: 'root' }, lines), [liveConnection]).map(findingToJson);
}
function silent(...lines: readonly Line[]): void {
  assert.deepEqual(findings(...lines), []);
}

const connect = (extra = {}): Line =>
  hypercall(
    'CONNECT_PORT',
    { connection_partition_id: 2, connection_id: 1, port_partition_id: 1, port_id: 1 },
    extra,
  );
const disconnect = hypercall('DISCONNECT_PORT', { connection_partition_id: 2, connection_id: 1 });
const remove = (extra = {}): Line => hypercall('DELETE_PORT', { port_partition_id: 1, port_id: 1 }, extra);

test('a port is deleted while something is connected with it', () => {
  const [finding] = findings(connect(), remove(), disconnect);
  assert.equal(finding?.id, 'R47:mshv');
  assert.deepEqual(finding?.evidence, ['1', '2']);
  assert.deepEqual(finding?.cells, ['partition[2].connection[1]']);
});

test('disconnected before, finalized, never connected, deleted in vain, another port', () => {
  silent(connect(), disconnect, remove());
  silent(connect(), hypercall('FINALIZE_PARTITION', { partition_id: 2 }), remove());
  silent(connect({ status: 'INVALID_PORT_ID' }), remove());
  silent(connect(), remove({ status: 'INVALID_PORT_ID' }), disconnect);
  silent(connect(), hypercall('DELETE_PORT', { port_partition_id: 1, port_id: 2 }));
  silent(remove());
});

import { fieldOf, readU32, readU64 } from '../abi/index.ts';
import { CaseBook } from './case-book.ts';
import type { Moment } from './open-finding.ts';
import type { Rule } from './rule.ts';
import { CALLERS } from './track/callers.ts';
import { type Answered, answered, call, SUCCESS } from './track/hypercall.ts';
import { makerOf } from './track/maker.ts';
import { isHost } from './track/partition-tracker.ts';

const CONNECT = call('CONNECT_PORT');
const DISCONNECT = call('DISCONNECT_PORT');
const DELETE = call('DELETE_PORT');
/** It takes all connections of the partition with it. */
const FINALIZE = call('FINALIZE_PARTITION');
const FINALIZED = fieldOf('hv_input_finalize_partition', 'partition_id');
const CONNECTION_PARTITION = fieldOf('hv_input_connect_port', 'connection_partition_id');
const CONNECTION = fieldOf('hv_input_connect_port', 'connection_id');
const PORT_PARTITION = fieldOf('hv_input_connect_port', 'port_partition_id');
const PORT = fieldOf('hv_input_connect_port', 'port_id');
const GONE_PARTITION = fieldOf('hv_input_disconnect_port', 'connection_partition_id');
const GONE = fieldOf('hv_input_disconnect_port', 'connection_id');
const DELETED_PARTITION = fieldOf('hv_input_delete_port', 'port_partition_id');
const DELETED = fieldOf('hv_input_delete_port', 'port_id');

/** Connections that are followed; the oldest are forgotten. */
const MAX_CONNECTIONS = 16384;

interface Connection {
  readonly partition: bigint;
  readonly id: number;
  readonly port: string;
  readonly moment: Moment;
}

/** R47: a port is deleted after what is connected with it. */
export const liveConnection: Rule = {
  id: 'R47',
  severity: 'warning',
  title: 'A port is deleted that something is still connected with',
  meaning:
    'A connection sends what is posted or signalled on it, or a doorbell that is rung, to its port. When the port is deleted ' +
    'first the connection stays and leads nowhere: posts on it are refused with INVALID_PORT_ID, rings of a doorbell are lost, ' +
    'and messages that had not been delivered are gone. Connections are taken down first, ports after them.',
  silent: [
    'The connection was disconnected before.',
    'The partition of the connection was finalized: its connections went with it.',
    'A connection that could not be made.',
    'A connection that is not in the trace.',
  ],
  source:
    'TLFS 2013, HvDeletePort; Linux 7.2 drivers/hv/mshv_root_hv_call.c and mshv_eventfd.c (mshv_deassign_ioeventfd)',
  watches: [{ kind: 'hypercall', codes: [CONNECT, DISCONNECT, DELETE, FINALIZE] }, 'mark'],
  needs: ['hypercall'],
  judge(input) {
    const callers = input.tracker(CALLERS);
    const cases = new CaseBook(liveConnection.id, input);
    const connections = new Map<string, Connection>();

    function connected({ input: given }: Answered): void {
      const partition = readU64(given, CONNECTION_PARTITION);
      const id = readU32(given, CONNECTION);
      const port = `${readU64(given, PORT_PARTITION)} ${readU32(given, PORT)}`;
      connections.set(`${partition} ${id}`, { partition, id, port, moment: input.now() });
      if (connections.size <= MAX_CONNECTIONS) return;
      for (const oldest of connections.keys()) {
        connections.delete(oldest);
        return;
      }
    }

    function deleted(port: string, by: { component: string; moment: Moment } | undefined): void {
      for (const [key, connection] of connections) {
        if (connection.port !== port) continue;
        connections.delete(key);
        if (by === undefined) continue;
        const { component, moment: culprit } = by;
        const finding = cases.open(
          { cause: [component], severity: 'warning', component, culprit, partition: connection.partition },
          {
            title: `${component} deletes a port before the connection that leads to it`,
            fix: `let ${component} make HVCALL_DISCONNECT_PORT before HVCALL_DELETE_PORT`,
          },
        );
        if (!finding.concerns(`partition[${connection.partition}].connection[${connection.id}]`)) continue;
        finding.prove(connection.moment);
        finding.prove(culprit);
      }
    }

    function finalized(partition: bigint): void {
      for (const [key, connection] of connections) {
        if (connection.partition === partition) connections.delete(key);
      }
    }

    return {
      step(step) {
        const { event } = step;
        if (event.kind === 'mark' && event.what === 'gap') connections.clear();
        const hypercall = event.kind === 'hypercall' && isHost(step) ? answered(step) : undefined;
        if (event.kind !== 'hypercall' || hypercall?.status !== SUCCESS) return;
        const { control, input: given } = hypercall;
        switch (control.code) {
          case CONNECT:
            connected(hypercall);
            return;
          case DISCONNECT:
            connections.delete(`${readU64(given, GONE_PARTITION)} ${readU32(given, GONE)}`);
            return;
          case DELETE: {
            const port = `${readU64(given, DELETED_PARTITION)} ${readU32(given, DELETED)}`;
            if (connections.size > 0) deleted(port, makerOf(callers, step, event, input.now));
            return;
          }
          case FINALIZE:
            finalized(readU64(given, FINALIZED));
            return;
        }
      },
      end: () => cases.report(),
    };
  },
};
